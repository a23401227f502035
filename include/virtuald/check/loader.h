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
///
/// When the program is executed, the loader finds out where it is by /proc, which a root does not
/// have, and passes over a run path that begins there. When it is asked, it takes the path that it
/// is given. So if the program `has_origin` in its run path, glibc's is told to heed none of that.
[[nodiscard]] LoaderOutcome ask_loader(int root, const char* loader, const char* program,
                                       bool has_origin, Bounds& bounds, Error& error);

/// Takes from `answer` the next line that names something missing; empty when there is none left.
[[nodiscard]] std::string_view next_missing_library(std::string_view& answer);

}  // namespace virtuald
