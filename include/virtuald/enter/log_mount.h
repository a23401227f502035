// Mounts a log socket that a hard link cannot reach, such as the journal's in /run, in a domain's
// dev.
//
// The working directory is that dev. The domain can exchange every name that leads to it, and its
// contents, at any time, so a file in it is opened once and then used by its descriptor.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Creates an empty file `log` in the working directory and mounts the socket at `socket` on it,
/// read-only (open_tree(2), move_mount(2), and mount_setattr(2), which needs Linux 5.12). Fails if
/// `log` already exists.
[[nodiscard]] bool mount_log(const char* socket, Error& error);

enum class Unmounted { yes, nothing_there, failed };

/// Unmounts the socket that is mounted on `log` in the working directory if it is on the file
/// system of `directory`, and leaves anything else alone. Processes that have it open keep it.
[[nodiscard]] Unmounted unmount_log(const char* directory, Error& error);

}  // namespace virtuald
