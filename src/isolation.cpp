#include "virtuald/isolation.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "virtuald/call_filter.h"
#include "virtuald/root.h"

namespace virtuald {
namespace {

// From <linux/mount.h>, <linux/landlock.h> and <linux/capability.h>, which not every libc provides.
constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kAtRecursive = 0x8000;
constexpr unsigned kMoveMountEmptyPath = 4;
constexpr long kListmount = 458;

struct LandlockRuleset {
  std::uint64_t file_rights;
  std::uint64_t network_rights;
  std::uint64_t scopes;
};
struct [[gnu::packed]] LandlockPathRule {
  std::uint64_t rights;
  std::int32_t directory;
};
constexpr unsigned kLandlockAskVersion = 1;
constexpr int kLandlockPathRuleType = 1;
constexpr std::uint64_t kLandlockRefer = std::uint64_t{1} << 13;
constexpr std::uint64_t kLandlockScopes = 3;  // abstract sockets and signals

struct CapabilityHeader {
  std::uint32_t version;
  int pid;
};
struct CapabilityWord {
  std::uint32_t effective;
  std::uint32_t permitted;
  std::uint32_t inheritable;
};
constexpr std::uint32_t kCapabilityVersion3 = 0x20080522;
constexpr int kLastCommonCapability = 40;  // in all kernels since 5.9
constexpr int kKill = 5;

/// The capabilities that daemons running as root need in their own root: chown, dac_override,
/// fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot and audit_write
/// (capabilities(7)).
constexpr int kKeptCapabilities[] = {0, 1, 3, 4, kKill, 6, 7, 8, 10, 18, 29};

/// File systems that control the kernel. Writing to them needs no capability: uid 0 owns their
/// files.
constexpr std::string_view kKernelFileSystems[] = {
    "binfmt_misc", "bpf",       "cgroup",  "cgroup2", "configfs", "debugfs",
    "efivarfs",    "fusectl",   "nfsd",    "proc",    "pstore",   "resctrl",
    "securityfs",  "selinuxfs", "smackfs", "sysfs",   "tracefs"};

constexpr std::size_t kHostNameMax = 64;  // of the kernel

char mount_point[PATH_MAX];  // Static because of its size.

/// Sets the error to the failure of `call`, with errno. Returns false.
bool fail(std::string_view name, std::initializer_list<std::string_view> call, Error& error) {
  const int code = errno;
  error.set({"isolate ", name, ": "});
  for (const std::string_view part : call) {
    error.append(part);
  }
  error.append(": ");
  error.append(std::strerror(code));
  if (code == EPERM) {
    error.append(
        " (-i needs CAP_SYS_ADMIN and CAP_SETPCAP, which a container or a unit may withhold)");
  } else if (code == ENOSPC) {
    error.append(" (user.max_mnt_namespaces and its like are limits, see namespaces(7))");
  }
  return false;
}

/// Whether `text`, from the domain or from the directory's name, is acceptable as a host name.
bool is_host_name(std::string_view text) {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return !text.empty() && text.size() <= kHostNameMax && text.front() != '-' &&
         text.find_first_not_of(kCharacters) == std::string_view::npos;
}

/// Returns the first word of etc/hostname, in `buffer`, or an empty view if it cannot be read.
std::string_view read_host_name(int tree, char* buffer, std::size_t size) {
  // A link into a proc mounted in the root would lead outside (proc_pid_root(5)).
  const int descriptor = open_in_root(tree, "/etc/hostname", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  const bool is_file =
      descriptor >= 0 && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t count = is_file ? ::read(descriptor, buffer, size) : 0;
  constexpr std::string_view kSpace = " \t\r\n";
  std::string_view text(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return {text.data(), std::min(text.find_first_of(kSpace), text.size())};
}

std::string_view last_component(std::string_view path) {
  path.remove_suffix(path.size() - (path.find_last_not_of('/') + 1));
  path.remove_prefix(path.find_last_of('/') + 1);
  return path;
}

/// Removes `count` fields, separated by single spaces, from `line`, then removes and returns the
/// next.
std::string_view take_field(std::string_view& line, int count) {
  std::string_view field;
  for (; count >= 0; --count) {
    const std::size_t end = std::min(line.find(' '), line.size());
    field = std::string_view(line.data(), end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return field;
}

/// Decodes `text`, in which white space is \ooo (proc_pid_mountinfo(5)), into mount_point.
void decode_mount_point(std::string_view text) {
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size() && size + 1 < sizeof mount_point; ++at) {
    char character = text[at];
    if (character == '\\' && text.size() - at > 3) {
      character = static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                    (text[at + 3] - '0'));
      at += 3;
    }
    mount_point[size++] = character;
  }
  mount_point[size] = '\0';
}

/// Whether a line of mountinfo describes, or might describe, a writable kernel file system. If so,
/// sets mount_point.
bool is_way_to_kernel(std::string_view line) {
  std::string_view rest = line;
  rest.remove_prefix(std::min(line.find(" - "), line.size()));
  // A domain can move a mount so deep that the line is cut before the end of its type. Then
  // mount(2) refuses so long a path, and isolation fails.
  const bool is_cut = line.size() >= LineReader::kPieceSize;
  const std::string_view type = take_field(rest, 2);
  const std::string_view place = take_field(line, 4);
  const std::string_view flags = take_field(line, 0);
  const bool is_kernels = std::find(std::begin(kKernelFileSystems), std::end(kKernelFileSystems),
                                    type) != std::end(kKernelFileSystems);
  if (!is_cut && (!is_kernels || flags == "ro" || flags.starts_with("ro,"))) {
    return false;
  }
  decode_mount_point(place);
  return true;
}

/// Whether anything is mounted below the mount `tree`. True if the kernel cannot tell (before Linux
/// 6.8). This function saves reading mountinfo, which takes longer.
bool has_mounts_below(int tree) {
  constexpr std::uint32_t kUniqueMountId = 0x4000;  // for statx(2)
  constexpr std::size_t kMountIdWord = 18;
  std::uint64_t status[32] = {};
  if (::syscall(SYS_statx, tree, "", AT_EMPTY_PATH, kUniqueMountId, status) != 0) {
    return true;
  }
  const struct {
    std::uint32_t size;
    std::uint32_t spare;
    std::uint64_t mount;
    std::uint64_t parameter;
  } request = {sizeof request, 0, status[kMountIdWord], 0};
  std::uint64_t first = 0;
  return ::syscall(kListmount, &request, &first, 1, 0) != 0;
}

/// Makes the kernel file systems below the root read-only. Repeats until none is left, because a
/// domain may move directories that contain mounts while they are looked up by name. `self` is the
/// host's /proc/self, or -1 if nothing is mounted below the root.
bool close_ways_to_kernel(int self, const char* name, LineReader& reader, Error& error) {
  constexpr int kRounds = 8;
  if (self < 0) {
    return true;
  }
  const int mounts = ::openat(self, "mountinfo", O_RDONLY | O_CLOEXEC);
  if (mounts < 0) {
    return fail(name, {"open mountinfo"}, error);
  }
  for (int round = 0; round < kRounds; ++round) {
    int found = 0;
    if (::lseek(mounts, 0, SEEK_SET) != 0) {
      return fail(name, {"lseek mountinfo"}, error);
    }
    reader.start(mounts);
    std::string_view lines;
    LineReader::Result result = LineReader::Result::end;
    while ((result = reader.next(lines)) == LineReader::Result::lines) {
      for (; !lines.empty(); lines.remove_prefix(lines.find('\n') + 1)) {
        if (!is_way_to_kernel({lines.data(), lines.find('\n')})) {
          continue;
        }
        constexpr unsigned long kFlags =
            MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
        if (::mount(nullptr, mount_point, nullptr, kFlags, nullptr) != 0) {
          return fail(name, {"mount read-only ", mount_point}, error);
        }
        ++found;
      }
    }
    if (result == LineReader::Result::failed) {
      return fail(name, {"read mountinfo"}, error);
    }
    if (found == 0) {
      return true;
    }
  }
  errno = EBUSY;
  return fail(name, {"mount read-only ", mount_point}, error);
}

/// Makes the directory the root of a mount namespace that contains only it and what is mounted
/// below it. Sets `tree` to a descriptor of it, and `self` to one of the host's /proc/self, or
/// leaves `self` alone if nothing is mounted below.
bool leave_host_behind(int descriptor, const char* name, int& tree, int& self, Error& error) {
  // If the super server is in a chroot, "/" is not the namespace's root, and the host's mounts
  // above it would remain. setns makes the namespace's root ours, and changes no namespace.
  const long process = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (process < 0) {
    return fail(name, {"pidfd_open"}, error);
  }
  if (::setns(static_cast<int>(process), CLONE_NEWNS) != 0) {
    return fail(name, {"setns"}, error);
  }
  // Before unshare: the working directory moves to the new namespace, but descriptors do not.
  if (::fchdir(descriptor) != 0) {
    return fail(name, {"fchdir"}, error);
  }
  if (::unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) != 0) {
    return fail(name, {"unshare"}, error);
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail(name, {"mount private"}, error);
  }
  tree = static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, ".", kOpenTreeClone | O_CLOEXEC | kAtRecursive));
  if (tree < 0) {
    return fail(name, {"open_tree"}, error);
  }
  if (::syscall(SYS_move_mount, tree, "", AT_FDCWD, ".", kMoveMountEmptyPath) != 0) {
    return fail(name, {"move_mount"}, error);
  }
  if (::fchdir(tree) != 0) {
    return fail(name, {"fchdir"}, error);
  }
  if (has_mounts_below(tree) &&
      (self = ::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
    return fail(name, {"open /proc/self"}, error);
  }
  // Afterwards the old root is mounted on top of the new one, and "." is still the new one
  // (pivot_root(2)).
  if (::syscall(SYS_pivot_root, ".", ".") != 0) {
    fail(name, {"pivot_root"}, error);
    error.append(" (-i does not work in an initramfs)");
    return false;
  }
  return ::umount2(".", MNT_DETACH) == 0 || fail(name, {"umount2"}, error);
}

bool name_host(int tree, const char* name, Error& error) {
  char buffer[256];
  std::string_view host = read_host_name(tree, buffer, sizeof buffer);
  if (!is_host_name(host)) {
    host = last_component(name);
  }
  if (!is_host_name(host)) {
    host = "localhost";
  }
  constexpr std::string_view kNoDomain = "(none)";  // the kernel's default
  if (::sethostname(host.data(), host.size()) != 0) {
    return fail(name, {"sethostname"}, error);
  }
  return ::setdomainname(kNoDomain.data(), kNoDomain.size()) == 0 ||
         fail(name, {"setdomainname"}, error);
}

bool mount_terminals(const char* name, Error& error) {
  // gid 5 is tty on every Linux, and mesg(1) expects mode 0620.
  return ::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=0620,gid=5") == 0 ||
         errno == ENOENT || errno == ENOTDIR || fail(name, {"mount devpts"}, error);
}

/// Confines the process as far as Landlock's `version` can.
bool confine(int version, int tree, const char* name, Error& error) {
  if (version < kLandlockConfinesTracing) {
    return true;
  }
  const bool has_scopes = version >= kLandlockConfinesSignals;
  // Older kernels require a file right in every rule set. This one is granted again at once; it is
  // the only right that a rule set takes away even without naming it.
  const LandlockRuleset ruleset = {has_scopes ? 0 : kLandlockRefer, 0,
                                   has_scopes ? kLandlockScopes : 0};
  const std::size_t size = has_scopes ? sizeof ruleset : sizeof ruleset.file_rights;
  const int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, size, 0));
  if (rules < 0) {
    return fail(name, {"landlock_create_ruleset"}, error);
  }
  const LandlockPathRule rule = {kLandlockRefer, tree};
  if (!has_scopes &&
      ::syscall(SYS_landlock_add_rule, rules, kLandlockPathRuleType, &rule, 0) != 0) {
    return fail(name, {"landlock_add_rule"}, error);
  }
  return ::syscall(SYS_landlock_restrict_self, rules, 0) == 0 ||
         fail(name, {"landlock_restrict_self"}, error);
}

