// Asking a root's own dynamic loader what a program would miss.
#pragma once

#include <string_view>

#include "virtuald/bounds.h"
#include "virtuald/error.h"

namespace virtuald {

/// What became of the question. `untested` and `failed` have their reason.
enum class LoaderOutcome { answered, untested, failed };

/// Runs `loader --list program` (ld.so(8); musl's loader knows it too) with the directory `root` as
/// its root, as a user that nobody has, within bounds: five seconds, and no process of it is left
/// then. It has a session of its own, no environment, no input and no other descriptor. What it
/// wrote is `bounds.output()`. Needs root. Untested if the loader is not root's own (see
/// open_trusted), if nobody but root may read the program, or if it cannot be bounded; failed if
/// the loader could not be run, was killed, or left with a status other than 0 without a word. One
/// that names missing libraries has answered.
[[nodiscard]] LoaderOutcome ask_loader(int root, const char* loader, const char* program,
                                       Bounds& bounds, Error& error);

/// Takes from `answer` the next line that names something missing; empty when there is none left.
[[nodiscard]] std::string_view next_missing_library(std::string_view& answer);

}  // namespace virtuald
