// A log socket that no hard link can reach, such as the journal's in /run, in a domain's dev.
//
// The working directory is that dev: the domain may exchange every name that leads to it, and what
// is in it, at any time. So the file is made and held, and never looked for by name.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Makes a new, empty file `log` in the working directory and mounts the socket at `socket` on it
/// read-only (open_tree(2), mount_setattr(2), move_mount(2)). Fails where there is anything called
/// `log` already.
[[nodiscard]] bool mount_log(const char* socket, Error& error);

enum class Unmounted { yes, nothing_there, failed };

/// Unmounts the socket that is mounted on `log` in the working directory, if it is of the file
/// system that `directory` is in; leaves anything else. Processes that have it open keep it.
[[nodiscard]] Unmounted unmount_log(const char* directory, Error& error);

}  // namespace virtuald
