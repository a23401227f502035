#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace testing_support {
namespace {

int checked(int result, const char* what) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return result;
}

}  // namespace

Terminal::Terminal(const Command& command)
    : master_(checked(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt")) {
  char name[64];
  checked(::grantpt(master_.get()), "grantpt");
  checked(::unlockpt(master_.get()), "unlockpt");
  if (::ptsname_r(master_.get(), name, sizeof name) != 0) {
    throw std::system_error(errno, std::generic_category(), "ptsname_r");
  }
  const Descriptor slave(checked(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC), name));
  const winsize size{24, 80, 0, 0};
  checked(::ioctl(slave.get(), TIOCSWINSZ, &size), "TIOCSWINSZ");
  Command on_terminal = command;
  on_terminal.prepare = [prepare = command.prepare] {
    ::setsid();
    ::ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    if (prepare) {
      prepare();
    }
  };
  pid_ = start(on_terminal, slave.get(), slave.get(), slave.get());
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
  }
}

bool Terminal::read_more() {
  pollfd end{master_.get(), POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) {
    return false;
  }
  char buffer[4096];
  // Once the last program on the terminal has ended, this fails with EIO.
  const ssize_t count = ::read(master_.get(), buffer, sizeof buffer);
  if (count <= 0) {
    return false;
  }
  screen_.append(buffer, static_cast<std::size_t>(count));
  return true;
}

bool Terminal::shows(std::string_view text) {
  for (;;) {
    const std::size_t place = screen_.find(text, seen_);
    if (place != std::string::npos) {
      seen_ = place + text.size();
      return true;
    }
    if (!read_more()) {
      return false;
    }
  }
}

void Terminal::type(std::string_view keys) const {
  checked(static_cast<int>(::write(master_.get(), keys.data(), keys.size())), "write to terminal");
}

termios Terminal::modes() const {
  termios modes{};
  checked(::tcgetattr(master_.get(), &modes), "tcgetattr");
  return modes;
}

void Terminal::resize(int rows, int columns) const {
  const winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
  checked(::ioctl(master_.get(), TIOCSWINSZ, &size), "TIOCSWINSZ");
}

void Terminal::stop_output(bool stopped) const {
  const Descriptor slave(
      checked(::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), "TIOCGPTPEER"));
  checked(::tcflow(slave.get(), stopped ? TCOOFF : TCOON), "tcflow");
}

void Terminal::hang_up() {
  master_.reset();
}

int Terminal::finish() {
  while (read_more()) {
  }
  const int status = wait_for(pid_);
  pid_ = -1;
  return status;
}

}  // namespace testing_support
