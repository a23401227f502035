#include "virtuald/inherited.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

namespace virtuald {
namespace {

/// The other signals that are often ignored: by nohup(1), by shells, which ignore SIGINT and
/// SIGQUIT for background commands, and by the run times of languages.
constexpr int kOftenIgnored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
                                 SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};

}  // namespace

bool secure_descriptors(Error& error) {
  constexpr int kFirstOther = STDERR_FILENO + 1;
  for (int descriptor = STDIN_FILENO; descriptor < kFirstOther; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) {
      continue;
    }
    const int flags = descriptor == STDERR_FILENO ? O_RDWR : O_PATH;
    if (::open("/dev/null", flags) != descriptor) {
      return error.fail_errno("open", "/dev/null", errno);
    }
  }
  if (::syscall(SYS_close_range, kFirstOther, UINT_MAX, 0) != 0) {
    return error.fail(
        {"close_range: ", std::strerror(errno), " (virtuald needs Linux 5.9 or later)"});
  }
  return true;
}

bool leave_terminal(Error& error) {
  constexpr const char* kTerminal = "/dev/tty";
  const int terminal = ::openat(AT_FDCWD, kTerminal, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) {
    return errno == ENXIO || errno == ENOENT || error.fail_errno("open", kTerminal, errno);
  }
  // A new session would have the same effect, at ten times the cost.
  return ::ioctl(terminal, TIOCNOTTY) == 0 || error.fail_errno("ioctl TIOCNOTTY", kTerminal, errno);
}

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // It fails only for invalid numbers.
  static_cast<void>(::signal(SIGPIPE, SIG_DFL));
  static_cast<void>(::signal(SIGCHLD, SIG_DFL));
}

void leave_administrators_shell() {
  for (const int number : kOftenIgnored) {
    static_cast<void>(::signal(number, SIG_DFL));
  }
  constexpr mode_t kUsual = 022;
  ::umask(kUsual);
}

}  // namespace virtuald
