// Parsing and formatting of addresses, compared with inet_pton(3) and inet_ntop(3).

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "require.h"
#include "virtuald/address.h"

namespace {

using virtuald::Address;

bool is_mapped(const Address& address) {
  constexpr std::uint8_t kPrefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix, kPrefix + sizeof kPrefix, address.bytes.begin());
}

/// Parses `text` with libc.
bool parse_with_libc(const std::string& text, Address& address) {
  if (text.find('\0') != std::string::npos) {
    return false;
  }
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    return true;
  }
  return ::inet_pton(AF_INET6, ("::ffff:" + text).c_str(), address.bytes.data()) == 1 &&
         ::inet_pton(AF_INET, text.c_str(), &address.bytes[12]) == 1;
}

void check_text(const std::string& text) {
  Address parsed;
  Address expected;
  const bool is_address =
      text.find('\0') == std::string::npos && virtuald::parse_address(text.c_str(), parsed);
  REQUIRE(is_address == parse_with_libc(text, expected));
  REQUIRE(!is_address || parsed == expected);
}

void check_bytes(const Address& address) {
  virtuald::AddressText text;
  const std::string formatted(virtuald::format_address(address, text));
  char expected[INET6_ADDRSTRLEN];
  const bool mapped = is_mapped(address);
  REQUIRE(::inet_ntop(mapped ? AF_INET : AF_INET6, &address.bytes[mapped ? 12 : 0], expected,
                      sizeof expected) != nullptr);
  REQUIRE(formatted == expected);
  Address again;
  REQUIRE(virtuald::parse_address(formatted.c_str(), again) && again == address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  check_text(text);
  Address address;
  std::copy_n(bytes, std::min(size, address.bytes.size()), address.bytes.begin());
  check_bytes(address);
  return 0;
}
