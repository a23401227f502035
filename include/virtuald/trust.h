// Opening what only root may change, and proving that only root may.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// What is opened, which decides how, and the words of the messages.
enum class Subject { config, root };

/// What open_trusted has found.
struct Opened {
  int descriptor = -1;  // close-on-exec, the caller's; -1: `error` says why it was not opened
  bool trusted = true;  // false: `error` says who else could change what, for the caller decides
};

/// Opens the regular file (config, for reading) or directory (root, as O_PATH) `path`.
///
/// The path is walked component by component from "/" (from "." if it is relative), following
/// symbolic links by hand. Every directory, link and the object itself must be owned by uid 0 and
/// not be writable by group or others; the object is checked by the descriptor that is returned.
/// The first that does not hold is named in `error` with its owner and mode. `error` is not touched
/// if all is well. `path` is walked in place, and is as it was when this returns.
[[nodiscard]] Opened open_trusted(char* path, Subject subject, Error& error);

}  // namespace virtuald
