#include "virtuald/address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
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

// The scanners do not look for the end of the text at each character. They read no more than
// kScanned characters, and what follows the text is no part of any address.
constexpr std::size_t kScanned = 48;

/// One to three digits, shifted into `value` as its lowest byte. Returns where they end, or
/// nullptr.
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

/// A dot and one more field.
inline const char* scan_next_decimal(const char* text, std::uint32_t& value) {
  return text != nullptr && *text == '.' ? scan_decimal(text + 1, value) : nullptr;
}

/// Four decimal fields. Returns where they end, or nullptr.
inline const char* scan_ipv4(const char* text, std::uint32_t& value) {
  text = scan_decimal(text, value);
  text = scan_next_decimal(text, value);
  text = scan_next_decimal(text, value);
  return scan_next_decimal(text, value);
}

/// An address from its two halves. Stored whole, since single bytes could not be read back at once
/// for the comparison that follows.
inline void store(std::uint64_t high, std::uint64_t low, Address& address) {
  if constexpr (std::endian::native == std::endian::little) {
    high = __builtin_bswap64(high);
    low = __builtin_bswap64(low);
  }
  std::memcpy(&address.bytes[0], &high, sizeof high);
  std::memcpy(&address.bytes[8], &low, sizeof low);
}

/// Eight groups, of which "::" may stand for one or more that are zero.
[[gnu::noinline]] const char* scan_ipv6(const char* text, Address& address) {
  constexpr int kGroups = 8;
  unsigned groups[kGroups];
  int count = 0;
  int gap = -1;  // how many of them stand before "::"
  if (text[0] == ':' && text[1] == ':') {
    gap = 0;
    text += 2;
  }
  while (count < kGroups) {
    const char* const group = text;
    unsigned value = 0;
    for (unsigned digit = 0; text - group < 4 && (digit = hex_value(*text)) != kNoDigit; ++text) {
      value = value * 16 + digit;
    }
    if (text == group) {
      if (gap != count) {
        return nullptr;
      }
      break;
    }
    if (*text == '.') {
      std::uint32_t ipv4 = 0;
      text = count <= kGroups - 2 ? scan_ipv4(group, ipv4) : nullptr;
      if (text == nullptr) {
        return nullptr;
      }
      groups[count++] = ipv4 >> 16;
      groups[count++] = ipv4 & 0xffff;
      break;
    }
    groups[count++] = value;
    if (count == kGroups || *text != ':') {
      break;
    }
    ++text;
    if (*text == ':') {
      if (gap >= 0) {
        return nullptr;
      }
      gap = count;
      ++text;
    }
  }
  if ((gap < 0) != (count == kGroups)) {
    return nullptr;
  }
  std::uint64_t halves[2] = {};
  for (int index = 0; index < count; ++index) {
    const int place = index < gap || gap < 0 ? index : index + kGroups - count;
    halves[place / 4] |= std::uint64_t{groups[index]} << (48 - place % 4 * 16);
  }
  store(halves[0], halves[1], address);
  return text;
}

/// An address with kScanned readable characters.
inline const char* scan(const char* text, Address& address) {
  std::uint32_t ipv4 = 0;
  if (const char* after = scan_ipv4(text, ipv4); after != nullptr) {
    store(0, std::uint64_t{0xffff} << 32 | ipv4, address);
    return after;
  }
  return scan_ipv6(text, address);
}

/// An address near the end of the text.
[[gnu::noinline]] const char* scan_short(const char* text, const char* end, Address& address) {
  char copy[kScanned] = {};
  std::copy(text, end, copy);
  const char* const after = scan(copy, address);
  return after != nullptr ? text + (after - copy) : nullptr;
}

// The writers return where the text ends. inet_ntop(3) would bring printf(3) into the program, a
// fifth of its size.

char* write_number(unsigned number, int base, char* text) {
  return std::to_chars(text, text + 4, number, base).ptr;
}

char* write_ipv4(const std::uint8_t* bytes, char* text) {
  for (int field = 0; field < 4; ++field) {
    if (field > 0) {
      *text++ = '.';
    }
    text = write_number(bytes[field], 10, text);
  }
  return text;
}

/// The first of the longest runs of two or more groups that are zero is "::" (RFC 5952, 4.2), and
/// what follows six of them is dotted decimal.
char* write_ipv6(const std::uint8_t* bytes, char* text) {
  constexpr std::size_t kGroups = 8;
  unsigned groups[kGroups];
  for (std::size_t index = 0; index < kGroups; ++index) {
    groups[index] = unsigned{bytes[2 * index]} << 8 | bytes[2 * index + 1];
  }
  std::size_t gap = kGroups;
  std::size_t gap_size = 1;
  for (std::size_t index = 0; index < kGroups; ++index) {
    const std::size_t begin = index;
    while (index < kGroups && groups[index] == 0) {
      ++index;
    }
    if (index - begin > gap_size) {
      gap = begin;
      gap_size = index - begin;
    }
  }
  for (std::size_t index = 0; index < kGroups; ++index) {
    if (index == gap) {
      *text++ = ':';
      index += gap_size;
      if (index == kGroups) {
        *text++ = ':';
        break;
      }
    }
    if (index > 0) {
      *text++ = ':';
    }
    if (index == 6 && gap == 0 && gap_size == 6) {
      return write_ipv4(bytes + 12, text);
    }
    text = write_number(groups[index], 16, text);
  }
  return text;
}

/// Whether it is 0.0.0.0 or "::".
bool is_unspecified(const Address& address) {
  const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
  const bool is_ipv4 =
      std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  return std::all_of(address.bytes.begin() + (is_ipv4 ? 12 : 0), address.bytes.end(), is_zero);
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
  if (static_cast<std::size_t>(end - text) < kScanned) {
    return scan_short(text, end, address);
  }
  return scan(text, address);
}

bool parse_address(std::string_view text, Address& address) {
  const char* const end = text.data() + text.size();
  return scan_address(text.data(), end, address) == end;
}

std::string_view format_address(const Address& address, AddressText& text) {
  const bool is_ipv4 =
      std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  char* const end = is_ipv4 ? write_ipv4(&address.bytes[12], text.characters)
                            : write_ipv6(address.bytes.data(), text.characters);
  return {text.characters, static_cast<std::size_t>(end - text.characters)};
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
  // A listener's address would match any default.
  if (is_unspecified(address)) {
    error.set({"getsockname of descriptor ", number.text(),
               ": not connected (inetd must say \"nowait\", xinetd \"wait = no\")"});
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
