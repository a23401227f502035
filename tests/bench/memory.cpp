#include "memory.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

namespace bench {
namespace {

void trace(__ptrace_request request, pid_t pid, long data) {
  if (::ptrace(request, pid, nullptr, data) != 0) {
    throw std::system_error(errno, std::generic_category(), "ptrace");
  }
}

std::size_t resident(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::size_t size = 0;
  for (std::string word; file >> word;) {
    if (word == "Rss:") {
      file >> size;
      break;
    }
  }
  return size;
}

pid_t start_traced(const Launch& launch, int connection) {
  std::vector<std::string> arguments = launch.arguments;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      ::dup2(connection, descriptor);
    }
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execv(launch.program.c_str(), pointers.data());
    ::_exit(255);
  }
  return pid;
}

}  // namespace

std::size_t peak_resident(const Launch& launch, int connection) {
  const pid_t pid = start_traced(launch, connection);
  std::size_t peak = 0;
  int status = 0;
  ::waitpid(pid, &status, 0);
  trace(PTRACE_SETOPTIONS, pid, PTRACE_O_EXITKILL);
  while (WIFSTOPPED(status)) {
    peak = std::max(peak, resident(pid));
    trace(PTRACE_SYSCALL, pid, 0);
    ::waitpid(pid, &status, 0);
  }
  return peak;
}

}  // namespace bench
