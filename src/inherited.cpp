#include "virtuald/inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace virtuald {
namespace {

constexpr int kFirstOther = STDERR_FILENO + 1;

/// Closes what /proc/self/fd lists. False if it cannot be read. opendir(3) would allocate.
bool close_listed_descriptors() {
  const int list = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list < 0) {
    return false;
  }
  alignas(std::uint64_t) char entries[4096];
  constexpr std::size_t kNameOffset = offsetof(struct dirent, d_name);
  long size = 0;
  while ((size = ::syscall(SYS_getdents64, list, entries, sizeof entries)) > 0) {
    unsigned short length = 0;
    for (long at = 0; at < size; at += length) {
      std::memcpy(&length, entries + at + offsetof(struct dirent, d_reclen), sizeof length);
      const char* const name = entries + at + kNameOffset;
      int descriptor = -1;
      std::from_chars(name, name + std::strlen(name), descriptor);
      if (descriptor >= kFirstOther && descriptor != list) {
        ::close(descriptor);
      }
    }
  }
  ::close(list);
  return size == 0;
}

/// For kernels before 5.9 without /proc. The limit that was in force when they were opened may have
/// been higher, hence the kernel's own (fs.nr_open) at the least.
void close_all_possible_descriptors() {
  constexpr int kKernelLimit = 1 << 20;
  for (int descriptor = kFirstOther; descriptor < kKernelLimit; ++descriptor) {
    ::close(descriptor);
  }
}

}  // namespace

bool secure_descriptors(Error& error) {
  for (int descriptor = STDIN_FILENO; descriptor < kFirstOther; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) {
      continue;
    }
    const int flags = descriptor == STDIN_FILENO ? O_PATH : O_RDWR;
    if (::open("/dev/null", flags) != descriptor) {
      error.set_errno("open", "/dev/null", errno);
      return false;
    }
  }
  if (::syscall(SYS_close_range, kFirstOther, UINT_MAX, 0) != 0 && !close_listed_descriptors()) {
    close_all_possible_descriptors();
  }
  return true;
}

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // It fails for wrong numbers only.
  static_cast<void>(::signal(SIGPIPE, SIG_DFL));
  static_cast<void>(::signal(SIGCHLD, SIG_DFL));
}

}  // namespace virtuald
