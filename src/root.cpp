#include "virtuald/root.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace virtuald {
namespace {

// From <linux/openat2.h>, which not every libc provides.
struct OpenHow {
  std::uint64_t flags;
  std::uint64_t mode;
  std::uint64_t resolve;
};
constexpr std::uint64_t kResolveInRoot = 0x10;

}  // namespace

bool enter_root(int descriptor, const char* name, Error& error) {
  if (::fchdir(descriptor) != 0) {
    return error.fail_errno("chdir", name, errno);
  }
  if (::chroot(".") != 0) {
    const bool not_permitted = errno == EPERM;
    error.fail_errno("chroot", name, errno);
    if (not_permitted) {
      error.append(" (virtuald must be started as root)");
    }
    return false;
  }
  return true;
}

int open_in_root(int root, const char* path, int flags) {
  if (root == AT_FDCWD) {
    return ::open(path, flags | O_CLOEXEC);
  }
  const OpenHow how = {static_cast<std::uint64_t>(flags | O_CLOEXEC), 0, kResolveInRoot};
  // A rename or mount anywhere while ".." is looked up causes EAGAIN (openat2(2)). Hostile
  // processes could keep causing it.
  long descriptor = -1;
  for (int tries = 0; tries < 128; ++tries) {
    descriptor = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    if (descriptor >= 0 || errno != EAGAIN) {
      break;
    }
  }
  return static_cast<int>(descriptor);
}

}  // namespace virtuald
