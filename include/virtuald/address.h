// Internet addresses: from a socket, from text, to text.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// An IPv4 or IPv6 address. IPv4 is stored as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), so 10.10.10.129
/// equals ::ffff:10.10.10.129, which a dual-stack listener reports. A scope (%eth0 in fe80::1%eth0)
/// is not part of it.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const Address&) const = default;
};

/// A buffer for the text of any address.
struct AddressText {
  char characters[INET6_ADDRSTRLEN];
};

/// Parses the address at the beginning of `text`, in the forms that inet_pton(3) accepts: dotted
/// decimal without leading zeros, or RFC 4291, 2.2. `text` must end in NUL or \n. Returns the end
/// of the address, or nullptr if there is none; `address` is then unspecified.
[[nodiscard]] const char* scan_address(const char* text, Address& address);

/// Parses all of the NUL-terminated `text`. Returns false if it is not an address.
[[nodiscard]] bool parse_address(const char* text, Address& address);

/// Writes the address as inet_ntop(3) does, IPv4 in dotted decimal. The view points into `text`.
[[nodiscard]] std::string_view format_address(const Address& address, AddressText& text);

/// Reads the local address of the internet socket `descriptor` (getsockname(2)). Fails, with the
/// reason in `error`, on anything else, and if the socket is bound to every address: a listener, or
/// a datagram socket, whose waiting datagrams are then discarded.
[[nodiscard]] bool read_local_address(int descriptor, Address& address, Error& error);

/// Reads the address of the peer of `descriptor` (getpeername(2)), and its port in host byte order.
/// Returns false if there is no peer, for instance because it has disconnected.
[[nodiscard]] bool read_peer_address(int descriptor, Address& address, std::uint16_t& port);

}  // namespace virtuald
