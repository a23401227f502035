// In configurations as the HOWTO describes them, virtuald chooses the same root as the HOWTO's
// program.

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config_lookup.h"
#include "files.h"

namespace virtuald {
namespace {

/// The HOWTO's rules, from its text alone: "#" begins a comment; blank lines do not count; any
/// other line is an address, one space and a directory. The first line whose address equals the
/// connection's as text, or that says default, wins.
std::optional<std::string> choose_by_howto(const std::string& config, const std::string& address) {
  for (const std::string& line : testing_support::split_lines(config)) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    if (word == address || word == "default") {
      return line.substr(space + 1);
    }
  }
  return std::nullopt;
}

/// Random configurations over few addresses, so that repetitions and misses are common.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string address() {
    static const std::vector<std::string> kFirst = {"10.10.10.", "10.10.1.", "192.168.0.",
                                                    "127.0.0."};
    return kFirst[pick(4)] + std::to_string(pick(8) * 31);
  }

  std::string config() {
    std::string text;
    const unsigned lines = pick(30);
    for (unsigned line = 0; line < lines; ++line) {
      text += this->line() + "\n";
    }
    return text;
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_()) % count; }

  std::string directory() {
    return pick(10) == 0 ? "/"
                         : "/virtual/" + std::string(1, static_cast<char>('a' + pick(26))) + ".com";
  }

  std::string line() {
    switch (pick(12)) {
      case 0:
        return "";
      case 1:
        return "# " + address() + " " + directory();
      case 2:
        return "#";
      case 3:
        return pick(3) == 0 ? "default " + directory() : address() + " " + directory();
      default:
        return address() + " " + directory();
    }
  }

  std::mt19937 random_;
};

TEST(HowtoGrammar, gives_the_root_that_the_howtos_program_chose) {
  int found = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    Generator generator(seed);
    const std::string config = generator.config();
    const std::string address = generator.address();
    const std::optional<std::string> expected = choose_by_howto(config, address);
    const std::string actual = lookup(config, address.c_str());
    if (expected) {
      EXPECT_EQ(*expected, actual.substr(0, actual.find(" from line")))
          << config << "for " << address;
      ++found;
    } else {
      EXPECT_EQ("no entry: CONFIG: no entry for " + address + ", and no default", actual) << config;
      ++refused;
    }
  }
  EXPECT_GT(found, 200);
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace virtuald
