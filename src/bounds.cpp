#include "virtuald/bounds.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "virtuald/clock.h"
#include "virtuald/number_text.h"

namespace virtuald {
namespace {

struct Limit {
  decltype(RLIMIT_CORE) resource;
  rlim_t value;
};

constexpr rlim_t kMebibyte = rlim_t{1} << 20;

void close_end(int& end) {
  if (end >= 0) {
    ::close(end);
  }
  end = -1;
}

}  // namespace

/// Copies everything from `from`, if it is a pipe, to the program's input.
bool Bounds::copy_input(int from, Error& error) const {
  struct stat status {};
  if (::fstat(from, &status) != 0 || !S_ISFIFO(status.st_mode)) {
    return true;
  }
  static char text[kMaxInput + 1];  // Static because of its size.
  std::size_t size = 0;
  for (ssize_t count = 1; count > 0 && size < sizeof text;) {
    pollfd ready = {from, POLLIN, 0};  // the pipe may be one that read(2) does not wait for
    if (::poll(&ready, 1, milliseconds_left()) == 0) {
      const Decimal seconds(seconds_);
      return error.fail({"standard input: did not end within ", seconds.text(), " s"});
    }
    count = ::read(from, text + size, sizeof text - size);
    if (count < 0) {
      return error.fail_errno("read", "standard input", errno);
    }
    size += static_cast<std::size_t>(count);
  }
  if (size == sizeof text) {
    return error.fail({"standard input: longer than 4096 bytes, the most that -l passes on"});
  }
  return ::write(input_[1], text, size) >= 0 || error.fail_errno("write", "standard input", errno);
}

void Bounds::start_clock() {
  deadline_ = milliseconds_now() + std::int64_t{seconds_} * 1000;
}

bool Bounds::begin(int seconds, int input, Error& error) {
  seconds_ = seconds;
  output_.size = 0;
  errors_.size = 0;
  for (int* const pipe : {input_, output_.ends, errors_.ends}) {
    pipe[0] = pipe[1] = -1;
  }
  if (::pipe2(input_, O_CLOEXEC) != 0 || ::pipe2(output_.ends, O_CLOEXEC) != 0 ||
      ::pipe2(errors_.ends, O_CLOEXEC) != 0) {
    return error.fail_errno("pipe for", "-l", errno);
  }
  start_clock();
  return copy_input(input, error) &&
         (::unshare(CLONE_NEWPID) == 0 ||
          error.fail_errno("unshare", "(-l needs a process namespace)", errno));
}

bool Bounds::apply(Error& error) const {
  if (!are_set()) {
    return true;
  }
  if (::dup2(input_[0], STDIN_FILENO) < 0 || ::dup2(output_.ends[1], STDOUT_FILENO) < 0 ||
      ::dup2(errors_.ends[1], STDERR_FILENO) < 0) {
    return error.fail_errno("dup2 for", "-l", errno);
  }
  // The kernel counts all processes of the user, even those outside, but does not limit root's.
  const auto seconds = static_cast<rlim_t>(seconds_);
  for (const auto& [resource, value] :
       {Limit{RLIMIT_CORE, 0}, Limit{RLIMIT_NPROC, 256}, Limit{RLIMIT_AS, 1024 * kMebibyte},
        Limit{RLIMIT_FSIZE, kMebibyte / 16}, Limit{RLIMIT_CPU, seconds}}) {
    rlimit limit{};
    ::getrlimit(resource, &limit);
    limit.rlim_cur = limit.rlim_max = std::min(limit.rlim_max, value);
    if (::setrlimit(resource, &limit) != 0) {
      return error.fail_errno("setrlimit for", "-l", errno);
    }
  }
  return true;
}

void Bounds::start() {
  if (!are_set()) {
    return;
  }
  for (int* const end : {&input_[0], &input_[1], &output_.ends[1], &errors_.ends[1]}) {
    close_end(*end);
  }
  start_clock();
  const auto self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  ::setns(self, CLONE_NEWPID);
  ::close(self);
}

int Bounds::milliseconds_left() const {
  return are_set() ? static_cast<int>(std::max<std::int64_t>(deadline_ - milliseconds_now(), 0))
                   : -1;
}

void Bounds::watch(pollfd& output, pollfd& errors) const {
  output = {are_set() ? output_.ends[0] : -1, POLLIN, 0};
  errors = {are_set() ? errors_.ends[0] : -1, POLLIN, 0};
}

void Bounds::Output::read_more(const pollfd& ready) {
  if (ready.revents == 0) {
    return;
  }
  const ssize_t count = ::read(ends[0], text + size, sizeof text - size);
  size += count > 0 ? static_cast<std::size_t>(count) : 0;
  if (count <= 0 || size == sizeof text) {
    close_end(ends[0]);
  }
}

void Bounds::collect(const pollfd& output, const pollfd& errors) {
  output_.read_more(output);
  errors_.read_more(errors);
}

void Bounds::finish() {
  pollfd ends[2];
  for (watch(ends[0], ends[1]); are_set() && ::poll(ends, 2, 0) > 0; watch(ends[0], ends[1])) {
    collect(ends[0], ends[1]);
  }
  if (are_set()) {
    close_end(output_.ends[0]);
    close_end(errors_.ends[0]);
  }
}

}  // namespace virtuald
