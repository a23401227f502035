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

/// What is no hexadecimal digit in kHexValues; larger than any that is.
constexpr unsigned kNoDigit = 16;

/// The values of all characters as hexadecimal digits.
constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (unsigned digit = 0; digit < 10; ++digit) {
    values['0' + digit] = static_cast<std::uint8_t>(digit);
  }
  for (unsigned digit = 10; digit < 16; ++digit) {
    values['a' + digit - 10] = values['A' + digit - 10] = static_cast<std::uint8_t>(digit);
  }
  return values;
}();

unsigned decimal_value(char character) {
  return static_cast<unsigned>(character) - '0';  // above 9 if it is no digit
}

unsigned hex_value(char character) {
  return kHexValues[static_cast<unsigned char>(character)];
}

/// Four decimal fields of one to three digits into four bytes. Returns where they end, or nullptr.
const char* scan_ipv4(const char* text, const char* end, std::uint8_t* bytes) {
  for (int field = 0; field < 4; ++field) {
    if (field > 0 && (text == end || *text++ != '.')) {
      return nullptr;
    }
    unsigned value = text != end ? decimal_value(*text++) : kNoDigit;
    if (value > 9) {
      return nullptr;
    }
    for (int more = 0; more < 2 && text != end && decimal_value(*text) <= 9; ++more) {
      if (value == 0) {
        return nullptr;
      }
      value = value * 10 + decimal_value(*text++);
    }
    if (value > 255) {
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
  constexpr int kGroups = 8;
  unsigned groups[kGroups];
  int count = 0;
  int gap = -1;  // how many of them stand before "::"
  if (starts_with_two_colons(text, end)) {
    gap = 0;
    text += 2;
  }
  while (count < kGroups) {
    const char* const group = text;
    unsigned value = 0;
    while (text != end && text - group < 4 && hex_value(*text) != kNoDigit) {
      value = value * 16 + hex_value(*text++);
    }
    if (text == group) {
      if (gap != count) {
        return nullptr;
      }
      break;
    }
    if (text != end && *text == '.') {
      std::uint8_t ipv4[4];
      text = count <= kGroups - 2 ? scan_ipv4(group, end, ipv4) : nullptr;
      if (text == nullptr) {
        return nullptr;
      }
      groups[count++] = unsigned{ipv4[0]} << 8 | ipv4[1];
      groups[count++] = unsigned{ipv4[2]} << 8 | ipv4[3];
      break;
    }
    groups[count++] = value;
    if (count == kGroups || text == end || *text != ':') {
      break;
    }
    if (starts_with_two_colons(text, end)) {
      if (gap >= 0) {
        return nullptr;
      }
      gap = count;
      ++text;
    }
    ++text;
  }
  if ((gap < 0) != (count == kGroups)) {
    return nullptr;
  }
  address.bytes = {};
  for (int index = 0; index < count; ++index) {
    const int place = 2 * (index < gap || gap < 0 ? index : index + kGroups - count);
    address.bytes[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(groups[index] >> 8);
    address.bytes[static_cast<std::size_t>(place + 1)] = static_cast<std::uint8_t>(groups[index]);
  }
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
