// Making a directory the root.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Makes the directory `descriptor`, called `name` in messages, the root and the working directory
/// of this process (fchdir(2), chroot(2)). With a descriptor, it is certain to be the directory
/// that was checked.
[[nodiscard]] bool enter_root(int descriptor, const char* name, Error& error);

/// Opens `path` as a process whose root is the directory `root` would: no link leads out of it
/// (openat2(2), RESOLVE_IN_ROOT, Linux 5.6). If `root` is AT_FDCWD, it is this process's own root.
/// Returns a close-on-exec descriptor, which the caller owns, or -1 with errno set.
[[nodiscard]] int open_in_root(int root, const char* path, int flags);

}  // namespace virtuald
