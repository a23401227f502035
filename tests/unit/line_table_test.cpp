#include "virtuald/check/line_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace virtuald {
namespace {

Key key(std::size_t number) {
  Key bytes{};
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return bytes;
}

TEST(LineTable, knows_the_line_that_a_key_was_first_on) {
  LineTable table(1000);
  EXPECT_EQ(0U, table.add(key(1), 7));
  EXPECT_EQ(0U, table.add(key(2), 8));
  EXPECT_EQ(7U, table.add(key(1), 9));
  EXPECT_EQ(7U, table.add(key(1), 10));
}

/// The file may grow while it is read. A search in a full table would not end.
TEST(LineTable, misses_repetitions_beyond_its_capacity) {
  LineTable table(0);
  for (std::size_t number = 1; number <= 1000; ++number) {
    EXPECT_EQ(0U, table.add(key(number), number));
  }
  EXPECT_EQ(1U, table.add(key(1), 1001));
}

}  // namespace
}  // namespace virtuald
