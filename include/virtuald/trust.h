// Opening what only root may change, and proving that only root may.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// What is opened, which decides how, and the words of the messages.
enum class Subject { config, root };

/// Opens the regular file (config, for reading) or directory (root, as O_PATH) `path` close-on-exec
/// and returns its descriptor, which is the caller's. -1 on failure, with the reason in `error`.
///
/// The path is walked component by component from "/" (from "." if it is relative), following
/// symbolic links by hand. Every directory, link and the object itself must be owned by uid 0 and
/// not be writable by group or others; the object is checked by the descriptor that is returned.
/// The first that does not hold is named in `distrust` with its owner and mode; the descriptor is
/// returned all the same, for the caller decides. `distrust` stays empty if all is well.
[[nodiscard]] int open_trusted(const char* path, Subject subject, Error& error, Error& distrust);

}  // namespace virtuald
