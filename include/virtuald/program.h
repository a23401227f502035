// The service's program: finding it, executing it, and why that failed.
#pragma once

#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// Searched if PATH is unset, as under openbsd-inetd. Includes sbin, where daemons are.
constexpr std::string_view kDefaultSearchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The files that `name` may refer to, in the order in which execvp(3) tries them: `name` itself if
/// it contains a slash, otherwise `name` in each directory of `search_path`, except where the path
/// would exceed PATH_MAX.
class Candidates {
 public:
  Candidates(const char* name, std::string_view search_path)
      : name_(name), rest_(search_path), is_path_(name_.find('/') != std::string_view::npos) {}

  /// Returns the next candidate, or nullptr after the last. Valid until the next call on any such
  /// object.
  [[nodiscard]] const char* next();

 private:
  std::string_view name_;
  std::string_view rest_;
  bool is_path_;
  bool finished_ = false;
};

/// Why start_program returned: the program does not exist, or it did not start.
enum class Start { missing, failed };

/// Executes the program `name`, found in `search_path`, with `arguments` and the present
/// environment. Like execvp(3), it tries the next directory if a file is missing or cannot be
/// executed; unlike execvp(3), it never passes a file that is not a program to a shell. `root` is
/// for messages. Returns only on failure, with the reason in `error`.
[[nodiscard]] Start start_program(const char* name, std::string_view search_path,
                                  char* const* arguments, const char* root, Error& error);

}  // namespace virtuald
