// The system calls that reach beyond a root and that no namespace and no capability holds.
#pragma once

namespace virtuald {

/// Takes these from this process, and from all that it becomes and starts (seccomp(2)):
/// - limits, priorities, schedulers and processors of other processes than the caller, because the
///   same user ID is all that the kernel asks for (EPERM);
/// - user namespaces, whose root may mount file systems of the kernel's that are shared with the
///   host, such as cgroup2 (EPERM);
/// - clone3(2), whose flags no filter can see (ENOSYS; every libc then uses clone(2));
/// - the kernel's keyrings, which belong to user IDs and to the session that the super server was
///   started from (ENOSYS, as a kernel without them says).
/// Needs CAP_SYS_ADMIN. False with errno.
[[nodiscard]] bool filter_calls();

}  // namespace virtuald
