#include "virtuald/check/trial.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "virtuald/isolation.h"

namespace virtuald {
namespace {

/// In the child: isolates the root. Writes the error, if any, to `output`.
[[noreturn]] void isolate_and_end(int root, const char* name, LineReader& reader, Error& error,
                                  int output) {
  if (isolate(root, name, Privileges::none_new, reader, error)) {
    ::_exit(EXIT_SUCCESS);
  }
  // The whole message fits into the pipe.
  [[maybe_unused]] const ssize_t written =
      ::write(output, error.text().data(), error.text().size());
  ::_exit(EXIT_FAILURE);
}

}  // namespace

bool try_isolation(int root, const char* name, LineReader& reader, Error& error) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return error.fail_errno("pipe for", name, errno);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    isolate_and_end(root, name, reader, error, ends[1]);
  }
  const int code = errno;
  ::close(ends[1]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  static char text[Message::kCapacity];  // Static because of its size.
  const ssize_t size = ::read(ends[0], text, sizeof text);
  ::close(ends[0]);
  if (child < 0) {
    return error.fail_errno("fork for", name, code);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
    return true;
  }
  if (size <= 0) {
    return error.fail({"isolate ", name, ": the child that tried it was killed"});
  }
  error.set({});
  error.append({text, static_cast<std::size_t>(size)});
  return false;
}

}  // namespace virtuald
