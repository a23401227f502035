// Runs the commands of virtuald(7), as installed, in the order of the page.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "domains.h"
#include "files.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

/// Returns all commands on the page: its literal blocks, and the commands that are items of a list.
std::string read_commands() {
  const std::string item = ".It Ic ";
  std::string commands;
  bool is_literal = false;
  for (const std::string& line : split_lines(read_file("/usr/local/share/man/man7/virtuald.7"))) {
    if (line.starts_with(".Bd ") || line == ".Ed") {
      is_literal = line != ".Ed";
    } else if (is_literal) {
      commands += std::regex_replace(line, std::regex(R"(\\e)"), R"(\)") + "\n";
    } else if (line.starts_with(item)) {
      commands += line.substr(item.size()) + "\n";
    }
  }
  return commands;
}

TEST(Overview, takes_a_domain_from_its_address_to_its_end) {
  NEEDS_REAL_ROOT();
  make_machine({"inetutils-ftpd", "inetutils-syslogd", "openbsd-inetd"});
  must_run({"rm", "-r", "/virtual"});
  must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable"});
  const std::string commands = read_commands();
  const std::size_t served = commands.find("virtfs -s\n");
  const std::size_t removed = commands.find("virtfs -r ");
  ASSERT_LT(served, removed);
  ASSERT_NE(removed, std::string::npos);

  const std::string setup = "set -eu\ncd /root\n";
  EXPECT_PRED2(contains, must_run({"sh"}, setup + commands.substr(0, served)),
               "/virtual/conf.ftp: entries: 1, errors: 0, warnings: 0\n");
  EXPECT_EQ("", curl("ftp://bob:secret@10.10.10.129/").errors);

  const std::string look_after =
      must_run({"sh"}, setup + commands.substr(served, removed - served));
  EXPECT_PRED2(contains, look_after, "10.10.10.129@/virtual/conf.ftp");
  EXPECT_PRED2(contains, look_after, "syslog.init: example.com: heard\n");

  must_run({"sh"}, setup + commands.substr(removed));
  EXPECT_FALSE(fs::exists("/virtual/example.com"));
  EXPECT_EQ("", read_file("/virtual/conf.ftp"));

  must_run({"tar", "-C", "/virtual", "--numeric-owner", "-xzf", "/root/example.com.tgz"});
  EXPECT_PRED2(contains, must_run({"virtfs", "-s"}), "ftpd sh useradd");
}

}  // namespace
}  // namespace testing_support
