// What a super server leaves to its children, put right.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Makes sure that descriptors 0 to 2 are open, so that nothing opened later is taken for the
/// connection, and closes all others: a directory among them would be a way out of any chroot. A 0
/// that was closed is still of no use afterwards (getsockname(2) says EBADF); 1 and 2 become
/// /dev/null.
[[nodiscard]] bool secure_descriptors(Error& error);

/// Gives up the terminal that the super server was started from, if any: it is what a dev/tty in
/// the root would be. For a process that leads no session.
[[nodiscard]] bool leave_terminal(Error& error);

/// SIGPIPE and SIGCHLD at their defaults and no signal blocked, which execve(2) would pass on
/// otherwise.
void reset_signals();

/// What else execve(2) would pass on if somebody restarts a super server by hand: other signals
/// that are often ignored are at their defaults afterwards (a program that traps SIGTERM only if it
/// is not ignored could not be ended), and the umask is 022.
void leave_administrators_shell();

}  // namespace virtuald
