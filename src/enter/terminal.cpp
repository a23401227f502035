#include "virtuald/enter/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace virtuald {
namespace {

/// How often finish() reads at most: enough for several times what the kernel buffers of a
/// terminal's output.
constexpr int kMaxReadsAtEnd = 32;

constexpr short kGone = POLLHUP | POLLERR | POLLNVAL;

/// Opens the terminal `descriptor` again, so that O_NONBLOCK does not affect the shell. Without
/// /proc, returns `descriptor` itself.
int open_again(int descriptor) {
  char path[] = "/proc/self/fd/0";
  path[sizeof path - 2] = static_cast<char>('0' + descriptor);
  const int again = ::open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  return again >= 0 ? again : descriptor;
}

bool is_pipe(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool has_to_wait() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

bool Terminal::open(bool allowed, Error& error) {
  int first = -1;
  outer_ = master_ = slave_ = -1;
  is_wanted_ = true;
  for (int descriptor = STDERR_FILENO; descriptor >= STDIN_FILENO; --descriptor) {
    is_replaced_[descriptor] = allowed && ::isatty(descriptor) == 1;
    first = is_replaced_[descriptor] ? descriptor : first;
    is_wanted_ = is_wanted_ && !is_pipe(descriptor);
  }
  if (first < 0) {
    return true;
  }
  outer_ = open_again(first);
  is_first_ = is_wanted_ && !is_in_background();
  master_ = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  const int unlocked = 0;
  if (master_ < 0 || ::ioctl(master_, TIOCSPTLCK, &unlocked) != 0 ||
      (slave_ = ::ioctl(master_, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
      ::tcgetattr(outer_, &modes_) != 0 || ::tcsetattr(slave_, TCSANOW, &modes_) != 0) {
    return error.fail_errno("open", "/dev/ptmx", errno);
  }
  copy_size();
  return true;
}

void Terminal::control() const {
  ::ioctl(slave_, TIOCSCTTY, 0);
}

void Terminal::replace_standard() const {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (is_replaced_[descriptor]) {
      ::dup2(slave_, descriptor);
    }
  }
  if (is_first_) {
    ::tcsetpgrp(slave_, ::getpgrp());
  }
}

void Terminal::give_slave_away() {
  ::close(slave_);
  slave_ = -1;
}

bool Terminal::is_in_background() const {
  // tcgetpgrp fails if it is not our controlling terminal; there is no job control then.
  const pid_t group = ::tcgetpgrp(outer_);
  return group >= 0 && group != ::getpgrp();
}

void Terminal::take() {
  if (!is_wanted_ || is_in_background()) {
    is_held_ = false;
    return;
  }
  if (!is_held_) {
    ::tcgetattr(outer_, &modes_);
  }
  termios raw = modes_;
  ::cfmakeraw(&raw);
  is_held_ = ::tcsetattr(outer_, TCSANOW, &raw) == 0;
  copy_size();
}

void Terminal::give_back() {
  if (is_held_ && !is_in_background()) {
    ::tcsetattr(outer_, TCSANOW, &modes_);
  }
  is_held_ = false;
}

void Terminal::copy_size() const {
  winsize size{};
  if (::ioctl(outer_, TIOCGWINSZ, &size) == 0) {
    ::ioctl(master_, TIOCSWINSZ, &size);
  }
}

void Terminal::watch(pollfd& outer, pollfd& master) const {
  const bool reads_outer = is_held_ && input_.size == 0;
  outer = {outer_,
           static_cast<short>((reads_outer ? POLLIN : 0) | (output_.size > 0 ? POLLOUT : 0)), 0};
  master = {master_,
            static_cast<short>((output_.size == 0 ? POLLIN : 0) | (input_.size > 0 ? POLLOUT : 0)),
            0};
}

void Terminal::move(const pollfd& outer, const pollfd& master) {
  const bool is_gone =
      (outer.revents & kGone) != 0 || ((outer.revents & POLLIN) != 0 && !fill(input_, outer_));
  if ((master.revents & POLLIN) != 0) {
    read_output();
  }
  empty(input_, master_);
  if (is_gone || !empty(output_, outer_)) {
    hang_up();
  }
}

void Terminal::finish(int signals) {
  for (int reads = 0; is_open() && reads < kMaxReadsAtEnd; ++reads) {
    if (output_.size == 0) {
      read_output();
    }
    if (output_.size == 0 || !show_output(signals)) {
      break;
    }
  }
  give_back();
}

/// Waits until the outer terminal has taken all output. Returns false if it has gone, or a signal
/// arrived.
bool Terminal::show_output(int signals) {
  while (empty(output_, outer_) && output_.size > 0) {
    pollfd ends[] = {{outer_, POLLOUT, 0}, {signals, POLLIN, 0}};
    ::poll(ends, 2, -1);
    signalfd_siginfo info{};
    const bool is_signal = ends[1].revents != 0 && ::read(signals, &info, sizeof info) > 0;
    if (is_signal && info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT) {
      return false;
    }
  }
  return output_.size == 0;
}

/// Closing the master hangs up the slave.
void Terminal::hang_up() {
  ::close(master_);
  ::close(outer_);
  master_ = -1;
  outer_ = -1;
  is_held_ = false;
  input_.size = 0;
  output_.size = 0;
}

/// The program's terminal has put a \r before each \n. Removes it if the outer terminal, not in raw
/// mode, will add its own.
void Terminal::read_output() {
  fill(output_, master_);
  char* end = output_.text;
  for (std::size_t index = 0; index < output_.size; ++index) {
    const bool is_doubled = !is_held_ && output_.text[index] == '\r' && index + 1 < output_.size &&
                            output_.text[index + 1] == '\n';
    *end = output_.text[index];
    end += is_doubled ? 0 : 1;
  }
  output_.size = static_cast<std::size_t>(end - output_.text);
}

/// Returns false if the other side has gone.
bool Terminal::fill(Buffer& buffer, int from) {
  const ssize_t count = ::read(from, buffer.text, sizeof buffer.text);
  buffer.size = count > 0 ? static_cast<std::size_t>(count) : 0;
  return count > 0 || (count < 0 && has_to_wait());
}

/// Returns false if the other side has gone.
bool Terminal::empty(Buffer& buffer, int to) {
  const ssize_t count = buffer.size > 0 ? ::write(to, buffer.text, buffer.size) : 0;
  if (count > 0) {
    buffer.size -= static_cast<std::size_t>(count);
    std::memmove(buffer.text, buffer.text + count, buffer.size);
  }
  return count >= 0 || has_to_wait();
}

}  // namespace virtuald
