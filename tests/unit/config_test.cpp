#include "virtuald/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "config_lookup.h"

namespace virtuald {
namespace {

/// How the parser understands one line, with or without its \n: "blank", "ADDRESS DIRECTORY",
/// "default DIRECTORY" or "fault: ...".
std::string parsed(std::string text) {
  text += '\n';
  Line line;
  static_cast<void>(parse_line(text.c_str(), line));
  AddressText address;
  switch (line.kind) {
    case Line::Kind::blank:
      return "blank";
    case Line::Kind::entry:
      return std::string(format_address(line.address, address)) + " " + std::string(line.directory);
    case Line::Kind::fallback:
      return "default " + std::string(line.directory);
    case Line::Kind::fault:
      break;
  }
  return "fault: " + std::string(line.culprit) + line.reason;
}

TEST(ParseLine, takes_an_address_or_default_and_a_directory) {
  for (const auto& [text, entry] :
       {std::pair("10.10.10.129 /virtual/domain1.com", "10.10.10.129 /virtual/domain1.com"),
        std::pair("2001:DB8:0::81 /virtual/domain1.com", "2001:db8::81 /virtual/domain1.com"),
        std::pair("default /", "default /"),
        std::pair("default\t/virtual/other", "default /virtual/other")}) {
    EXPECT_EQ(entry, parsed(text)) << text;
  }
}

TEST(ParseLine, takes_any_blanks_between_and_around) {
  EXPECT_EQ("10.0.0.1 /a", parsed(" \t10.0.0.1 \t /a \t \n"));
}

TEST(ParseLine, takes_cr_lf) {
  for (const char* text : {"10.0.0.1 /a\r\n", "10.0.0.1 /a \r\n", "10.0.0.1 /a\r"}) {
    EXPECT_EQ("10.0.0.1 /a", parsed(text)) << text;
  }
}

TEST(ParseLine, ignores_comments_and_blank_lines) {
  for (const char* text :
       {"\n", "\r\n", "  \t\n", "   ", "#\n", "# only", "  # indented\n", "#10.0.0.1 /a\n"}) {
    EXPECT_EQ("blank", parsed(text)) << text;
  }
}

TEST(ParseLine, moves_to_the_next_line) {
  const char* const text = "# one\nnonsense here and there\n10.0.0.1 /a\r\ndefault /b\n";
  Line line;
  const char* next = parse_line(text, line);
  EXPECT_STREQ("nonsense here and there\n10.0.0.1 /a\r\ndefault /b\n", next);
  next = parse_line(next, line);
  EXPECT_EQ(Line::Kind::fault, line.kind);
  EXPECT_STREQ("10.0.0.1 /a\r\ndefault /b\n", next);
  next = parse_line(next, line);
  EXPECT_STREQ("default /b\n", next);
  EXPECT_STREQ("", parse_line(next, line));
}

TEST(ParseLine, refuses_a_word_that_is_not_an_address) {
  for (const std::string word :
       {"10.10.10.300", "ftp.domain1.com", "10.0.0.1/24", "DEFAULT", "defaults", "/a"}) {
    EXPECT_EQ("fault: " + word + " is not an address", parsed(word + " /a\n"));
  }
}

TEST(ParseLine, refuses_a_missing_directory) {
  EXPECT_EQ("fault: 10.0.0.1 has no directory", parsed("10.0.0.1\n"));
  EXPECT_EQ("fault: 10.0.0.1 has no directory", parsed("10.0.0.1  \r\n"));
  EXPECT_EQ("fault: default has no directory", parsed("default"));
}

TEST(ParseLine, refuses_a_relative_directory) {
  EXPECT_EQ("fault: virtual/a is not an absolute directory", parsed("10.0.0.1 virtual/a\n"));
  EXPECT_EQ("fault: . is not an absolute directory", parsed("default .\n"));
}

TEST(ParseLine, refuses_white_space_in_a_directory) {
  const std::string reason =
      "fault: /a is followed by more text (a directory cannot contain white space)";
  for (const char* rest : {"a b", "a # comment", "a\tb", "a\rb", "a\vb"}) {
    EXPECT_EQ(reason, parsed(std::string("10.0.0.1 /") + rest + "\n"));
  }
}

TEST(ParseLine, refuses_a_nul_byte_anywhere) {
  for (const std::string_view text :
       {std::string_view("10.0.0.1 /a\0b\n", 14), std::string_view("10.0.0.1\0 /a\n", 13),
        std::string_view("\0\n", 2), std::string_view("# \0\n", 4),
        std::string_view("default /\0\n", 11)}) {
    EXPECT_EQ("fault: a NUL byte", parsed(std::string(text))) << text;
  }
}

TEST(ParseLine, takes_the_longest_line_and_refuses_a_longer_one) {
  const std::string longest = "10.0.0.1 /" + std::string(kMaxLine - 10, 'a');
  EXPECT_EQ(kMaxLine, longest.size());
  EXPECT_EQ(longest, parsed(longest + "\n"));
  EXPECT_EQ(longest, parsed(longest));
  EXPECT_EQ("fault: longer than 4352 bytes", parsed(longest + "a\n"));
  EXPECT_EQ("fault: longer than 4352 bytes", parsed("#" + std::string(kMaxLine, 'a')));
  EXPECT_EQ("fault: longer than 4352 bytes", parsed(std::string(kMaxLine + 1, ' ')));
}

TEST(ParseLine, takes_bytes_above_127_in_a_directory) {
  EXPECT_EQ("10.0.0.1 /b\xc3\xbc\xff", parsed("10.0.0.1 /b\xc3\xbc\xff\n"));
}

constexpr const char* kHowtoConfig =
    "# This is a comment and so are blank lines\n"
    "\n"
    "10.10.10.129 /virtual/domain1.com\n"
    "10.10.10.130 /virtual/domain2.com\n"
    "2001:db8::81 /virtual/domain1.com\n"
    "default /\n";

TEST(FindRoot, takes_the_first_line_that_matches) {
  EXPECT_EQ("/virtual/domain1.com from line 3", lookup(kHowtoConfig, "10.10.10.129"));
  EXPECT_EQ("/virtual/domain2.com from line 4", lookup(kHowtoConfig, "10.10.10.130"));
  EXPECT_EQ("/a from line 1", lookup("10.0.0.1 /a\n10.0.0.1 /b\n", "10.0.0.1"));
}

TEST(FindRoot, compares_addresses_and_not_text) {
  EXPECT_EQ("/virtual/domain1.com from line 5", lookup(kHowtoConfig, "2001:DB8:0::81"));
  EXPECT_EQ("/virtual/domain1.com from line 3", lookup(kHowtoConfig, "::ffff:10.10.10.129"));
  EXPECT_EQ("/a from line 1", lookup("::ffff:a0a:a81 /a\n", "10.10.10.129"));
}

TEST(FindRoot, needs_no_line_end) {
  EXPECT_EQ("/a from line 2", lookup("10.0.0.2 /b\n10.0.0.1 /a", "10.0.0.1"));
}

TEST(FindRoot, falls_back_to_default) {
  EXPECT_EQ("/ from line 6", lookup(kHowtoConfig, "10.10.10.200"));
}

TEST(FindRoot, ignores_lines_after_default) {
  EXPECT_EQ("/a from line 1", lookup("default /a\n10.0.0.1 /b\n", "10.0.0.1"));
  EXPECT_EQ("/a from line 1", lookup("default /a\nnonsense\n", "10.0.0.1"));
}

TEST(FindRoot, says_where_no_entry_was_found) {
  EXPECT_EQ("no entry: CONFIG: no entry for 10.10.10.200, and no default",
            lookup("10.10.10.129 /a\n", "10.10.10.200"));
  EXPECT_EQ("no entry: CONFIG: no entry for ::1, and no default", lookup("", "::1"));
}

TEST(FindRoot, stops_at_a_faulty_line) {
  EXPECT_EQ("failed: CONFIG:2: 10.10.10.300 is not an address",
            lookup("# c\n10.10.10.300 /a\ndefault /\n", "10.0.0.1"));
  EXPECT_EQ("failed: CONFIG:1: 10.0.0.9 has no directory",
            lookup("10.0.0.9\ndefault /\n", "10.0.0.1"));
}

TEST(FindRoot, does_not_parse_lines_after_the_match) {
  EXPECT_EQ("/a from line 1", lookup("10.0.0.1 /a\nnonsense\n", "10.0.0.1"));
}

// The border of two pieces is at each position in the line in turn.
TEST(FindRoot, finds_lines_across_the_border_of_pieces) {
  constexpr std::size_t kPiece = 64 * 1024;
  const std::string entry = "10.0.0.1 /virtual/domain1.com\n";
  for (std::size_t before = kPiece - entry.size() - 2; before < kPiece + 2; ++before) {
    std::string text(before - 1, ' ');
    for (std::size_t at = 100; at < text.size(); at += 100) {
      text[at] = '\n';
    }
    const std::size_t lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_EQ("/virtual/domain1.com from line " + std::to_string(lines + 2),
              lookup(text + "\n" + entry, "10.0.0.1"));
  }
}

TEST(FindRoot, refuses_a_line_of_any_length_by_its_number) {
  for (const std::size_t size : {4353UL, 65535UL, 65536UL, 65537UL, 300000UL}) {
    EXPECT_EQ("failed: CONFIG:2: longer than 4352 bytes",
              lookup("# c\n" + std::string(size, 'a') + "\ndefault /\n", "10.0.0.1"));
  }
}

TEST(FindRoot, finds_the_last_of_many_lines) {
  std::string text;
  for (int index = 0; index < 100000; ++index) {
    text += "10." + std::to_string(index >> 16) + "." + std::to_string(index >> 8 & 255) + "." +
            std::to_string(index & 255) + " /virtual/domain" + std::to_string(index) + ".com\n";
  }
  EXPECT_EQ("/virtual/domain99999.com from line 100000", lookup(text, "10.1.134.159"));
}

}  // namespace
}  // namespace virtuald
