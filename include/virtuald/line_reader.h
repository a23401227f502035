// Text files in pieces of whole lines, in memory that does not grow with the file.
#pragma once

#include <cstddef>
#include <string_view>

namespace virtuald {

/// Reads a descriptor from where it is, in large pieces: a look-up in a long configuration is
/// little else than reads. Main owns the only one, which the configuration, passwd and group use in
/// turn. Static, by its size (error.h).
class LineReader {
 public:
  static constexpr std::size_t kPieceSize = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxKept = 4352;

  enum class Result { lines, end, failed };

  /// Starts over, on `descriptor`, which stays the caller's to close.
  void start(int descriptor);

  /// The next lines, valid until the next call; `failed` if read(2) did, errno says why. Each line
  /// ends in \n, the last of the file too. One that does not fit kPieceSize is given as its first
  /// kPieceSize bytes; callers refuse lines that are much shorter already.
  [[nodiscard]] Result next(std::string_view& lines);

  /// Keeps `part` of the last lines, no longer than kMaxKept, in this object for good: ended by
  /// NUL, and not touched by what is read after the next start. To be called once.
  [[nodiscard]] const char* keep(std::string_view part);

 private:
  [[nodiscard]] bool fill();

  int descriptor_ = 0;  // all zero at first, so that the buffer costs nothing in the file
  bool at_end_ = false;
  bool in_long_line_ = false;  // whose beginning was given
  std::size_t kept_ = 0;       // bytes at the front of the memory
  std::size_t given_ = 0;      // bytes of the buffer that the caller has had
  std::size_t filled_ = 0;     // bytes of the buffer that hold text
  char* buffer_ = nullptr;     // of kPieceSize and a \n, behind what is kept
  char memory_[kMaxKept + 1 + kPieceSize + 1] = {};
};

}  // namespace virtuald
