#include "virtuald/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

#include "virtuald/interpreter.h"

namespace virtuald {
namespace {

char candidate[PATH_MAX];  // Static because of its size: a program with a slash does not need it.

/// Whether execvp(3) tries the next directory after this errno.
bool is_worth_another_try(int code) {
  return code == ENOENT || code == ENOTDIR || code == EACCES || code == ENAMETOOLONG ||
         code == ENODEV || code == ESTALE || code == ETIMEDOUT;
}

/// Explains why execve(2) of `path` failed. ENOENT for a file that exists, a common puzzle in a
/// chroot, means that the interpreter it names is missing.
Start describe_failure(const char* path, const char* root, int code, Error& error) {
  static InterpreterChain chain;  // Static because of its size.
  if (code == ENOENT && follow_interpreters(AT_FDCWD, path, chain) == Interpreters::missing) {
    error.set({"exec ", path, " in ", root, ": its interpreter ", chain.interpreter.path,
               " is not there"});
    return Start::failed;
  }
  error.set({"exec ", path, " in ", root, ": ", std::strerror(code)});
  if (code == ENOEXEC) {
    error.append(" (a script needs a #! line, a program this machine's architecture)");
  }
  return Start::failed;
}

}  // namespace

const char* Candidates::next() {
  while (!finished_) {
    const std::size_t size = std::min(rest_.find(':'), rest_.size());
    const std::string_view directory = rest_.substr(0, size);
    finished_ = is_path_ || size == rest_.size();
    rest_.remove_prefix(finished_ ? 0 : size + 1);
    if (is_path_) {
      return name_.data();
    }
    if (size + 1 + name_.size() < sizeof candidate) {
      char* const end = candidate + directory.copy(candidate, size);
      *end = '/';
      end[1 + name_.copy(end + 1, name_.size())] = '\0';
      return candidate;
    }
  }
  return nullptr;
}

Start start_program(const char* name, std::string_view search_path, char* const* arguments,
                    const char* root, Error& error) {
  if (*name == '\0') {
    error.set({"exec in ", root, ": the program's name is empty"});
    return Start::missing;
  }
  int code = ENOENT;
  Candidates tried(name, search_path);
  while (const char* path = tried.next()) {
    ::execve(path, arguments, environ);
    code = errno;
    if (!is_worth_another_try(code)) {
      return describe_failure(path, root, code, error);
    }
  }
  // Asking which one exists costs a system call for each, so this waits until all have failed.
  const bool is_path = std::strchr(name, '/') != nullptr;
  Candidates present(name, search_path);
  while (const char* path = present.next()) {
    if (::faccessat(AT_FDCWD, path, F_OK, 0) == 0 || errno == EACCES) {
      if (!is_path) {
        ::execve(path, arguments, environ);
        code = errno;
      }
      return describe_failure(path, root, code, error);
    }
  }
  error.set({"exec ", name, " in ", root, ": ", std::strerror(ENOENT),
             is_path ? "" : " on the path ", is_path ? "" : search_path});
  return Start::missing;
}

}  // namespace virtuald
