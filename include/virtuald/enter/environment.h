// The environment of a login in a root.
#pragma once

#include "virtuald/identity.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// After the root is entered: replaces the environment of this process with that of a login there.
/// TERM is kept; HOME, SHELL, USER and LOGNAME come from /etc/passwd, and PATH from ENV_PATH, or
/// ENV_SUPATH for user 0, in /etc/login.defs. `user` is the user of -u; nullptr means user 0.
///
/// The domain may put anything in both files, so defaults replace whatever is missing, malformed,
/// too long, not in a regular file or beyond the first 4 MiB; none of this is an error. Returns the
/// value of PATH, which stays valid.
[[nodiscard]] const char* make_environment(const UserSpec* user, LineReader& reader);

}  // namespace virtuald
