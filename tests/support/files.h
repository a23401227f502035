// Files and directories of tests.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace testing_support {

/// A directory below TMPDIR that is removed with this object, contents included.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes `text` to `path` (mode 0644, whatever the umask), replacing an older file and making its
/// directories. Throws on failure.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The same, executable by all.
void write_program(const std::filesystem::path& path, std::string_view text);

/// The contents of a file. Throws if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// The lines of `text`, without their ends.
std::vector<std::string> split_lines(std::string_view text);

/// Whether `part` is in `text`: for EXPECT_PRED2, which shows both.
inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace testing_support
