#include "virtuald/address.h"

#include <endian.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_ipv4(const Address& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
}

// The scanners return the end of their part of the text, or nullptr. They need no end pointer,
// because every text ends in a character that cannot be part of an address. With inet_pton(3)
// instead, a look-up in a long configuration takes twice as long for IPv4, and four times as long
// for IPv6.

/// The value of a digit; above 9 for any other character.
unsigned decimal_value(char character) {
  return static_cast<unsigned>(character) - '0';
}

/// The same for a hexadecimal digit; above 15 for any other character.
unsigned hex_value(char character) {
  const unsigned digit = decimal_value(character);
  const unsigned letter = (static_cast<unsigned>(character) | 0x20) - 'a';
  return digit <= 9 ? digit : letter <= 5 ? letter + 10 : 16;
}

/// Scans one to three digits without a leading zero, and shifts them into `value` as its lowest
/// byte. Unrolled, because processors predict such short loops badly.
inline const char* scan_decimal(const char* text, std::uint32_t& value) {
  const unsigned first = decimal_value(text[0]);
  if (first > 9) {
    return nullptr;
  }
  const unsigned second = decimal_value(text[1]);
  if (second > 9) {
    value = value << 8 | first;
    return text + 1;
  }
  if (first == 0) {
    return nullptr;
  }
  const unsigned both = first * 10 + second;
  const unsigned third = decimal_value(text[2]);
  if (third > 9) {
    value = value << 8 | both;
    return text + 2;
  }
  const unsigned all = both * 10 + third;
  value = value << 8 | all;
  return all <= 255 ? text + 3 : nullptr;
}

/// Scans a dot and one more field.
inline const char* scan_next_decimal(const char* text, std::uint32_t& value) {
  return text != nullptr && *text == '.' ? scan_decimal(text + 1, value) : nullptr;
}

/// Scans four decimal fields.
inline const char* scan_ipv4(const char* text, std::uint32_t& value) {
  text = scan_decimal(text, value);
  text = scan_next_decimal(text, value);
  text = scan_next_decimal(text, value);
  return scan_next_decimal(text, value);
}

/// Scans eight groups of two bytes. "::" may replace one or more groups that are zero, and the last
/// two may be dotted decimal.
const char* scan_ipv6(const char* text, std::uint8_t* bytes) {
  constexpr int kSize = 16;
  int size = 0;
  int gap = -1;  // how many bytes precede "::"
  if (text[0] == ':' && text[1] == ':') {
    gap = 0;
    text += 2;
  }
  while (size < kSize) {
    const char* const group = text;
    unsigned value = 0;
    for (unsigned digit = 0; text - group < 4 && (digit = hex_value(*text)) <= 15; ++text) {
      value = value * 16 + digit;
    }
    if (text == group) {
      if (gap != size) {
        return nullptr;
      }
      break;
    }
    if (*text == '.') {
      std::uint32_t ipv4 = 0;
      text = size <= kSize - 4 ? scan_ipv4(group, ipv4) : nullptr;
      if (text == nullptr) {
        return nullptr;
      }
      ipv4 = ::htonl(ipv4);
      std::memcpy(bytes + size, &ipv4, 4);
      size += 4;
      break;
    }
    bytes[size++] = static_cast<std::uint8_t>(value >> 8);
    bytes[size++] = static_cast<std::uint8_t>(value);
    if (size == kSize || *text != ':') {
      break;
    }
    ++text;
    if (*text == ':') {
      if (gap >= 0) {
        return nullptr;
      }
      gap = size;
      ++text;
    }
  }
  if ((gap < 0) != (size == kSize)) {
    return nullptr;
  }
  for (int to = kSize; gap >= 0 && to > gap;) {
    bytes[--to] = size > gap ? bytes[--size] : std::uint8_t{0};
  }
  return text;
}

// The writers return the end of the text. inet_ntop(3) would link printf(3), a ninth of the
// program's size, and cost every connection another page fault.

