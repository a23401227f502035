#include "virtuald/check/loader.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
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

/// What the loader may use of the machine.
void limit_resources() {
  constexpr rlim_t kMebibyte = rlim_t{1} << 20;
  const struct {
    decltype(RLIMIT_CORE) resource;
    rlim_t value;
  } kLimits[] = {{RLIMIT_CORE, 0},
                 {RLIMIT_FSIZE, kMebibyte / 16},
                 {RLIMIT_NPROC, 64},
                 {RLIMIT_CPU, kPatienceMilliseconds / 1000},
                 {RLIMIT_AS, 1024 * kMebibyte}};
  for (const auto& [resource, value] : kLimits) {
    const rlimit both = {value, value};
    ::setrlimit(resource, &both);
  }
}

/// What the children are told.
struct Question {
  int root;
  const char* loader;
  const char* program;
  int output;
  int report;
};

/// The part of the process that becomes the loader.
[[noreturn]] void run_loader(const Question& question) {
  const auto& [root, loader, program, output, report] = question;
  static Error error;  // Static, by its size.
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
    limit_resources();
    char* const arguments[] = {const_cast<char*>(loader), const_cast<char*>("--list"),
                               const_cast<char*>(program), nullptr};
    char* const environment[] = {nullptr};
    ::execve(loader, arguments, environment);
  }
  ::_exit(kFailed);
}

/// The part of the first process of a process namespace, with which everything ends there: also
/// what the loader has started in a session of its own. It tells how the loader ended.
int lead(void* argument) {
  const Question& question = *static_cast<const Question*>(argument);
  const pid_t loader = ::fork();
  if (loader == 0) {
    run_loader(question);
  }
  int status = 0;
  for (pid_t ended = 0; ended != loader && loader > 0;) {
    ended = ::wait(&status);  // for orphans too
  }
  const bool told = loader > 0 && ::write(question.report, &status, sizeof status) > 0;
  return told ? EXIT_SUCCESS : EXIT_FAILURE;
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

/// Waits for the child until `deadline`, and then ends it, with all that is in its namespace. Not
/// reaped before, so that its number is nobody else's.
void reap(pid_t child, std::int64_t deadline) {
  pid_t reaped = 0;
  while ((reaped = ::waitpid(child, nullptr, WNOHANG)) == 0 || (reaped < 0 && errno == EINTR)) {
    if (milliseconds_now() >= deadline) {
      ::kill(child, SIGKILL);
    }
    ::poll(nullptr, 0, 1);
  }
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
  int reports[2];
  if (::pipe2(ends, O_CLOEXEC) != 0 || ::pipe2(reports, O_CLOEXEC) != 0) {
    return conclude(LoaderOutcome::failed, {"pipe for ", loader, ": ", std::strerror(errno)});
  }
  // The child has a copy of all memory, this stack included.
  alignas(16) static char stack[std::size_t{64} * 1024];
  Question question = {root, loader, program, ends[1], reports[1]};
  const pid_t child = ::clone(lead, stack + sizeof stack, CLONE_NEWPID | SIGCHLD, &question);
  const int code = errno;
  ::close(ends[1]);
  ::close(reports[1]);
  const std::int64_t deadline = milliseconds_now() + kPatienceMilliseconds;
  const bool is_answered = child > 0 && collect(ends[0], deadline, answer);
  ::close(ends[0]);
  if (child > 0) {
    reap(child, is_answered ? deadline : 0);
  }
  int status = 0;
  const bool in_time = ::read(reports[0], &status, sizeof status) > 0;
  ::close(reports[0]);
  if (child < 0) {
    return conclude(LoaderOutcome::untested,
                    {"no process namespace for ", loader, ": ", std::strerror(code)});
  }
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
