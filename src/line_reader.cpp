#include "virtuald/line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace virtuald {

void LineReader::start(int descriptor) {
  descriptor_ = descriptor;
  at_end_ = false;
  in_long_line_ = false;
  given_ = 0;
  filled_ = 0;
}

LineReader::Result LineReader::fill() {
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, buffer_ + filled_, kPieceSize - filled_);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return Result::failed;
  }
  at_end_ = count == 0;
  filled_ += static_cast<std::size_t>(count);
  return Result::lines;
}

/// True once the text in the buffer begins with a line of its own.
bool LineReader::drop_rest_of_long_line() {
  const void* const line_end = std::memchr(buffer_, '\n', filled_);
  if (line_end == nullptr) {
    filled_ = 0;
    return false;
  }
  given_ = static_cast<std::size_t>(static_cast<const char*>(line_end) - buffer_) + 1;
  in_long_line_ = false;
  return true;
}

char* LineReader::terminate(std::string_view part) {
  char* const begin = buffer_ + (part.data() - buffer_);
  begin[part.size()] = '\0';
  return begin;
}

LineReader::Result LineReader::next(std::string_view& piece) {
  for (;;) {
    filled_ -= given_;
    std::memmove(buffer_, buffer_ + given_, filled_);
    given_ = 0;
    if (!at_end_ && fill() == Result::failed) {
      return Result::failed;
    }
    if (in_long_line_ && drop_rest_of_long_line()) {
      continue;
    }
    const void* const last_line_end = ::memrchr(buffer_, '\n', filled_);
    if (last_line_end != nullptr) {
      given_ = static_cast<std::size_t>(static_cast<const char*>(last_line_end) - buffer_) + 1;
    } else if (at_end_ || filled_ == kPieceSize) {
      given_ = filled_;
      in_long_line_ = !at_end_;
    }
    if (given_ > 0) {
      piece = {buffer_, given_};
      return Result::lines;
    }
    if (at_end_) {
      return Result::end;
    }
  }
}

}  // namespace virtuald
