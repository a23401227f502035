// Asking a root's own dynamic loader what a program would miss.
#pragma once

#include <cstddef>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// What the loader wrote to standard output and standard error, cut to the buffer.
struct LoaderAnswer {
  std::size_t size = 0;
  char text[16 * 1024] = {};

  [[nodiscard]] std::string_view view() const { return {text, size}; }
};

/// Runs `loader --list program` (ld.so(8); musl's loader knows it too) with the directory `root` as
/// its root, in a child with no environment, no input and no other descriptor, for five seconds at
/// most. Needs CAP_SYS_CHROOT. False if the loader is not root's own (see open_trusted), could not
/// be run, was killed, or left with a status other than 0 without a word; a loader that names
/// missing libraries has answered.
[[nodiscard]] bool ask_loader(int root, const char* loader, const char* program,
                              LoaderAnswer& answer, Error& error);

/// Takes from `answer` the next line that names something missing; empty when there is none left.
[[nodiscard]] std::string_view next_missing_library(std::string_view& answer);

}  // namespace virtuald
