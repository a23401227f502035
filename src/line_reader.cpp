#include "virtuald/line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace virtuald {

void LineReader::start(int descriptor) {
  descriptor_ = descriptor;
  buffer_ = memory_ + kept_;
  at_end_ = false;
  in_long_line_ = false;
  given_ = 0;
  filled_ = 0;
}

/// Moves the rest of the buffer to the front, and reads more after it.
bool LineReader::fill() {
  filled_ -= given_;
  std::memmove(buffer_, buffer_ + given_, filled_);
  given_ = 0;
  ssize_t count = 0;
  while (!at_end_ && (count = ::read(descriptor_, buffer_ + filled_, kPieceSize - filled_)) < 0) {
    if (errno != EINTR) {
      return false;
    }
  }
  at_end_ = count == 0;
  filled_ += static_cast<std::size_t>(count);
  return true;
}

LineReader::Result LineReader::next(std::string_view& lines) {
  for (;;) {
    if (!fill()) {
      return Result::failed;
    }
    if (filled_ == 0) {
      return Result::end;
    }
    const char* const end = buffer_ + filled_;
    if (in_long_line_) {
      const void* const found = std::memchr(buffer_, '\n', filled_);
      const char* const rest = found != nullptr ? static_cast<const char*>(found) + 1 : end;
      in_long_line_ = found == nullptr;
      given_ = static_cast<std::size_t>(rest - buffer_);
      continue;
    }
    const void* const found = ::memrchr(buffer_, '\n', filled_);
    if (found != nullptr) {
      given_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_) + 1;
      lines = {buffer_, given_};
      return Result::lines;
    }
    if (at_end_ || filled_ == kPieceSize) {
      in_long_line_ = !at_end_;
      given_ = filled_;
      buffer_[filled_] = '\n';
      lines = {buffer_, filled_ + 1};
      return Result::lines;
    }
  }
}

const char* LineReader::keep(std::string_view part) {
  std::memmove(memory_, part.data(), part.size());
  memory_[part.size()] = '\0';
  kept_ = part.size() + 1;
  return memory_;
}

}  // namespace virtuald
