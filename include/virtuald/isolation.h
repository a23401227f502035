// A root that holds user 0 too: what -i asks of the kernel.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// What -u adds: no file's mode or capabilities give the service more than it has (no_new_privs,
/// prctl(2)).
enum class Privileges { of_files, none_new };

/// Makes the directory that `descriptor` holds, called `name` in messages, the root and the working
/// directory of this process, as enter_root does, but as the root of mount, UTS, IPC and cgroup
/// namespaces of its own (namespaces(7)): nothing of the host's is mounted there, and what the host
/// mounted below the directory is. There,
/// - kernel file systems that can be written to, such as proc and sysfs, become read-only,
/// - the host name is the first word of etc/hostname, else the directory's own name,
/// - dev/pts, if it is a directory, gets a devpts of its own,
/// - signals, abstract sockets and ptrace(2) reach what the service itself starts, and nothing
///   else, as far as the kernel's Landlock can hold them (find_landlock_version),
/// - capabilities that daemons do not need are gone from the next execve(2) on, and
/// - calls that reach other processes all the same are taken away (call_filter.h).
///
/// Needs CAP_SYS_ADMIN, CAP_SYS_CHROOT and CAP_SETPCAP, and, if something is mounted below the
/// directory, the host's /proc. On failure the process may be half isolated: the caller must end
/// it, and not start anything.
[[nodiscard]] bool isolate(int descriptor, const char* name, Privileges privileges,
                           LineReader& reader, Error& error);

/// From this version of Landlock's interface on, ptrace(2) is confined; and from that one on,
/// signals and abstract sockets as well (Linux 5.19 and 6.12; landlock(7)).
constexpr int kLandlockConfinesTracing = 2;
constexpr int kLandlockConfinesSignals = 6;

/// The version of the kernel's Landlock; 0 if it has none, or has it switched off; -1 with errno.
[[nodiscard]] int find_landlock_version();

}  // namespace virtuald
