// Reads text files in pieces of whole lines, with a fixed amount of memory.
#pragma once

#include <cstddef>
#include <string_view>

namespace virtuald {

/// Reads a descriptor from its current position, in large pieces: a look-up in a long configuration
/// spends its time in reads. On the connection path, a single reader serves the configuration,
/// passwd and group in turn. Static because of its size (error.h).
class LineReader {
 public:
  static constexpr std::size_t kPieceSize = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxKept = 4352;

  enum class Result { lines, end, failed };

  /// Starts over with `descriptor`, which the caller owns.
  void start(int descriptor);

  /// Returns the next lines, valid until the next call; `failed`, with errno set, if read(2)
  /// failed. Each line ends in \n, even the last of the file. A line longer than kPieceSize is cut
  /// to that length; callers already refuse much shorter ones.
  [[nodiscard]] Result next(std::string_view& lines);

  /// Keeps `part` of the last lines, at most kMaxKept bytes, in this object for good:
  /// NUL-terminated, and safe from reads after the next start(). Must be called only once.
  [[nodiscard]] const char* keep(std::string_view part);

 private:
  [[nodiscard]] bool fill();

  int descriptor_ = 0;  // all zero at first, so that the object takes no space in the file
  bool at_end_ = false;
  bool in_long_line_ = false;  // whose beginning was returned
  std::size_t kept_ = 0;       // bytes at the front of the memory
  std::size_t given_ = 0;      // bytes of the buffer that were returned
  std::size_t filled_ = 0;     // bytes of the buffer that hold text
  char* buffer_ = nullptr;     // kPieceSize and a \n, after what is kept
  char memory_[kMaxKept + 1 + kPieceSize + 1] = {};
};

}  // namespace virtuald
