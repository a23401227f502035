// Opens files and directories, and checks that only root can change them.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// What is opened. It determines the flags of open(2) and the wording of the messages.
enum class Subject { config, root };

/// The result of open_trusted.
struct Opened {
  enum class Outcome {
    trusted,
    distrusted,  // opened, but someone other than root could change it, as `reason` says; the
                 // caller decides what that means
    failed       // not opened; `reason` says why
  };
  Outcome outcome;
  int descriptor;  // close-on-exec, owned by the caller; -1 on failure
};

/// Opens the regular file (config, for reading) or directory (root, as O_PATH) `path`.
///
/// Walks the path component by component from "/" (from "." if it is relative) and resolves
/// symbolic links itself. Every directory and link on the way, and the object itself, must be owned
/// by uid 0 and not be writable by group or others; the object is checked by the descriptor that is
/// returned. `reason` names the first one that fails the check, with its owner and mode. A path
/// that is longer than PATH_MAX, or becomes so by a link, fails with ENAMETOOLONG.
[[nodiscard]] Opened open_trusted(const char* path, Subject subject, Message& reason);

}  // namespace virtuald
