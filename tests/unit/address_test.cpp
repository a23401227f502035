#include "virtuald/address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>

#include "network.h"

namespace virtuald {
namespace {

/// The address in `text`, in virtuald's form; "none" if it is not an address.
std::string normal_form(const char* text) {
  Address address;
  AddressText buffer;
  return parse_address(text, address) ? std::string(format_address(address, buffer)) : "none";
}

TEST(ParseAddress, takes_ipv4_in_dotted_decimal) {
  EXPECT_EQ("10.10.10.129", normal_form("10.10.10.129"));
  EXPECT_EQ("0.0.0.0", normal_form("0.0.0.0"));
  EXPECT_EQ("255.255.255.255", normal_form("255.255.255.255"));
}

TEST(ParseAddress, refuses_malformed_ipv4) {
  for (const char* text :
       {"",          "1",         "1.2.3",     "1.2.3.",         ".1.2.3",     "1..2.3",
        "1.2.3.4.",  "1.2.3.4.5", "256.1.1.1", "1.2.3.256",      "1.2.3.1000", "01.2.3.4",
        "1.2.3.04",  "00.0.0.0",  "1.2.3.4 ",  " 1.2.3.4",       "+1.2.3.4",   "-1.2.3.4",
        "0x1.2.3.4", "1.2.3.a",   "1,2,3,4",   "10.10.10.129/32"}) {
    EXPECT_EQ("none", normal_form(text)) << text;
  }
}

TEST(ParseAddress, takes_every_form_of_ipv6) {
  for (const auto& [text, form] :
       {std::pair("::", "::"), std::pair("::1", "::1"), std::pair("1::", "1::"),
        std::pair("2001:DB8:0::81", "2001:db8::81"),
        std::pair("2001:0db8:0000:0000:0000:0000:0000:0081", "2001:db8::81"),
        std::pair("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        std::pair("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        std::pair("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        std::pair("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        std::pair("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304")}) {
    EXPECT_EQ(form, normal_form(text)) << text;
  }
}

TEST(ParseAddress, refuses_malformed_ipv6) {
  for (const char* text : {":",
                           ":::",
                           "1:",
                           ":1",
                           "1:2",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "1::2::3",
                           "::1::",
                           "12345::",
                           "::12345",
                           "g::",
                           "1:2:3:4:5:6:7:",
                           "1:2:3:4:5:6:7:8:",
                           "1:2:3:4:5:6:7::8",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::256.1.1.1",
                           "fe80::1%eth0",
                           "[::1]",
                           "::1/128"}) {
    EXPECT_EQ("none", normal_form(text)) << text;
  }
}

TEST(ParseAddress, treats_a_v4_mapped_address_as_ipv4) {
  EXPECT_EQ("10.10.10.129", normal_form("::ffff:10.10.10.129"));
  EXPECT_EQ("10.10.10.129", normal_form("::FFFF:a0a:a81"));
  Address mapped;
  Address plain;
  ASSERT_TRUE(parse_address("::ffff:10.10.10.129", mapped));
  ASSERT_TRUE(parse_address("10.10.10.129", plain));
  EXPECT_EQ(plain, mapped);
}

TEST(ParseAddress, keeps_other_embedded_ipv4_apart) {
  Address compatible;
  Address plain;
  ASSERT_TRUE(parse_address("::10.10.10.129", compatible));
  ASSERT_TRUE(parse_address("10.10.10.129", plain));
  EXPECT_FALSE(compatible == plain);
}

TEST(ScanAddress, stops_at_the_end_of_the_address) {
  const char* const text = "10.0.0.1 /virtual";
  Address address;
  EXPECT_EQ(text + 8, scan_address(text, address));
}

TEST(ParseAddress, refuses_text_after_the_address) {
  const std::string text = "10.10.10.129";
  Address address;
  for (std::size_t size = 0; size < text.size() - 2; ++size) {
    EXPECT_FALSE(parse_address(text.substr(0, size).c_str(), address)) << size;
  }
  EXPECT_FALSE(parse_address((text + " /virtual").c_str(), address));
  EXPECT_FALSE(parse_address(std::string(300, ':').c_str(), address));
}

std::string local_address_of(int descriptor) {
  Address address;
  AddressText text;
  Error error;
  return read_local_address(descriptor, address, error) ? std::string(format_address(address, text))
                                                        : std::string(error.text());
}

TEST(ReadLocalAddress, is_the_address_the_client_reached) {
  const auto connection = testing_support::connect_pair("0.0.0.0", "127.0.0.2");
  EXPECT_EQ("127.0.0.2", local_address_of(connection.server.get()));
}

TEST(ReadLocalAddress, works_with_ipv6) {
  const auto connection = testing_support::connect_pair("::1");
  EXPECT_EQ("::1", local_address_of(connection.server.get()));
}

TEST(ReadLocalAddress, reports_ipv4_of_a_dual_stack_listener_as_ipv4) {
  const auto connection = testing_support::connect_pair("::", "127.0.0.3");
  EXPECT_EQ("127.0.0.3", local_address_of(connection.server.get()));
}

TEST(ReadLocalAddress, refuses_a_unix_socket) {
  int pair[2];
  ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  EXPECT_EQ("getsockname of descriptor " + std::to_string(pair[0]) + ": not an internet socket",
            local_address_of(pair[0]));
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(ReadPeerAddress, is_the_client) {
  const auto connection = testing_support::connect_pair("127.0.0.2");
  Address address;
  AddressText text;
  std::uint16_t port = 0;
  ASSERT_TRUE(read_peer_address(connection.server.get(), address, port));
  EXPECT_EQ("127.0.0.1", format_address(address, text));
  EXPECT_NE(port, 0);
}

}  // namespace
}  // namespace virtuald
