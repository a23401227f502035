#include "virtuald/check/loader.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>

#include "virtuald/inherited.h"
#include "virtuald/number_text.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

constexpr int kPatienceSeconds = 5;

// The child's exit statuses if no loader runs. Loaders do not use the first two.
constexpr int kDistrusted = 125;  // someone other than root could change the loader
constexpr int kUnreadable = 124;  // an ordinary user cannot read the program
constexpr int kFailed = 127;

/// Whether only root can change the loader, which is about to run, and the path to it. The process
/// is in the root already.
bool is_trusted(const char* loader) {
  static Message reason;  // Static because of its size.
  return open_trusted(loader, Subject::config, reason).outcome == Opened::Outcome::trusted;
}

/// Gives up root privileges and the terminal. The loader may run code from the program's libraries
/// (la_version in rtld-audit(7)), whose owners have not been checked. No system assigns this user
/// ID, which was -1 when user IDs had 16 bits, so it owns no process that the code could trace.
bool become_nobody() {
  constexpr id_t kNobody = 65535;
  if (::setsid() < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  if (::setresgid(kNobody, kNobody, kNobody) != 0) {
    return errno == EINVAL;  // not mapped in this user namespace, whose root has no power outside
  }
  return ::setgroups(0, nullptr) == 0 && ::setresuid(kNobody, kNobody, kNobody) == 0;
}

/// In the child: executes the loader.
[[noreturn]] void run_loader(int root, const char* loader, const char* program, bool has_origin,
                             const Bounds& bounds) {
  Error error;
  if (bounds.apply(error) && ::dup2(STDOUT_FILENO, STDERR_FILENO) >= 0 &&
      enter_root(root, "the root", error) && secure_descriptors(error)) {
    if (!is_trusted(loader)) {
      ::_exit(kDistrusted);
    }
    // In this order, because a change of user clears the signal (prctl(2)).
    if (!become_nobody() || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
      ::_exit(kFailed);
    }
    if (::faccessat(AT_FDCWD, program, R_OK, AT_EACCESS) != 0) {
      ::_exit(kUnreadable);
    }
    reset_signals();
    const char* arguments[] = {loader, "--inhibit-rpath", "", "--list", program, nullptr};
    const char** first = arguments;
    if (!has_origin || std::strstr(loader, "/ld-musl-") != nullptr) {
      first += 2;
      first[0] = loader;
    }
    char* const environment[] = {nullptr};
    ::execve(loader, const_cast<char* const*>(first), environment);
  }
  ::_exit(kFailed);
}

/// Waits until the child has ended, and collects what it and its children write. Returns false if
/// it did not end in time.
bool wait_for_end(int child, Bounds& bounds) {
  for (;;) {
    pollfd ends[3] = {{child, POLLIN, 0}};
    bounds.watch(ends[1], ends[2]);
    const int left = bounds.milliseconds_left();
    if (left == 0 || (::poll(ends, 3, left) < 0 && errno != EINTR)) {
      return false;
    }
    bounds.collect(ends[1], ends[2]);
    if (ends[0].revents != 0) {
      return true;
    }
  }
}

}  // namespace

LoaderOutcome ask_loader(int root, const char* loader, const char* program, bool has_origin,
                         Bounds& bounds, Error& error) {
  const auto conclude = [&error](LoaderOutcome outcome,
                                 std::initializer_list<std::string_view> reason) {
    error.set(reason);
    return outcome;
  };
  const bool has_bounds = bounds.begin(kPatienceSeconds, -1, error);
  const pid_t child = has_bounds ? ::fork() : -1;
  if (child == 0) {
    run_loader(root, loader, program, has_origin, bounds);
  }
  const int code = errno;
  bounds.start();
  bool in_time = false;
  int status = 0;
  if (child > 0) {
    const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    in_time = wait_for_end(descriptor, bounds);
    ::close(descriptor);
    // It has not been reaped, so its pid cannot be another process's. Its namespace ends with it.
    ::kill(child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  bounds.finish();
  if (child < 0) {
    return conclude(LoaderOutcome::untested,
                    {loader, " cannot be run within bounds: ", std::strerror(code)});
  }
  if (!in_time) {
    return conclude(LoaderOutcome::failed,
                    {loader, " --list ", program, ": no answer in five seconds"});
  }
  const bool exited = WIFEXITED(status);
  const Decimal number(exited ? WEXITSTATUS(status) : WTERMSIG(status));
  if (exited && WEXITSTATUS(status) == kDistrusted) {
    return conclude(LoaderOutcome::untested,
                    {loader, " could be changed by someone other than root"});
  }
  if (exited && WEXITSTATUS(status) == kUnreadable) {
    return conclude(LoaderOutcome::untested,
                    {"the loader runs as user 65535, who cannot read the program"});
  }
  std::string_view rest = bounds.output();
  if (exited && (WEXITSTATUS(status) == 0 || !next_missing_library(rest).empty())) {
    return LoaderOutcome::answered;
  }
  return conclude(LoaderOutcome::failed, {loader, " --list ", program,
                                          exited ? ": exit status " : ": signal ", number.text()});
}

std::string_view next_missing_library(std::string_view& answer) {
  while (!answer.empty()) {
    const std::size_t line_end = answer.find('\n');
    std::string_view line = answer.substr(0, line_end);
    answer.remove_prefix(line_end == std::string_view::npos ? answer.size() : line_end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    for (const std::string_view mark : {"not found", "rror loading", "rror while loading"}) {
      if (line.find(mark) != std::string_view::npos) {
        return line;
      }
    }
  }
  return {};
}

}  // namespace virtuald
