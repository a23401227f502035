// The environment of a login in a root.
#pragma once

#include "virtuald/identity.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// Replaces the environment of this process, whose root is the domain's by now, with that of a
/// login there: TERM as it was, HOME, SHELL, USER and LOGNAME from /etc/passwd, PATH from ENV_PATH,
/// or for root ENV_SUPATH, of /etc/login.defs. `user` is the user of -u; nullptr means user 0.
///
/// Both files are the domain's, so whatever is missing, malformed, too long, not a regular file or
/// beyond the first 4 MiB leaves a default in force and never fails. Returns the value of PATH,
/// kept for good.
[[nodiscard]] const char* make_environment(const UserSpec* user, LineReader& reader);

}  // namespace virtuald
