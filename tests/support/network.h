// Connections of tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace testing_support {

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : value_(other.value_) { other.value_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;

  [[nodiscard]] int get() const { return value_; }
  void reset();

 private:
  int value_;
};

/// Both ends of a TCP connection.
struct Connection {
  Descriptor client;
  Descriptor server;
};

/// Listens on `listen_on` and connects to `target`, which may be any address that the listener
/// accepts: connect_pair("::", "127.0.0.2") gives a dual-stack listener's v4-mapped connection.
Connection connect_pair(const std::string& listen_on, const std::string& target);
Connection connect_pair(const std::string& address);

/// Connects to a listener in another process, from the address `source` unless that is empty; waits
/// for the listener. Throws after kPatience.
Descriptor connect_to(const std::string& address, std::uint16_t port,
                      const std::string& source = "");

/// The first bytes that arrive; empty if the other side closes. Throws after kPatience.
std::string receive_some(int descriptor);

/// Everything until the other side closes. Throws after kPatience.
std::string receive_all(int descriptor);

/// The answer to a client that connects to `address`:`port`, sends `request` and then shuts down
/// its side.
std::string ask(const std::string& address, std::uint16_t port, std::string_view request = "");

}  // namespace testing_support
