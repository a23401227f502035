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

/// The child's statuses where somebody else could have made the loader, and where nobody may read
/// the program. No loader has them.
constexpr int kDistrusted = 125;
constexpr int kUnreadable = 124;
constexpr int kFailed = 127;

/// Whether the loader, in what is now the root, is root's own with all that leads to it: it is code
/// that will be run.
bool is_trusted(const char* loader) {
  static Message reason;  // Static because of its size.
  return open_trusted(loader, Subject::config, reason).outcome == Opened::Outcome::trusted;
}

/// Gives up root and the terminal. The loader may run code of the program's libraries (la_version
/// of rtld-audit(7)), and whose these are was not checked. The number is kept free on every system
/// (it was -1 when user numbers had 16 bits), so that it has no process to trace either.
bool become_nobody() {
  constexpr id_t kNobody = 65535;
  if (::setsid() < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  if (::setresgid(kNobody, kNobody, kNobody) != 0) {
    return errno == EINVAL;  // a user namespace without that user, whose root is none to give up
  }
  return ::setgroups(0, nullptr) == 0 && ::setresuid(kNobody, kNobody, kNobody) == 0;
}

/// The child's part.
[[noreturn]] void run_loader(int root, const char* loader, const char* program, bool has_origin,
                             const Bounds& bounds) {
  Error error;
  if (bounds.apply(error) && ::dup2(STDOUT_FILENO, STDERR_FILENO) >= 0 &&
      enter_root(root, "the root", error) && secure_descriptors(error)) {
    if (!is_trusted(loader)) {
      ::_exit(kDistrusted);
    }
    // A change of user would undo the second.
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

/// Waits until the child has ended, and collects what it and its children write. False if it has
/// not ended in time.
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
    // It was not waited for, so that the number is nobody else's. The namespace ends with it.
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
                    {"the loader runs as nobody, which cannot read the program"});
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
