#include "virtuald/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>
#include <string>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

TEST(Error, is_operation_object_and_reason) {
  Error error;
  error.fail_errno("chroot", "/virtual/domain1.com", ENOENT);
  EXPECT_EQ("chroot /virtual/domain1.com: No such file or directory", error.text());
}

TEST(Message, stays_one_line_whatever_a_name_contains) {
  Error error;
  error.set({"open a\nb\x7f\x1b[31m", std::string_view("\0", 1)});
  EXPECT_EQ("open a\\x0ab\\x7f\\x1b[31m\\x00", error.text());
}

TEST(Message, contains_no_control_character) {
  Error error;
  error.set({"\xc2\x9b[31m"});
  EXPECT_EQ("\\xc2\\x9b[31m", error.text());
}

TEST(Message, is_cut_at_its_capacity) {
  Error error;
  error.set({std::string(Error::kCapacity - 2, 'a'), "\n", "bb"});
  EXPECT_EQ(std::string(Error::kCapacity - 2, 'a') + "bb", error.text());
  error.append("c");
  EXPECT_EQ(Error::kCapacity, error.text().size());
}

TEST(Decimal, writes_any_integer) {
  EXPECT_EQ("0", Decimal(0).text());
  EXPECT_EQ("-9223372036854775808", Decimal(std::numeric_limits<long long>::min()).text());
}

TEST(ModeText, is_what_chmod_takes) {
  EXPECT_EQ("0755", ModeText(040755).text());
  EXPECT_EQ("1777", ModeText(041777).text());
  EXPECT_EQ("0000", ModeText(0).text());
}

}  // namespace
}  // namespace virtuald
