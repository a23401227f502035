#include "virtuald/log.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "virtuald/clock.h"
#include "virtuald/error.h"
#include "virtuald/number_text.h"

namespace virtuald {
namespace {

constexpr int kPatienceMilliseconds = 1000;

int log_socket = -1;

/// <facility * 8 + severity> of each Priority, RFC 3164, 4.1.1: the facility is daemon, 3.
constexpr std::string_view kPriorities[] = {"<27>", "<28>", "<30>"};

iovec piece_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

void send_to_log(Priority priority, std::string_view message) {
  const Decimal pid(::getpid());
  iovec pieces[] = {piece_of(kPriorities[static_cast<int>(priority)]), piece_of("virtuald["),
                    piece_of(pid.text()), piece_of("]: "), piece_of(message)};
  msghdr datagram{};
  datagram.msg_iov = pieces;
  datagram.msg_iovlen = sizeof pieces / sizeof *pieces;
  std::int64_t deadline = 0;
  while (::sendmsg(log_socket, &datagram, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN) {
    // Other senders may take the free space before the next try.
    const std::int64_t now = milliseconds_now();
    deadline = deadline == 0 ? now + kPatienceMilliseconds : deadline;
    pollfd waiting = {log_socket, POLLOUT, 0};
    const int ready = now < deadline ? ::poll(&waiting, 1, static_cast<int>(deadline - now)) : 0;
    if (ready == 0 || (ready < 0 && errno != EINTR)) {
      // A stuck daemon would not read a second message either, and the client is waiting.
      ::close(log_socket);
      log_socket = -1;
      return;
    }
  }
}

}  // namespace

void open_log() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, "/dev/log", sizeof "/dev/log");
  log_socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (log_socket >= 0 &&
      ::connect(log_socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(log_socket);
    log_socket = -1;
  }
}

void write_standard_error(std::string_view message) {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0 || S_ISSOCK(status.st_mode)) {
    return;
  }
  // If the reader has gone, virtuald must exit with its status, not die of SIGPIPE.
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));
  const iovec pieces[] = {piece_of("virtuald: "), piece_of(message), piece_of("\n")};
  // A failure cannot be reported anywhere.
  [[maybe_unused]] const ssize_t written = ::writev(STDERR_FILENO, pieces, 3);
}

bool print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0) {
      static Error error;  // Static because of its size.
      error.fail_errno("write", "standard output", errno);
      write_standard_error(error.text());
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void log_message(Priority priority, std::string_view message) {
  if (log_socket >= 0) {
    send_to_log(priority, message);
  }
  if (priority != Priority::info) {
    write_standard_error(message);
  }
}

}  // namespace virtuald
