// Isolation (-i): a root that confines even user 0.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// Whether the mode or capabilities of a file may give the service new privileges; with -u they
/// must not (no_new_privs, prctl(2)).
enum class Privileges { of_files, none_new };

/// Makes the directory `descriptor`, called `name` in messages, the root and the working directory
/// of this process, like enter_root, but in mount, UTS, IPC and cgroup namespaces of its own
/// (namespaces(7)). Only the directory and what the host mounted below it are visible there. In
/// addition,
/// - writable kernel file systems, such as proc and sysfs, become read-only,
/// - the host name is the first word of etc/hostname, or the directory's own name,
/// - dev/pts, if it is a directory, gets a devpts of its own,
/// - signals, abstract sockets and ptrace(2) reach only what the service itself starts, if the
///   kernel's Landlock supports that (find_landlock_version),
/// - the next execve(2) drops the capabilities that daemons do not need, and
/// - system calls that could still reach other processes are denied (call_filter.h).
///
/// Needs CAP_SYS_ADMIN, CAP_SYS_CHROOT and CAP_SETPCAP, and the host's /proc, unless the kernel can
/// tell (since Linux 6.8) that nothing is mounted below the directory. On failure the process may
/// be half isolated: the caller must exit without starting anything.
[[nodiscard]] bool isolate(int descriptor, const char* name, Privileges privileges,
                           LineReader& reader, Error& error);

/// The versions of Landlock's interface that first confine ptrace(2) (Linux 5.19), and signals and
/// abstract sockets (Linux 6.12; landlock(7)).
constexpr int kLandlockConfinesTracing = 2;
constexpr int kLandlockConfinesSignals = 6;

/// The version of the kernel's Landlock; 0 if it is missing or disabled; -1 with errno set.
[[nodiscard]] int find_landlock_version();

}  // namespace virtuald
