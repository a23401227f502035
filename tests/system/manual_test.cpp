// The manual, as mandoc prints it, matches the programs: their usage, and their exact messages.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "files.h"
#include "paths.h"
#include "process.h"
#include "world.h"

/// Skips the test if mandoc(1) is not installed.
#define NEEDS_MANDOC()                                                         \
  do {                                                                         \
    if (testing_support::run({"sh", "-c", "command -v mandoc"}).status != 0) { \
      SKIP_OR_FAIL("needs the package mandoc");                                \
    }                                                                          \
  } while (false)

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = kSourceDirectory;

/// Reduces white space to single spaces, and removes it at the ends.
std::string squeeze(const std::string& text) {
  const std::string single = std::regex_replace(text, std::regex(R"(\s+)"), " ");
  return std::regex_replace(single, std::regex("^ | $"), "");
}

/// The lines of a section of a page, rendered for a terminal of that kind, "ascii" or "utf8".
std::vector<std::string> section_lines(const fs::path& page, const std::string& name,
                                       const std::string& terminal) {
  Outcome outcome = run({"mandoc", "-T", terminal, "-O", "width=500", page.string()});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  // Bold and underlined text is overstruck.
  outcome.output = std::regex_replace(outcome.output, std::regex(".\b"), "");
  std::vector<std::string> lines;
  bool inside = false;
  for (const std::string& line : split_lines(outcome.output)) {
    if (!line.empty() && line.front() != ' ') {
      inside = line == name;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

/// A section of a rendered page, with white space squeezed.
std::string section(const fs::path& page, const std::string& name) {
  std::string text;
  for (const std::string& line : section_lines(page, name, "ascii")) {
    text += line + "\n";
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

/// Prints a page as a test's parameter.
void PrintTo(const Page& page, std::ostream* stream) {
  *stream << page.page.stem();
}

/// The name of a page as part of a test's name.
std::string page_name(const ::testing::TestParamInfo<Page>& page) {
  const fs::path program = page.param.page.stem();
  return std::regex_replace(program.stem().string(), std::regex("\\."), "_");
}

class Manual : public ::testing::TestWithParam<Page> {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    NEEDS_MANDOC();
  }
};

TEST_P(Manual, synopsis_is_the_usage) {
  EXPECT_EQ(section(GetParam().page, "SYNOPSIS"), usage(GetParam().program));
}

/// Every option of the usage has an item on the page.
TEST_P(Manual, every_option_is_described) {
  const std::string forms = usage(GetParam().program);
  const std::string page = read_file(GetParam().page);
  std::set<char> letters;
  const std::regex bundle(R"((?:^|[\[ |])-([A-Za-z]+))");
  for (std::sregex_iterator match(forms.begin(), forms.end(), bundle), end; match != end; ++match) {
    const std::string text = (*match)[1];
    letters.insert(text.begin(), text.end());
  }
  letters.erase('h');  // prints the usage in every program
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
    page_name);

/// The string literals of a source file that are parts of a message.
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
  // The operation of a message with errno may be a single word.
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

/// The messages that a page explains, from its source.
std::vector<std::string> explained_messages(const fs::path& page) {
  const std::string item = ".It ";
  std::vector<std::string> messages;
  bool inside = false;
  for (const std::string& line : split_lines(read_file(page))) {
    if (line.starts_with(".Sh ")) {
      inside = line == ".Sh DIAGNOSTICS";
    } else if (inside && line.starts_with(item)) {
      std::string message = std::regex_replace(line.substr(item.size()), std::regex(R"(\\&)"), "");
      message = std::regex_replace(message, std::regex(R"(\\\(dq)"), "\"");
      messages.push_back(message);
    }
  }
  return messages;
}

class Messages : public ::testing::TestWithParam<Page> {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    NEEDS_MANDOC();
  }
};

/// No word is taken for a macro, and each message has its own line.
TEST_P(Messages, are_rendered_unchanged) {
  const std::vector<std::string> messages = explained_messages(GetParam().page);
  EXPECT_FALSE(messages.empty());
  for (const char* terminal : {"ascii", "utf8"}) {
    const std::vector<std::string> lines = section_lines(GetParam().page, "DIAGNOSTICS", terminal);
    for (const std::string& message : messages) {
      EXPECT_EQ(1, std::count(lines.begin(), lines.end(), "     " + message))
          << terminal << ": " << message;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Messages,
                         ::testing::Values(Page{kVirtuald, kSource / "src/virtuald.8.in"},
                                           Page{kSource / "scripts/bin/virtexec",
                                                kSource / "scripts/man/virtexec.8.in"},
                                           Page{kSource / "scripts/bin/syslog.init",
                                                kSource / "scripts/man/syslog.init.8.in"},
                                           Page{kSource / "scripts/bin/sendmail.init",
                                                kSource / "scripts/man/sendmail.init.8.in"}),
                         page_name);

/// The scripts whose pages explain their messages, with the files that they source.
const std::map<std::string, std::vector<std::string>> kScripts = {
    {"virtexec", {"common.sh"}},
    {"sendmail.init", {"common.sh", "init.sh", "processes.sh"}},
    {"syslog.init", {"common.sh", "init.sh", "processes.sh", "log_link.sh"}}};

/// The messages that a script prints with `functions`, as expressions that match the messages of a
/// page, which has names in capitals instead of the script's variables.
std::vector<std::string> script_messages(const std::string& name, const std::string& functions) {
  std::string code = read_file(kSource / "scripts/bin" / name);
  for (const std::string& file : kScripts.at(name)) {
    code += read_file(kSource / "scripts/share/virtuald" / file);
  }
  // A command that fills in a part of the message has its own quotes.
  const std::string plain =
      std::regex_replace(code, std::regex(R"re(\$\([a-z_]+ "\$[^"\n]+"\))re"), "$$x");
  const std::regex message(R"re(\b(?:)re" + functions +
                           R"re() (?:"([^"\n]*[^"\n$\d][^"\n]*)"|'([^'\n]*)'))re");
  std::vector<std::string> expressions;
  for (std::sregex_iterator match(plain.begin(), plain.end(), message), end; match != end;
       ++match) {
    const std::string text = (*match)[1].str() + (*match)[2].str();
    const std::string fixed = std::regex_replace(text, std::regex(R"(\$(\w+|\{[^}]*\}))"), "\n");
    const std::string quoted = std::regex_replace(fixed, std::regex(R"([.()*+?\[\]])"), R"(\$&)");
    expressions.push_back(std::regex_replace(quoted, std::regex("\n"), "[A-Z]+"));
  }
  return expressions;
}

TEST(Diagnostics, of_the_scripts_are_messages_that_they_print) {
  NEEDS_PRIVATE_WORLD();
  for (const auto& [name, files] : kScripts) {
    const std::vector<std::string> messages = script_messages(name, "warn|tell|die");
    for (const std::string& explained :
         explained_messages(kSource / "scripts/man" / (name + ".8.in"))) {
      EXPECT_TRUE(std::any_of(messages.begin(), messages.end(),
                              [&](const std::string& message) {
                                return std::regex_match(explained, std::regex(message));
                              }))
          << name << ": " << explained;
    }
  }
}

TEST(Diagnostics, of_the_scripts_list_every_warning_and_error) {
  NEEDS_PRIVATE_WORLD();
  for (const auto& [name, files] : kScripts) {
    const std::vector<std::string> explained =
        explained_messages(kSource / "scripts/man" / (name + ".8.in"));
    const std::vector<std::string> messages = script_messages(name, "warn|die");
    EXPECT_GT(messages.size(), 5U) << name;
    for (const std::string& message : messages) {
      EXPECT_TRUE(std::any_of(
          explained.begin(), explained.end(),
          [&](const std::string& text) { return std::regex_match(text, std::regex(message)); }))
          << name << ": " << message;
    }
  }
}

/// The C library's error messages are not in the source files.
TEST(Diagnostics, explain_a_missing_root_and_a_missing_program) {
  NEEDS_PRIVATE_WORLD();
  NEEDS_MANDOC();
  fs::create_directory("/run/root");
  std::string said = run({kVirtuald, "-x", "/run/none", "sh"}).errors +
                     run({kVirtuald, "-x", "/run/root", "sh"}).errors;
  said = std::regex_replace(said, std::regex("virtuald: "), "     ");
  said = std::regex_replace(said, std::regex("/run/(none|root)"), "ROOT");
  said = std::regex_replace(said, std::regex("exec sh"), "exec PROGRAM");
  said = std::regex_replace(said, std::regex("path /.*"), "path PATH");
  const std::vector<std::string> messages = split_lines(said);
  EXPECT_EQ(2U, messages.size());
  const std::vector<std::string> lines =
      section_lines(kSource / "src/virtuald.8.in", "DIAGNOSTICS", "ascii");
  for (const std::string& message : messages) {
    EXPECT_EQ(1, std::count(lines.begin(), lines.end(), message)) << message;
  }
}

TEST(Diagnostics, list_every_message) {
  NEEDS_PRIVATE_WORLD();
  NEEDS_MANDOC();
  const std::string text = section(kSource / "src/virtuald.8.in", "DIAGNOSTICS");
  int found = 0;
  for (const char* name :
       {"address", "check/check", "check/loader", "check/needs", "check/trial", "config", "bounds",
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
