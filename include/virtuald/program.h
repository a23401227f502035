// The service's program: where it may be, becoming it, and why that failed.
#pragma once

#include <sys/stat.h>

#include <climits>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// Searched where PATH is unset, as under openbsd-inetd: daemons live in sbin.
constexpr std::string_view kDefaultSearchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The files that `name` may mean, one after the other, as execvp(3) tries them: `name` itself if
/// it has a slash, else `name` in each directory of `search_path`. What does not fit PATH_MAX is
/// passed over.
class Candidates {
 public:
  Candidates(std::string_view name, std::string_view search_path)
      : name_(name), rest_(search_path), is_path_(name.find('/') != std::string_view::npos) {}

  /// The next candidate, in a buffer of this object; nullptr when there is none left.
  [[nodiscard]] const char* next();

 private:
  [[nodiscard]] bool compose(std::string_view directory);

  std::string_view name_;
  std::string_view rest_;
  bool is_path_;
  bool finished_ = false;
  char path_[PATH_MAX];
};

/// Why a program was not started.
struct StartFailure {
  bool found = false;  // a file of that name was there
  Error error;
};

/// Becomes the program `arguments` says, looked for by `name` in `search_path`; the environment
/// stays. Like execvp(3) it goes on to the next directory where a file is missing or may not be
/// executed; unlike it, a file that is no program is never handed to a shell. `root` is for
/// messages. Returns only on failure.
void start_program(const char* name, std::string_view search_path, char* const* arguments,
                   const char* root, StartFailure& failure);

/// The interpreter that the program `descriptor` asks for: of an ELF file its PT_INTERP (elf(5)),
/// of a script what follows "#!" (execve(2)). Nothing is read but through pread(2), and nothing in
/// the file is believed.
enum class ProgramKind { unread, other, elf_static, elf_dynamic, script };
struct Interpreter {
  ProgramKind kind = ProgramKind::unread;  // as long as nothing could be read
  char path[PATH_MAX] = {};                // NUL-terminated; set for elf_dynamic and script
};
void read_interpreter(int descriptor, Interpreter& interpreter);

/// What a program stands on in the end: a script's interpreter may be a program that needs one
/// itself.
struct InterpreterChain {
  char program[PATH_MAX] = {};  // the last that could be read
  Interpreter interpreter;      // what it asks for
};

/// What follow_interpreters has found.
enum class Interpreters {
  usable,   // all of them, or none is asked for
  missing,  // one is not there
  unusable  // one may not be opened, is no executable file, or they nest too deep for the kernel
};

/// Follows `program` and its interpreters as seen from the directory `root` (see open_in_root), to
/// the last of them. `chain.interpreter.path` names the one that is not usable.
[[nodiscard]] Interpreters follow_interpreters(int root, const char* program,
                                               InterpreterChain& chain);

/// A regular file with an execute bit.
[[nodiscard]] bool is_executable(const struct stat& status);

}  // namespace virtuald
