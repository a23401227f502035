#include "virtuald/address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/// The value of a hexadecimal digit, or -1.
int hex_value(char character) {
  if (is_digit(character)) {
    return character - '0';
  }
  const char lower = static_cast<char>(character | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Four decimal fields into four bytes. Returns where they end, or nullptr.
const char* scan_ipv4(const char* text, const char* end, std::uint8_t* bytes) {
  for (int field = 0; field < 4; ++field) {
    if (field > 0 && (text == end || *text++ != '.')) {
      return nullptr;
    }
    const char* const first = text;
    unsigned value = 0;
    while (text != end && is_digit(*text) && text - first < 4) {
      value = value * 10 + static_cast<unsigned>(*text++ - '0');
    }
    const bool leading_zero = text - first > 1 && *first == '0';
    if (text == first || value > 255 || leading_zero) {
      return nullptr;
    }
    bytes[field] = static_cast<std::uint8_t>(value);
  }
  return text;
}

bool starts_with_two_colons(const char* text, const char* end) {
  return end - text >= 2 && text[0] == ':' && text[1] == ':';
}

/// Eight groups, of which "::" may stand for one or more that are zero.
const char* scan_ipv6(const char* text, const char* end, Address& address) {
  std::uint8_t* const bytes = address.bytes.data();
  int filled = 0;  // bytes written so far
  int gap = -1;    // where among them "::" stands
  if (starts_with_two_colons(text, end)) {
    gap = 0;
    text += 2;
  }
  while (filled < 16) {
    const char* const group = text;
    unsigned value = 0;
    while (text != end && text - group < 4 && hex_value(*text) >= 0) {
      value = value * 16 + static_cast<unsigned>(hex_value(*text++));
    }
    if (text == group) {
      if (gap != filled) {
        return nullptr;
      }
      break;
    }
    if (text != end && *text == '.') {
      text = filled <= 12 ? scan_ipv4(group, end, bytes + filled) : nullptr;
      if (text == nullptr) {
        return nullptr;
      }
      filled += 4;
      break;
    }
    bytes[filled++] = static_cast<std::uint8_t>(value >> 8);
    bytes[filled++] = static_cast<std::uint8_t>(value);
    if (filled == 16 || text == end || *text != ':') {
      break;
    }
    if (starts_with_two_colons(text, end)) {
      if (gap >= 0) {
        return nullptr;
      }
      gap = filled;
      ++text;
    }
    ++text;
  }
  if (gap < 0) {
    return filled == 16 ? text : nullptr;
  }
  if (filled == 16) {
    return nullptr;
  }
  std::copy_backward(bytes + gap, bytes + filled, bytes + 16);
  std::fill(bytes + gap, bytes + gap + (16 - filled), std::uint8_t{0});
  return text;
}

/// False if `socket_address` is of another family.
bool from_socket_address(const sockaddr_storage& socket_address, Address& address,
                         std::uint16_t& port) {
  if (socket_address.ss_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, &socket_address, sizeof ipv4);
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    std::memcpy(&address.bytes[12], &ipv4.sin_addr, 4);
    port = ntohs(ipv4.sin_port);
    return true;
  }
  if (socket_address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6;
    std::memcpy(&ipv6, &socket_address, sizeof ipv6);
    std::memcpy(address.bytes.data(), &ipv6.sin6_addr, 16);
    port = ntohs(ipv6.sin6_port);
    return true;
  }
  return false;
}

}  // namespace

const char* scan_address(const char* text, const char* end, Address& address) {
  if (const char* after = scan_ipv4(text, end, &address.bytes[12]); after != nullptr) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    return after;
  }
  return scan_ipv6(text, end, address);
}

bool parse_address(std::string_view text, Address& address) {
  const char* const end = text.data() + text.size();
  return scan_address(text.data(), end, address) == end;
}

std::string_view format_address(const Address& address, AddressText& text) {
  const bool is_ipv4 =
      std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  const std::uint8_t* const bytes = address.bytes.data() + (is_ipv4 ? 12 : 0);
  return ::inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes, text.characters, sizeof text.characters);
}

bool read_local_address(int descriptor, Address& address, Error& error) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  const Decimal number(descriptor);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    error.set({"getsockname of descriptor ", number.text(), ": ", std::strerror(errno),
               " (it must be the connection, as inetd's \"stream tcp nowait\" passes it)"});
    return false;
  }
  std::uint16_t port = 0;
  if (!from_socket_address(local, address, port)) {
    error.set({"getsockname of descriptor ", number.text(), ": not an internet socket"});
    return false;
  }
  return true;
}

bool read_peer_address(int descriptor, Address& address, std::uint16_t& port) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
         from_socket_address(peer, address, port);
}

}  // namespace virtuald
