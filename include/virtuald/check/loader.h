// Asks a root's own dynamic loader which libraries of a program are missing.
#pragma once

#include <string_view>

#include "virtuald/bounds.h"
#include "virtuald/error.h"

namespace virtuald {

/// The result of ask_loader. `error` holds the reason for `untested` and `failed`.
enum class LoaderOutcome { answered, untested, failed };

/// Runs `loader --list program` (ld.so(8); musl's loader supports it too) with the directory `root`
/// as its root, as a user ID that no account has, and within `bounds`: it is killed after five
/// seconds, with every process that it started. It gets a session of its own, an empty environment
/// and input, and no descriptors but 0 to 2. `bounds.output()` is what it wrote. Needs root.
///
/// Untested if someone other than root could change the loader (see open_trusted), if an ordinary
/// user cannot read the program, or if the bounds cannot be set. Failed if the loader cannot be
/// run, is killed, or exits with a status other than 0 without naming a missing library.
///
/// When the program is executed, the loader learns from /proc where the program is. Roots usually
/// lack /proc, and the loader then ignores run paths that begin with $ORIGIN. With --list, it uses
/// the path given instead and would find those libraries. So if the program `has_origin` in its run
/// path, glibc's loader is told to ignore that run path.
[[nodiscard]] LoaderOutcome ask_loader(int root, const char* loader, const char* program,
                                       bool has_origin, Bounds& bounds, Error& error);

/// Removes from `answer` the next line that names something missing, and everything before it.
/// Returns that line, or an empty view after the last.
[[nodiscard]] std::string_view next_missing_library(std::string_view& answer);

}  // namespace virtuald
