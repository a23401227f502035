#include "virtuald/enter/log_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

// From <linux/mount.h>, which not every libc provides.
constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kFromEmptyPath = 0x04;
constexpr unsigned kToEmptyPath = 0x40;
constexpr unsigned kReadOnly = 1;

struct MountAttributes {
  std::uint64_t set;
  std::uint64_t clear;
  std::uint64_t propagation;
  std::uint64_t user_namespace;
};

}  // namespace

bool mount_log(const char* socket, Error& error) {
  const long tree = ::syscall(SYS_open_tree, AT_FDCWD, socket, kOpenTreeClone | O_CLOEXEC);
  if (tree < 0) {
    return error.fail_errno("open_tree", socket, errno);
  }
  // O_EXCL follows no link and opens no existing file, so the mount is on this file or nowhere.
  const int file = ::open("log", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return error.fail_errno("create", "log", errno);
  }
  // All domains share the socket: if it were writable, root in one could change its mode for the
  // others. Sending messages works on a read-only mount.
  const MountAttributes read_only{kReadOnly, 0, 0, 0};
  const bool is_mounted =
      ::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &read_only, sizeof read_only) == 0 &&
      ::syscall(SYS_move_mount, tree, "", file, "", kFromEmptyPath | kToEmptyPath) == 0;
  return is_mounted || error.fail_errno("mount", socket, errno);
}

Unmounted unmount_log(const char* directory, Error& error) {
  struct stat there {};
  struct stat found {};
  const int file = ::open("log", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 || ::fstat(file, &found) != 0 || ::stat(directory, &there) != 0 ||
      !S_ISSOCK(found.st_mode) || found.st_dev != there.st_dev) {
    return Unmounted::nothing_there;
  }
  char path[32] = "/proc/self/fd/";
  const Decimal number(file);
  const std::string_view digits = number.text();
  std::memcpy(path + std::strlen(path), digits.data(), digits.size());
  // By the descriptor, so that it is the mount that was checked.
  if (::umount2(path, MNT_DETACH) != 0) {
    error.fail_errno("umount2", "log", errno);
    return Unmounted::failed;
  }
  return Unmounted::yes;
}

}  // namespace virtuald
