// A session for the program, and the process outside that supervises it.
#pragma once

#include <sys/types.h>

#include "virtuald/bounds.h"
#include "virtuald/enter/terminal.h"
#include "virtuald/error.h"

namespace virtuald {

/// Which process begin_session() returned in.
enum class Side {
  outside,  // the caller's own process, which must call supervise()
  inside,   // the process that must execute the program
  failed    // any process, after an error
};

/// Three processes: the one outside, the leader of a new session, and the program, in a process
/// group of its own. The leader makes it possible to stop and continue the program: the kernel does
/// not stop an orphaned process group, such as a session leader's. The leader reports the program's
/// state to the process outside through a pipe, and stays until that process has shown the
/// program's output, because a session loses its terminal when its leader ends. Static because of
/// its size (error.h).
struct Session {
  Terminal terminal;
  Bounds bounds;
  pid_t leader = 0;
  int reports = 0;
  int signals = 0;
};

/// Starts the session. If `seconds` is not 0, the program is bounded and gets no terminal
/// (bounds.h); otherwise it gets a terminal of its own if any of descriptors 0 to 2 is one
/// (terminal.h).
///
/// Inside, no signal is blocked or ignored, the umask is 022, and descriptors 0 to 2 are the
/// program's; execve(2) closes all others.
[[nodiscard]] Side begin_session(int seconds, Session& session, Error& error);

/// Outside: until the program ends, copies data between the terminals, passes on the signals that
/// this process receives (except those that it was started to ignore), and stops and continues with
/// the program. Sets `status` as wait(2) does. Returns false if the time was up first. With bounds,
/// no process of the program is left afterwards.
[[nodiscard]] bool supervise(Session& session, int& status);

/// After that, with bounds: passes on the program's output. Returns false, after a message on
/// standard error, if standard output fails.
[[nodiscard]] bool show_output(const Session& session);

/// For a program that keeps running (-b), instead of begin_session(): moves this process into a
/// session of its own, with no signal blocked or ignored and umask 022. The leader of a process
/// group, such as a command of a shell with job control, cannot do that: it forks a child that
/// does, waits for the child, and ends as the child does.
[[nodiscard]] bool begin_to_stay(Error& error);

/// In the root, called `name` in messages: replaces descriptors 0 to 2 with the root's own null
/// device, because the host's would give user 0 of the root a file of the host. Fails if dev/null
/// in the root is any other file. Sets `errors` to a copy of standard error, to be restored if no
/// program is started; execve(2) closes it.
[[nodiscard]] bool take_null(const char* name, int& errors, Error& error);

/// Returns the exit status of a process that ended with `status` (wait(2)). If a signal killed it,
/// this process kills itself with the same signal, without a core dump.
[[nodiscard]] int end_like(int status);

}  // namespace virtuald
