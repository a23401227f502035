#include "virtuald/check/loader.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "virtuald/clock.h"
#include "virtuald/inherited.h"
#include "virtuald/number_text.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

constexpr int kPatienceMilliseconds = 5'000;

/// The child's statuses where somebody else could have made the loader, and where nobody may read
/// the program. No loader has them.
constexpr int kDistrusted = 125;
constexpr int kUnreadable = 124;
constexpr int kFailed = 127;

/// Whether the loader, in what is now the root, is root's own with all that leads to it: it is code
/// that will be run.
bool is_trusted(const char* loader) {
  static Message reason;  // Static, by its size.
  return open_trusted(loader, Subject::config, reason).outcome == Opened::Outcome::trusted;
}

/// Gives up root and the terminal. The loader may run code of the program's libraries (la_version
/// of rtld-audit(7)), and whose these are was not checked.
bool become_nobody() {
  constexpr id_t kNobody = 65534;
  if (::setsid() < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  if (::setresgid(kNobody, kNobody, kNobody) != 0) {
    return errno == EINVAL;  // a user namespace without that user, whose root is none to give up
  }
  return ::setgroups(0, nullptr) == 0 && ::setresuid(kNobody, kNobody, kNobody) == 0;
}

/// The child's part.
[[noreturn]] void run_loader(int root, const char* loader, const char* program, int output) {
  Error error;
  const int null = ::open("/dev/null", O_RDONLY);
  const bool redirected = null >= 0 && ::dup2(null, STDIN_FILENO) >= 0 &&
                          ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0;
  if (redirected && enter_root(root, "the root", error) && secure_descriptors(error)) {
    if (!is_trusted(loader)) {
      ::_exit(kDistrusted);
    }
    if (!become_nobody()) {
      ::_exit(kFailed);
    }
    if (::faccessat(AT_FDCWD, program, R_OK, AT_EACCESS) != 0) {
      ::_exit(kUnreadable);
    }
    reset_signals();
    char* const arguments[] = {const_cast<char*>(loader), const_cast<char*>("--list"),
                               const_cast<char*>(program), nullptr};
    char* const environment[] = {nullptr};
    ::execve(loader, arguments, environment);
  }
  ::_exit(kFailed);
}

/// Reads until the child has closed its end. False if it has not by `deadline`.
bool collect(int input, std::int64_t deadline, LoaderAnswer& answer) {
  for (;;) {
    const std::int64_t left = deadline - milliseconds_now();
    pollfd waiting = {input, POLLIN, 0};
    if (left <= 0 || (::poll(&waiting, 1, static_cast<int>(left)) < 0 && errno != EINTR)) {
      return false;
    }
    if (waiting.revents == 0) {
      continue;
    }
    char overflow[512];
    const std::size_t space = sizeof answer.text - answer.size;
    const ssize_t count = space > 0 ? ::read(input, answer.text + answer.size, space)
                                    : ::read(input, overflow, sizeof overflow);
    if (count <= 0) {
      return count == 0;
    }
    answer.size += std::min(space, static_cast<std::size_t>(count));
  }
}

/// Waits for the child until `deadline`, and then ends it with all that it has started. False if
/// that was needed.
bool reap(pid_t child, std::int64_t deadline, int& status) {
  pid_t reaped = 0;
  while ((reaped = ::waitpid(child, &status, WNOHANG)) == 0 && milliseconds_now() < deadline) {
    ::poll(nullptr, 0, 1);
  }
  ::kill(-child, SIGKILL);
  if (reaped != 0) {
    return true;
  }
  ::kill(child, SIGKILL);  // it may not have had the time for a session of its own
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return false;
}

}  // namespace

LoaderOutcome ask_loader(int root, const char* loader, const char* program, LoaderAnswer& answer,
                         Error& error) {
  const auto conclude = [&error](LoaderOutcome outcome,
                                 std::initializer_list<std::string_view> reason) {
    error.set(reason);
    return outcome;
  };
  answer.size = 0;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return conclude(LoaderOutcome::failed, {"pipe for ", loader, ": ", std::strerror(errno)});
  }
  const pid_t child = ::fork();
  if (child == 0) {
    run_loader(root, loader, program, ends[1]);
  }
  const int code = errno;
  ::close(ends[1]);
  const std::int64_t deadline = milliseconds_now() + kPatienceMilliseconds;
  bool in_time = child > 0 && collect(ends[0], deadline, answer);
  ::close(ends[0]);
  if (child < 0) {
    return conclude(LoaderOutcome::failed, {"fork for ", loader, ": ", std::strerror(code)});
  }
  int status = 0;
  in_time = reap(child, in_time ? deadline : 0, status) && in_time;
  if (!in_time) {
    return conclude(LoaderOutcome::failed,
                    {loader, " --list ", program, ": no answer in five seconds"});
  }
  const bool exited = WIFEXITED(status);
  const Decimal number(exited ? WEXITSTATUS(status) : WTERMSIG(status));
  if (exited && WEXITSTATUS(status) == kDistrusted) {
    return conclude(LoaderOutcome::untested, {"somebody else could change ", loader});
  }
  if (exited && WEXITSTATUS(status) == kUnreadable) {
    return conclude(LoaderOutcome::untested,
                    {"its loader is asked as nobody, who may not read it"});
  }
  std::string_view rest(answer.text, answer.size);
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
