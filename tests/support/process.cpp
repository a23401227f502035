#include "process.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "files.h"

namespace testing_support {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_strings(const Command& command) {
  std::vector<std::string> strings;
  if (command.environment) {
    for (const auto& [name, value] : *command.environment) {
      std::string text = name;
      text += '=';
      text += value;
      strings.push_back(text);
    }
  } else {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      strings.emplace_back(*variable);
    }
  }
  return strings;
}

/// Makes `to` a copy of `from`, or closes `to` if `from` is negative.
void place(int from, int to) {
  if (from < 0) {
    ::close(to);
  } else {
    ::dup2(from, to);
  }
}

int decode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Returns a copy of the descriptor that `place` cannot overwrite, or -1.
int lift(int descriptor) {
  return descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
}

/// Writes `input` to `to` and reads from `output` and `errors` until both end.
bool exchange(const std::string& input, int to, int output, int errors, Outcome& outcome) {
  const auto deadline = Clock::now() + kPatience;
  std::size_t written = 0;
  pollfd ends[] = {{output, POLLIN, 0}, {errors, POLLIN, 0}, {to, POLLOUT, 0}};
  std::string* const texts[] = {&outcome.output, &outcome.errors};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (ends[2].fd >= 0 && written == input.size()) {
      ::close(ends[2].fd);
      ends[2].fd = -1;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 ||
        (::poll(ends, 3, static_cast<int>(left.count())) < 0 && errno != EINTR)) {
      break;
    }
    for (std::size_t index = 0; index < 2; ++index) {
      if (ends[index].fd < 0 || (ends[index].revents & (POLLIN | POLLHUP)) == 0) {
        continue;
      }
      char buffer[65536];
      const ssize_t count = ::read(ends[index].fd, buffer, sizeof buffer);
      if (count <= 0) {
        ends[index].fd = -1;
      } else {
        texts[index]->append(buffer, static_cast<std::size_t>(count));
      }
    }
    if (ends[2].fd >= 0 && (ends[2].revents & (POLLOUT | POLLERR)) != 0) {
      const ssize_t count = ::write(ends[2].fd, input.data() + written, input.size() - written);
      written = count < 0 ? input.size() : written + static_cast<std::size_t>(count);
    }
  }
  if (ends[2].fd >= 0) {
    ::close(ends[2].fd);
  }
  return ends[0].fd < 0 && ends[1].fd < 0;
}

}  // namespace

void take_away(long system_call) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(system_call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(200);
  }
}

Command command_of(std::vector<std::string> arguments) {
  Command command;
  command.arguments = std::move(arguments);
  return command;
}

pid_t start(const Command& command, int input, int output, int errors) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> variables = environment_strings(command);
  std::vector<char*> argument_pointers = pointers_to(arguments);
  std::vector<char*> variable_pointers = pointers_to(variables);
  const std::string program = command.program.empty() ? arguments.at(0) : command.program;
  const pid_t pid = ::fork();
  if (pid < 0) {
    fail("fork");
  }
  if (pid > 0) {
    return pid;
  }
  const int lifted[] = {lift(input), lift(output), lift(errors)};
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    place(lifted[descriptor], descriptor);
  }
  ::syscall(SYS_close_range, 3, UINT_MAX, 0);
  if (command.prepare) {
    command.prepare();
  }
  ::execvpe(program.c_str(), argument_pointers.data(), variable_pointers.data());
  const std::string message =
      "test: cannot execute " + program + ": " + std::strerror(errno) + "\n";
  if (::write(STDERR_FILENO, message.data(), message.size()) < 0) {
    ::_exit(254);
  }
  ::_exit(255);
}

int wait_for(pid_t pid) {
  int status = 0;
  const bool ended = eventually([pid, &status] { return ::waitpid(pid, &status, WNOHANG) != 0; });
  if (!ended) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return -1;
  }
  return decode(status);
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  for (auto pause = std::chrono::microseconds(200); !condition();
       pause = std::min(pause * 2, std::chrono::microseconds(10'000))) {
    if (Clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(pause);
  }
  return true;
}

Outcome run(const Command& command) {
  int input[2];
  int output[2];
  int errors[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0 ||
      ::pipe2(errors, O_CLOEXEC) != 0) {
    fail("pipe");
  }
  // A command that does not read its input must not end the test.
  ::signal(SIGPIPE, SIG_IGN);
  Command with_signals = command;
  with_signals.prepare = [&command] {
    ::signal(SIGPIPE, SIG_DFL);
    if (command.prepare) {
      command.prepare();
    }
  };
  const pid_t pid = start(with_signals, input[0], output[1], errors[1]);
  ::close(input[0]);
  ::close(output[1]);
  ::close(errors[1]);
  Outcome outcome;
  if (!exchange(command.input, input[1], output[0], errors[0], outcome)) {
    ::kill(pid, SIGKILL);
    outcome.errors += "test: killed because it did not end in time\n";
  }
  ::close(output[0]);
  ::close(errors[0]);
  outcome.status = wait_for(pid);
  return outcome;
}

Outcome run(const std::vector<std::string>& arguments) {
  return run(command_of(arguments));
}

std::vector<std::filesystem::path> libraries_of(const std::string& program) {
  std::vector<std::filesystem::path> libraries;
  for (const std::string& line : split_lines(run({"ldd", program}).output)) {
    const std::size_t slash = line.find('/');
    if (slash != std::string::npos) {
      libraries.emplace_back(line.substr(slash, line.find(' ', slash) - slash));
    }
  }
  return libraries;
}

std::string loader() {
  for (const std::filesystem::path& library : libraries_of("/bin/ls")) {
    if (library.filename().string().starts_with("ld-")) {
      return library;
    }
  }
  throw std::runtime_error("ldd /bin/ls: names no loader");
}

BackgroundProcess::BackgroundProcess(const Command& command) {
  std::string pattern = (std::filesystem::temp_directory_path() / "virtuald-log.XXXXXX").string();
  const int log = ::mkostemp(pattern.data(), O_CLOEXEC | O_APPEND);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || null < 0) {
    fail("log file");
  }
  log_path_ = pattern;
  pid_ = start(command, null, log, log);
  ::close(log);
  ::close(null);
}

BackgroundProcess::~BackgroundProcess() {
  stop();
  std::error_code ignored;
  std::filesystem::remove(log_path_, ignored);
}

std::string BackgroundProcess::log() const {
  return read_file(log_path_);
}

int BackgroundProcess::stop() {
  if (pid_ < 0) {
    return -1;
  }
  ::kill(pid_, SIGTERM);
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  int status = 0;
  bool ended = false;
  eventually([this, &status, &ended, deadline] {
    ended = ::waitpid(pid_, &status, WNOHANG) != 0;
    return ended || Clock::now() > deadline;
  });
  if (!ended) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  return decode(status);
}

}  // namespace testing_support
