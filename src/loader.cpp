#include "virtuald/loader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "virtuald/inherited.h"
#include "virtuald/number_text.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

constexpr int kPatienceMilliseconds = 5'000;

/// The child's status where somebody else could have made the loader. No loader has it.
constexpr int kDistrusted = 125;

int milliseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int>(now.tv_sec % 1'000'000) * 1000 +
         static_cast<int>(now.tv_nsec / 1'000'000);
}

/// Whether the loader, in what is now the root, is root's own with all that leads to it: it will
/// run as root.
bool is_trusted(const char* loader) {
  static Error error;
  static Error distrust;
  return open_trusted(loader, Subject::config, error, distrust) >= 0 && !distrust;
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
    reset_signals();
    char* const arguments[] = {const_cast<char*>(loader), const_cast<char*>("--list"),
                               const_cast<char*>(program), nullptr};
    char* const environment[] = {nullptr};
    ::execve(loader, arguments, environment);
  }
  ::_exit(127);
}

/// Reads until the child has closed its end. False if it does not within its time.
bool collect(int input, LoaderAnswer& answer) {
  const int deadline = milliseconds_now() + kPatienceMilliseconds;
  for (;;) {
    const int left = deadline - milliseconds_now();
    pollfd waiting = {input, POLLIN, 0};
    if (left <= 0 || (::poll(&waiting, 1, left) < 0 && errno != EINTR)) {
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

}  // namespace

bool ask_loader(int root, const char* loader, const char* program, LoaderAnswer& answer,
                Error& error) {
  answer.size = 0;
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
    error.set_errno("pipe for", loader, errno);
    return false;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    error.set_errno("fork for", loader, errno);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    return false;
  }
  if (child == 0) {
    run_loader(root, loader, program, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  const bool in_time = collect(pipe_ends[0], answer);
  ::close(pipe_ends[0]);
  if (!in_time) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool exited = WIFEXITED(status);
  const Decimal number(exited ? WEXITSTATUS(status) : WTERMSIG(status));
  if (!in_time) {
    error.set({loader, " --list ", program, ": no answer in five seconds"});
    return false;
  }
  if (exited && WEXITSTATUS(status) == kDistrusted) {
    error.set({loader, ": not asked, for somebody else than root could change it"});
    return false;
  }
  std::string_view rest = answer.view();
  if (!exited || (WEXITSTATUS(status) != 0 && next_missing_library(rest).empty())) {
    error.set(
        {loader, " --list ", program, exited ? ": exit status " : ": signal ", number.text()});
    return false;
  }
  return true;
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