char* write_ipv4(const std::uint8_t* bytes, char* text) {
  for (int field = 0; field < 4; ++field) {
    if (field > 0) {
      *text++ = '.';
    }
    text = std::to_chars(text, text + 3, bytes[field]).ptr;
  }
  return text;
}

/// Writes "::" for the first of the longest runs of two or more zero groups (RFC 5952, 4.2), and
/// dotted decimal after six zero groups.
char* write_ipv6(const std::uint8_t* bytes, char* text) {
  constexpr int kSize = 16;
  int gap = kSize;
  int gap_end = kSize;
  for (int begin = 0, end = 0; begin < kSize; begin = end + 2) {
    for (end = begin; end < kSize && bytes[end] == 0 && bytes[end + 1] == 0;) {
      end += 2;
    }
    if (end - begin > 2 && (gap == kSize || end - begin > gap_end - gap)) {
      gap = begin;
      gap_end = end;
    }
  }
  for (int at = 0; at < kSize; at += 2) {
    if (at == gap) {
      *text++ = ':';
      at = gap_end;
    }
    if (at > 0) {
      *text++ = ':';
    }
    if (at == 12 && gap == 0 && gap_end == at) {
      return write_ipv4(bytes + at, text);
    }
    if (at < kSize) {
      text = std::to_chars(text, text + 4, bytes[at] << 8 | bytes[at + 1], 16).ptr;
    }
  }
  return text;
}

/// True for 0.0.0.0 and "::".
bool is_unspecified(const Address& address) {
  const auto begin = address.bytes.begin() + (is_ipv4(address) ? 12 : 0);
  return std::count(begin, address.bytes.end(), 0) == address.bytes.end() - begin;
}

/// Returns whether this is a datagram socket, and if so discards the datagrams that are waiting:
/// otherwise inetd would start virtuald again at once.
bool drop_datagrams(int descriptor) {
  constexpr int kMost = 1024;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM) {
    return false;
  }
  char byte = 0;
  for (int count = 0; count < kMost && ::recv(descriptor, &byte, sizeof byte, MSG_DONTWAIT) >= 0;
       ++count) {
  }
  return true;
}

/// Returns false if `socket_address` is not an internet address.
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

const char* scan_address(const char* text, Address& address) {
  std::uint32_t ipv4 = 0;
  const char* const after = scan_ipv4(text, ipv4);
  if (after == nullptr) {
    return scan_ipv6(text, address.bytes.data());
  }
  // Stored as two numbers: the comparison that follows would stall after stores of single bytes.
  const std::uint64_t halves[2] = {0, ::htobe64(std::uint64_t{0xffff} << 32 | ipv4)};
  std::memcpy(address.bytes.data(), halves, sizeof halves);
  return after;
}

bool parse_address(const char* text, Address& address) {
  const char* const after = scan_address(text, address);
  return after != nullptr && *after == '\0';
}

std::string_view format_address(const Address& address, AddressText& text) {
  const bool is_short = is_ipv4(address);
  char* const end = is_short ? write_ipv4(&address.bytes[12], text.characters)
                             : write_ipv6(address.bytes.data(), text.characters);
  return {text.characters, end};
}

bool read_local_address(int descriptor, Address& address, Error& error) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  const Decimal number(descriptor);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    return error.fail({"getsockname of descriptor ", number.text(), ": ", std::strerror(errno),
                       " (it must be the connection, as inetd's \"stream tcp nowait\" passes it)"});
  }
  std::uint16_t port = 0;
  if (!from_socket_address(local, address, port)) {
    return error.fail({"getsockname of descriptor ", number.text(), ": not an internet socket"});
  }
  // The wildcard address of a listener would match the default.
  if (is_unspecified(address)) {
    if (drop_datagrams(descriptor)) {
      return error.fail({"getsockname of descriptor ", number.text(),
                         ": a UDP socket for every address, so the domain is unknown "
                         "(inetd must say \"stream\", or the address that it listens on)"});
    }
    return error.fail({"getsockname of descriptor ", number.text(),
                       ": not connected (inetd must say \"nowait\", xinetd \"wait = no\")"});
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
