// A session for the program, and the process outside that represents it there.
#pragma once

#include <sys/types.h>

#include "virtuald/bounds.h"
#include "virtuald/enter/terminal.h"
#include "virtuald/error.h"

namespace virtuald {

/// On which side of begin_session() a process comes out.
enum class Side {
  outside,  // the caller's own process, which is to call supervise()
  inside,   // the process that is to become the program
  failed    // either of them, or the leader of the session
};

/// Three processes: the one outside, the leader of a new session, and in a process group of its own
/// the one that becomes the program. The leader is there so that the program can be stopped and
/// continued: the kernel does not stop the orphaned group that a leader is in. It tells the process
/// outside by a pipe how the program is, and stays until that has shown the program's output, since
/// the terminal of a session goes with its leader. Static, by its size (error.h).
struct Session {
  Terminal terminal;
  Bounds bounds;
  pid_t leader = 0;
  int reports = 0;
  int signals = 0;
};

/// Starts it. With `seconds` other than 0 the program is bounded and gets no terminal (bounds.h);
/// else it gets a terminal of its own if a descriptor of 0 to 2 is one (terminal.h).
///
/// Inside, no signal is blocked or ignored, the umask is 022, and descriptors 0 to 2 are the
/// program's. No other descriptor is left open by execve(2).
[[nodiscard]] Side begin_session(int seconds, Session& session, Error& error);

/// Outside: passes on what goes between the terminals, and to the program the signals that this
/// process is sent (but for those that it was started to ignore), and stops and continues with it,
/// until the program has ended, and `status` is how (wait(2)). False if its time was up before.
/// With bounds, no process of it is left then.
[[nodiscard]] bool supervise(Session& session, int& status);

/// The other way, for a program that stays: this process gets a session of its own, where no signal
/// is blocked or ignored and the umask is 022. The leader of a process group, as a shell with job
/// control starts one, cannot have that: its child gets it, and this process waits for the child
/// and ends as that does.
[[nodiscard]] bool begin_to_stay(Error& error);

/// In the root, called `name` in messages: puts its own null device in the place of descriptors 0
/// to 2. The host's would be a file of the host's in the hands of the root's user 0. Fails if
/// dev/null is another file there. Returns in `errors` what standard error was, to be put back if
/// no program is started; execve(2) closes it.
[[nodiscard]] bool take_null(const char* name, int& errors, Error& error);

/// Returns the exit status of a process that ended with `status` (wait(2)). Where it died of a
/// signal, so does this process, without a core.
[[nodiscard]] int end_like(int status);

}  // namespace virtuald
