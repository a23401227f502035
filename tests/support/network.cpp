#include "network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <system_error>

#include "process.h"

namespace testing_support {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress make_address(const std::string& text, std::uint16_t port) {
  SocketAddress address;
  auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &ipv4->sin_addr) == 1) {
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(port);
    address.size = sizeof *ipv4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &ipv6->sin6_addr) == 1) {
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    address.size = sizeof *ipv6;
  } else {
    throw std::invalid_argument("not an address: " + text);
  }
  return address;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Descriptor open_socket(const SocketAddress& address) {
  Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) {
    fail("socket");
  }
  return socket;
}

/// Returns the next bytes. `text` is what was received before, for the error message.
std::string receive(int descriptor, const std::string& text) {
  pollfd waiting = {descriptor, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) {
    throw std::runtime_error("nothing arrived, and the other side did not close; so far: " + text);
  }
  char buffer[65536];
  const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
  return {buffer, count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    value_ = other.value_;
    other.value_ = -1;
  }
  return *this;
}

void Descriptor::reset() {
  if (value_ >= 0) {
    ::close(value_);
    value_ = -1;
  }
}

Connection connect_pair(const std::string& listen_on, const std::string& target) {
  SocketAddress address = make_address(listen_on, 0);
  const Descriptor listener = open_socket(address);
  const int off = 0;
  if (address.storage.ss_family == AF_INET6) {
    ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(listener.get(), address.get(), address.size) != 0 ||
      ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), address.get(), &address.size) != 0) {
    fail("listen on " + listen_on);
  }
  // sin_port and sin6_port are in the same place.
  const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
  Connection connection;
  connection.client = connect_to(target, port);
  connection.server = Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (connection.server.get() < 0) {
    fail("accept");
  }
  return connection;
}

Connection connect_pair(const std::string& address) {
  return connect_pair(address, address);
}

Descriptor connect_to(const std::string& address, std::uint16_t port, const std::string& source) {
  const SocketAddress target = make_address(address, port);
  Descriptor socket;
  const bool connected = eventually([&socket, &target, &source] {
    socket = open_socket(target);
    if (!source.empty()) {
      const SocketAddress from = make_address(source, 0);
      if (::bind(socket.get(), from.get(), from.size) != 0) {
        fail("bind to " + source);
      }
    }
    return ::connect(socket.get(), target.get(), target.size) == 0;
  });
  if (!connected) {
    fail("connect to " + address + " port " + std::to_string(port));
  }
  return socket;
}

std::string receive_some(int descriptor) {
  return receive(descriptor, "");
}

std::string receive_all(int descriptor) {
  std::string text;
  for (;;) {
    const std::string more = receive(descriptor, text);
    if (more.empty()) {
      return text;
    }
    text += more;
  }
}

std::string ask(const std::string& address, std::uint16_t port, std::string_view request) {
  const Descriptor socket = connect_to(address, port);
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    fail("send");
  }
  ::shutdown(socket.get(), SHUT_WR);
  return receive_all(socket.get());
}

}  // namespace testing_support