/// Keeps the permitted capabilities until execve(2), which applies the bounding set: until then,
/// the domain's processes have fewer, and so cannot trace this one and reach its descriptors.
bool drop_capabilities(bool keeps_kill, const char* name, Error& error) {
  for (int capability = 0;; ++capability) {
    const bool is_kept = (capability != kKill || keeps_kill) &&
                         std::find(std::begin(kKeptCapabilities), std::end(kKeptCapabilities),
                                   capability) != std::end(kKeptCapabilities);
    if (is_kept || ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) {
      continue;
    }
    if (errno == EINVAL && capability > kLastCommonCapability) {
      break;
    }
    return fail(name, {"prctl PR_CAPBSET_DROP"}, error);
  }
  CapabilityHeader header = {kCapabilityVersion3, 0};
  CapabilityWord words[2] = {};
  if (::syscall(SYS_capget, &header, words) != 0) {
    return fail(name, {"capget"}, error);
  }
  // This clears the ambient ones too.
  words[0].inheritable = 0;
  words[1].inheritable = 0;
  return ::syscall(SYS_capset, &header, words) == 0 || fail(name, {"capset"}, error);
}

}  // namespace

int find_landlock_version() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, kLandlockAskVersion);
  const bool is_missing = version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP);
  return is_missing ? 0 : static_cast<int>(version);
}

bool isolate(int descriptor, const char* name, Privileges privileges, LineReader& reader,
             Error& error) {
  const int version = find_landlock_version();
  if (version < 0) {
    return fail(name, {"landlock_create_ruleset"}, error);
  }
  int tree = -1;
  int self = -1;
  // If signals cannot be confined, root at least loses the right to signal other users' processes.
  return leave_host_behind(descriptor, name, tree, self, error) &&
         close_ways_to_kernel(self, name, reader, error) && name_host(tree, name, error) &&
         mount_terminals(name, error) && confine(version, tree, name, error) &&
         drop_capabilities(version >= kLandlockConfinesSignals, name, error) &&
         (filter_calls() || fail(name, {"seccomp"}, error)) &&
         (privileges == Privileges::of_files || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
          fail(name, {"prctl PR_SET_NO_NEW_PRIVS"}, error));
}

}  // namespace virtuald
