// A small static service that tests put into roots: it reports how it was started.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) {
    ::_exit(99);
  }
}

/// The first line of a file of the root, which says whose root it is.
std::string first_line(const char* path) {
  char buffer[256];
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t count = file < 0 ? 0 : ::read(file, buffer, sizeof buffer);
  ::close(file);
  const std::string text(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
  return text.substr(0, text.find('\n'));
}

void say_arguments(int count, char** arguments) {
  for (int index = 0; index < count; ++index) {
    say("argument " + std::to_string(index) + ": " + arguments[index]);
  }
}

void say_identity() {
  gid_t groups[64];
  const int count = ::getgroups(64, groups);
  std::string line = "uid " + std::to_string(::getuid()) + " euid " + std::to_string(::geteuid()) +
                     " gid " + std::to_string(::getgid()) + " egid " + std::to_string(::getegid()) +
                     " groups";
  for (int index = 0; index < count; ++index) {
    line += " " + std::to_string(groups[index]);
  }
  say(line);
}

/// Prints all open descriptors, found without /proc, which a root may lack.
void say_descriptors() {
  std::string line = "descriptors";
  for (int descriptor = 0; descriptor < 4096; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) {
      line += " " + std::to_string(descriptor);
    }
  }
  say(line);
}

void say_signals() {
  std::string line = "ignored";
  for (int signal = 1; signal <= SIGSYS; ++signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) {
      line += " " + std::to_string(signal);
    }
  }
  line += " blocked";
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  for (int signal = 1; signal < 32; ++signal) {
    if (::sigismember(&blocked, signal) == 1) {
      line += " " + std::to_string(signal);
    }
  }
  say(line);
}

/// Prints all ignored signals.
void say_ignored() {
  std::string line = "ignored";
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
      line += " " + std::to_string(signal);
    }
  }
  say(line);
}

/// Types on the terminal on standard input.
void inject(const std::string& keys) {
  for (const char key : keys) {
    if (::ioctl(STDIN_FILENO, TIOCSTI, &key) != 0) {
      say(std::string("TIOCSTI: ") + std::strerror(errno));
      return;
    }
  }
}

/// Tries to leave the root through descriptor `number`.
void try_to_leave(const char* number) {
  if (::fchdir(std::atoi(number)) != 0) {
    say(std::string("fchdir: ") + std::strerror(errno));
  } else {
    say("out: " + first_line("etc/hostname"));
  }
}

/// Tries to trace the process that started it, which is outside the root.
void try_to_trace_parent() {
  const long result = ::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr);
  say(result == 0 ? "out: traces its parent" : std::string("ptrace: ") + std::strerror(errno));
}

}  // namespace

/// The argument says what to report or do: `name` (of the root), `arguments`, `identity`,
/// `descriptors`, `signals`, `umask`, `cwd`, `exit N`, `leave N` (by descriptor N), `echo` (input
/// to output), `environment`, `trace` (its parent), `exchange A B` (for ever), `ignored` (signals),
/// `inject TEXT` (types it on its terminal), `receive` (a datagram, to the file /datagram).
int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "name";
  if (what == "name") {
    say(first_line("/name"));
  } else if (what == "identity") {
    say_identity();
  } else if (what == "descriptors") {
    say_descriptors();
  } else if (what == "signals") {
    say_signals();
  } else if (what == "umask") {
    char text[16];
    std::snprintf(text, sizeof text, "umask %o", ::umask(0));
    say(text);
  } else if (what == "ignored") {
    say_ignored();
  } else if (what == "inject" && count > 2) {
    inject(arguments[2]);
  } else if (what == "cwd") {
    char buffer[4096];
    say(::getcwd(buffer, sizeof buffer) != nullptr ? buffer : std::strerror(errno));
  } else if (what == "exit" && count > 2) {
    return std::atoi(arguments[2]);
  } else if (what == "leave" && count > 2) {
    try_to_leave(arguments[2]);
  } else if (what == "exchange" && count > 3) {
    for (;;) {
      ::syscall(SYS_renameat2, AT_FDCWD, arguments[2], AT_FDCWD, arguments[3], RENAME_EXCHANGE);
    }
  } else if (what == "trace") {
    try_to_trace_parent();
  } else if (what == "environment") {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      say(*variable);
    }
  } else if (what == "receive") {
    char byte = 0;
    const int file = ::open("/datagram", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (::read(STDIN_FILENO, &byte, 1) != 1 || ::write(file, &byte, 1) != 1) {
      return 99;
    }
  } else if (what == "echo") {
    char buffer[4096];
    ssize_t size = 0;
    while ((size = ::read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
      if (::write(STDOUT_FILENO, buffer, static_cast<std::size_t>(size)) < 0) {
        return 99;
      }
    }
  } else {
    say_arguments(count, arguments);
  }
  return 0;
}
