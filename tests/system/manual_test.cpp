// The manual says what the programs do: their usage, and every message of virtuald.

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "files.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = kSourceDirectory;

/// Runs of white space as one space, none at the ends.
std::string squeeze(const std::string& text) {
  const std::string single = std::regex_replace(text, std::regex(R"(\s+)"), " ");
  return std::regex_replace(single, std::regex("^ | $"), "");
}

/// One section of a page as it is read, with all white space squeezed.
std::string section(const fs::path& page, const std::string& name) {
  Outcome outcome = run({"mandoc", "-T", "ascii", "-O", "width=500", page.string()});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  // Bold and underlined text is overstruck.
  outcome.output = std::regex_replace(outcome.output, std::regex(".\b"), "");
  std::string text;
  bool inside = false;
  for (const std::string& line : split_lines(outcome.output)) {
    if (!line.empty() && line.front() != ' ') {
      inside = line == name;
    } else if (inside) {
      text += line + "\n";
    }
  }
  return squeeze(text);
}

/// The forms of a command: the first lines of what its -h prints.
std::string usage(const std::string& program) {
  const Outcome outcome = run({program, "-h"});
  std::string forms;
  for (const std::string& line : split_lines(outcome.output)) {
    if (!line.starts_with("usage: ") && !line.starts_with("       ")) {
      break;
    }
    forms += line.substr(7) + "\n";
  }
  return squeeze(forms);
}

struct Page {
  std::string program;
  fs::path page;
};

/// Shows a page where a test says what its parameter is.
void PrintTo(const Page& page, std::ostream* stream) {
  *stream << page.page.stem();
}

class Manual : public ::testing::TestWithParam<Page> {
 protected:
  void SetUp() override { NEEDS_PRIVATE_WORLD(); }
};

TEST_P(Manual, synopsis_is_the_usage) {
  EXPECT_EQ(section(GetParam().page, "SYNOPSIS"), usage(GetParam().program));
}

/// Every option of the usage has an item of its own on the page.
TEST_P(Manual, every_option_is_described) {
  const std::string forms = usage(GetParam().program);
  const std::string page = read_file(GetParam().page);
  std::set<char> letters;
  const std::regex bundle(R"((?:^|[\[ |])-([A-Za-z]+))");
  for (std::sregex_iterator match(forms.begin(), forms.end(), bundle), end; match != end; ++match) {
    const std::string text = (*match)[1];
    letters.insert(text.begin(), text.end());
  }
  letters.erase('h');  // prints the usage, everywhere
  for (const char letter : letters) {
    EXPECT_NE(page.find(std::string(".It Fl ") + letter), std::string::npos) << letter;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Manual,
    ::testing::Values(
        Page{kVirtuald, kSource / "src/virtuald.8.in"},
        Page{kSource / "scripts/bin/virtfs", kSource / "scripts/man/virtfs.8"},
        Page{kSource / "scripts/bin/virtexec", kSource / "scripts/man/virtexec.8.in"},
        Page{kSource / "scripts/bin/syslog.init", kSource / "scripts/man/syslog.init.8.in"},
        Page{kSource / "scripts/bin/sendmail.init", kSource / "scripts/man/sendmail.init.8.in"}),
    [](const auto& page) {
      const fs::path program = page.param.page.stem();
      return std::regex_replace(program.stem().string(), std::regex("\\."), "_");
    });

/// The string literals of a source file that are words of a message.
std::set<std::string> message_parts(const fs::path& file) {
  const std::string code = std::regex_replace(read_file(file), std::regex("//[^\n]*"), "");
  const std::regex literal(R"re("((?:[^"\\\n]|\\.)*)")re");
  std::set<std::string> parts;
  std::string joined;
  std::size_t last_end = 0;
  for (std::sregex_iterator match(code.begin(), code.end(), literal), end; match != end; ++match) {
    const auto at = static_cast<std::size_t>(match->position());
    const bool continues = squeeze(code.substr(last_end, at - last_end)).empty() && last_end > 0;
    if (!continues) {
      parts.insert(joined);
      joined.clear();
    }
    joined += (*match)[1].str();
    last_end = at + static_cast<std::size_t>(match->length());
  }
  parts.insert(joined);
  // The first words of what errno explains may be alone.
  const std::regex operations(R"re(fail_errno\(([^;]*?), )re");
  std::set<std::string> alone;
  for (std::sregex_iterator match(code.begin(), code.end(), operations), end; match != end;
       ++match) {
    const std::string operands = (*match)[1];
    for (std::sregex_iterator word(operands.begin(), operands.end(), literal); word != end;
         ++word) {
      alone.insert((*word)[1]);
    }
  }
  std::erase_if(parts, [](const std::string& part) {
    return part.starts_with("usage:") ||
           !std::regex_search(part, std::regex("[A-Za-z-]+ [A-Za-z0-9]"));
  });
  parts.merge(alone);
  return parts;
}

TEST(Diagnostics, hold_every_message) {
  NEEDS_PRIVATE_WORLD();
  const std::string text = section(kSource / "src/virtuald.8.in", "DIAGNOSTICS");
  int found = 0;
  for (const char* name :
       {"address", "check/check", "check/loader", "check/trial", "config", "bounds",
        "enter/session", "enter/terminal", "identity", "inherited", "isolation", "main", "by_hand",
        "front", "options", "program", "root", "trust"}) {
    for (std::string part : message_parts(kSource / "src" / (std::string(name) + ".cpp"))) {
      part = squeeze(std::regex_replace(part, std::regex(R"(\\(.))"), "$1"));
      EXPECT_NE(text.find(part), std::string::npos) << name << ".cpp: " << part;
      ++found;
    }
  }
  EXPECT_GT(found, 30);
}

}  // namespace
}  // namespace testing_support
