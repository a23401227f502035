// Internet addresses: from a socket, from text, to text.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// An IPv4 or IPv6 address. IPv4 is held in its v4-mapped form (RFC 4291, 2.5.5.2), so that
/// 10.10.10.129 and ::ffff:10.10.10.129, which a dual-stack listener reports, are one address.
/// A scope (fe80::1%eth0) is not part of it.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const Address&) const = default;
};

/// Room for the text of any address.
struct AddressText {
  char characters[INET6_ADDRSTRLEN];
};

/// Reads the address that `text` begins with, in the forms that inet_pton(3) takes: dotted decimal
/// without leading zeros, or RFC 4291 2.2. `text` ends in NUL or \n. Returns where the address
/// ends, or nullptr if there is none; `address` then holds nothing of use.
[[nodiscard]] const char* scan_address(const char* text, Address& address);

/// True if all of `text`, which ends in NUL, is an address, which is then in `address`.
[[nodiscard]] bool parse_address(const char* text, Address& address);

/// The address as inet_ntop(3) writes it, an IPv4 one in dotted decimal. The view is into `text`.
[[nodiscard]] std::string_view format_address(const Address& address, AddressText& text);

/// The local address of the connected internet socket `descriptor` (getsockname(2)).
/// Fails, with the reason in `error`, on anything else.
[[nodiscard]] bool read_local_address(int descriptor, Address& address, Error& error);

/// The other side of `descriptor` (getpeername(2)), its port in host byte order.
/// False if there is none any more, for instance because it has hung up.
[[nodiscard]] bool read_peer_address(int descriptor, Address& address, std::uint16_t& port);

}  // namespace virtuald
