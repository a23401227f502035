// Text files in pieces of whole lines, in memory that does not grow with the file.
#pragma once

#include <cstddef>
#include <string_view>

namespace virtuald {

/// Reads a descriptor from where it stands. The piece is large because a look-up in a long
/// configuration is little else than reads. Keep the object static: it is mostly its buffer.
class LineReader {
 public:
  static constexpr std::size_t kPieceSize = std::size_t{64} * 1024;

  enum class Result {
    lines,  // `piece` holds one or more lines, each ended by \n but perhaps the last of the file
    end,    // there is no more
    failed  // read(2) failed, errno says why
  };

  /// Starts over, on `descriptor`, which stays the caller's to close.
  void start(int descriptor);

  /// The next lines. A line that does not fit kPieceSize is given as its first kPieceSize bytes,
  /// without \n, and the rest of it is passed over; callers refuse lines that are much shorter
  /// already. `piece` is valid until the next call.
  [[nodiscard]] Result next(std::string_view& piece);

  /// Ends `part` of the last piece with a NUL, where it stands: the pieces are of no use then.
  [[nodiscard]] char* terminate(std::string_view part);

 private:
  [[nodiscard]] Result fill();
  bool drop_rest_of_long_line();

  int descriptor_ = 0;  // all zero at first, so that the buffer costs nothing in the file
  bool at_end_ = false;
  bool in_long_line_ = false;
  std::size_t given_ = 0;   // bytes of the buffer that the caller has had
  std::size_t filled_ = 0;  // bytes of the buffer that hold text
  char buffer_[kPieceSize + 1] = {};
};

}  // namespace virtuald
