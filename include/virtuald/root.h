// Making a directory the root.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Makes the directory that `descriptor` holds, called `name` in messages, the root and the working
/// directory of this process (fchdir(2), chroot(2)). By descriptor, so that it is the very
/// directory that was checked.
[[nodiscard]] bool enter_root(int descriptor, const char* name, Error& error);

/// Opens `path` as a process whose root is the directory `root` would, links included, and
/// without following any of them out of it (openat2(2), RESOLVE_IN_ROOT, Linux 5.6). `root` may be
/// AT_FDCWD: then it is this process's own root. Returns a close-on-exec descriptor, the caller's,
/// or -1 with errno.
[[nodiscard]] int open_in_root(int root, const char* path, int flags);

}  // namespace virtuald
