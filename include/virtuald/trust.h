// Opening what only root may change, and proving that only root may.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// What is opened, which decides how, and the words of the messages.
enum class Subject { config, root };

/// What open_trusted has found.
struct Opened {
  enum class Outcome {
    trusted,
    distrusted,  // opened, but somebody else could change it, and `reason` says who; the caller
                 // decides what that means
    failed       // not opened; `reason` says why
  };
  Outcome outcome;
  int descriptor;  // close-on-exec, the caller's; -1 if it failed
};

/// Opens the regular file (config, for reading) or directory (root, as O_PATH) `path`.
///
/// The path is walked component by component from "/" (from "." if it is relative), following
/// symbolic links by hand. Every directory, link and the object itself must be owned by uid 0 and
/// not be writable by group or others; the object is checked by the descriptor that is returned.
/// The first that does not hold is named in `reason` with its owner and mode. A path that is, or by
/// a link becomes, longer than PATH_MAX fails with ENAMETOOLONG.
[[nodiscard]] Opened open_trusted(const char* path, Subject subject, Message& reason);

}  // namespace virtuald
