// System calls that reach outside a root despite namespaces and missing capabilities.
#pragma once

namespace virtuald {

/// Denies this process, and all that it executes or starts (seccomp(2)):
/// - changing the limits, priorities, schedulers and processors of processes other than the
///   caller, because the kernel asks only for the same user ID (EPERM);
/// - making user namespaces, whose root may mount kernel file systems shared with the host, such as
///   cgroup2 (EPERM);
/// - clone3(2), whose flags a filter cannot see (ENOSYS; every libc then uses clone(2));
/// - the kernel's keyrings, which belong to user IDs and to the session that the super server was
///   started from (ENOSYS, as on a kernel without them).
/// Needs CAP_SYS_ADMIN. Returns false, with errno set, on failure.
[[nodiscard]] bool filter_calls();

}  // namespace virtuald
