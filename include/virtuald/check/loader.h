// Asking a root's own dynamic loader what a program would miss.
#pragma once

#include <cstddef>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// What the loader wrote to standard output and standard error, cut to the buffer.
/// Static, by its size (error.h).
struct LoaderAnswer {
  std::size_t size = 0;
  char text[16 * 1024] = {};
};

/// What became of the question. `untested` and `failed` have their reason.
enum class LoaderOutcome { answered, untested, failed };

/// Runs `loader --list program` (ld.so(8); musl's loader knows it too) with the directory `root` as
/// its root, as nobody, in a session of its own with no environment, no input and no other
/// descriptor, for five seconds at most. Needs root. Untested if the loader is not root's own (see
/// open_trusted) or if nobody may not read the program; failed if the loader could not be run, was
/// killed, or left with a status other than 0 without a word. One that names missing libraries has
/// answered.
[[nodiscard]] LoaderOutcome ask_loader(int root, const char* loader, const char* program,
                                       LoaderAnswer& answer, Error& error);

/// Takes from `answer` the next line that names something missing; empty when there is none left.
[[nodiscard]] std::string_view next_missing_library(std::string_view& answer);

}  // namespace virtuald
