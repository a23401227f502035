// Cleans up what a process inherits from the super server.
#pragma once

#include "virtuald/error.h"

namespace virtuald {

/// Makes sure that descriptors 0 to 2 are open, so that nothing opened later is mistaken for the
/// connection, and closes all others: an open directory would be a way out of any chroot. If 0 or 1
/// was closed, it stays unusable (EBADF), so that output is not lost without an error; if 2 was
/// closed, it becomes /dev/null.
[[nodiscard]] bool secure_descriptors(Error& error);

/// Detaches this process from the terminal that the super server was started from, if any: a
/// dev/tty in the root would be that terminal. The process must not be a session leader.
[[nodiscard]] bool leave_terminal(Error& error);

/// Sets SIGPIPE and SIGCHLD to their defaults and unblocks all signals, because execve(2) would
/// pass on both.
void reset_signals();

/// Undoes what else execve(2) would pass on after an administrator restarted the super server by
/// hand: sets the other signals that are often ignored to their defaults (otherwise SIGTERM could
/// not end a program that leaves ignored signals alone), and the umask to 022.
void leave_administrators_shell();

}  // namespace virtuald
