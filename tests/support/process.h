// Starts programs and watches them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace testing_support {

/// Whatever takes longer than this in a test counts as hung.
constexpr std::chrono::seconds kPatience{20};

/// A program to start, and how.
struct Command {
  std::vector<std::string> arguments;  // [0] is looked up on PATH
  std::string program;                 // if not empty, what is executed in place of arguments[0]
  std::optional<std::map<std::string, std::string>> environment;  // none: the test's own
  std::string input;                                              // standard input
  std::function<void()> prepare;  // runs in the child, before the program
};

/// For Command::prepare: makes the system call fail with ENOSYS from now on, as on a kernel that
/// lacks it.
void take_away(long system_call);

/// A command with only these arguments.
Command command_of(std::vector<std::string> arguments);

/// The result of a command.
struct Outcome {
  int status = -1;     // exit status, or 128 + signal; after kPatience, 128 + SIGKILL or -1
  std::string output;  // standard output
  std::string errors;  // standard error
};

/// Runs a command to its end, and captures its output and errors.
Outcome run(const Command& command);
Outcome run(const std::vector<std::string>& arguments);

/// The libraries and the loader of a dynamic program, as ldd(1) prints them.
std::vector<std::filesystem::path> libraries_of(const std::string& program);

/// The loader of this machine's programs, such as /lib64/ld-linux-x86-64.so.2.
std::string loader();

/// A running program. The destructor ends it with SIGTERM, and after two seconds with SIGKILL.
/// `log()` returns both its output and its errors.
class BackgroundProcess {
 public:
  explicit BackgroundProcess(const Command& command);
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Its output so far.
  [[nodiscard]] std::string log() const;

  /// Ends it and returns what `Outcome::status` would hold.
  int stop();

 private:
  pid_t pid_ = -1;
  std::filesystem::path log_path_;
};

/// Starts `command` with `input`, `output` and `errors` as descriptors 0 to 2 (-1: closed), and all
/// others closed. Returns the child's pid.
pid_t start(const Command& command, int input, int output, int errors);

/// Waits for `pid`, and kills it after kPatience. Returns a value like `Outcome::status`.
int wait_for(pid_t pid);

/// Waits until `condition` holds, checking every few milliseconds; false if it does not hold within
/// kPatience.
bool eventually(const std::function<bool()>& condition);

}  // namespace testing_support
