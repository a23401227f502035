// Runs the commands of virtuald(7), and some of virtfs(8), as installed, in the order of the page.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "domains.h"
#include "files.h"
#include "must_run.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

/// Returns the commands of an installed page, or of one section: its literal blocks, and the
/// commands that are items of a list.
std::string read_commands(const std::string& page, const std::string& section = "") {
  const std::string item = ".It Ic ";
  std::string commands;
  bool is_inside = section.empty();
  bool is_literal = false;
  for (const std::string& line : split_lines(read_file("/usr/local/share/man/" + page))) {
    if (line.starts_with(".Sh ") && !section.empty()) {
      is_inside = line == ".Sh " + section;
    } else if (line.starts_with(".Bd ") || line == ".Ed") {
      is_literal = line != ".Ed";
    } else if (is_inside && is_literal) {
      commands += std::regex_replace(line, std::regex(R"(\\e)"), R"(\)") + "\n";
    } else if (is_inside && line.starts_with(item)) {
      commands += line.substr(item.size()) + "\n";
    }
  }
  return commands;
}

TEST(Overview, takes_a_domain_from_its_address_to_its_removal) {
  NEEDS_REAL_ROOT();
  make_machine({"inetutils-ftpd", "inetutils-syslogd", "openbsd-inetd"});
  must_run({"rm", "-r", "/virtual"});
  must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable"});
  const std::string commands = read_commands("man7/virtuald.7");
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

TEST(FindingMissingFiles, names_those_that_a_program_looks_for_in_vain) {
  NEEDS_REAL_ROOT();
  if (!fs::exists("/usr/bin/strace")) {
    SKIP_OR_FAIL("needs strace");
  }
  make_machine({"inetutils-ftpd"});
  make_domains({"ftpd"});
  write_file("/etc/ftpwelcome", "Welcome\n");
  const std::string commands = read_commands("man8/virtfs.8", "FINDING MISSING FILES");
  const std::size_t listing = commands.find("grep ");
  ASSERT_NE(listing, std::string::npos);
  fs::create_directories("/root");

  // By hand, with a shell in place of a daemon that wants a connection.
  const std::string by_hand = std::regex_replace(commands.substr(0, listing), std::regex("ftpd"),
                                                 "sh -c 'test -e /etc/ftpwelcome'");
  run({"sh", "-c", by_hand});
  EXPECT_PRED2(contains, must_run({"sh", "-eu"}, commands.substr(listing)), "/etc/ftpwelcome\n");
  fs::remove("/root/trace");

  // By inetd.
  const std::string arguments =
      "strace -fqq -e trace=%file -o /root/trace /path/to/virtuald -i /virtual/conf.ftp ftpd";
  EXPECT_PRED2(contains, read_file("/usr/local/share/man/man8/virtfs.8"), arguments);
  const BackgroundProcess server(
      inetd({"21 stream tcp nowait root /usr/bin/strace " +
             std::regex_replace(arguments, std::regex("/path/to"), "/usr/bin")}));
  const Domain& domain = kDomains.front();
  EXPECT_EQ("", curl("ftp://bob:" + password(domain) + "@" + domain.ipv4 + "/").errors);
  const std::string found = must_run({"sh", "-eu"}, commands.substr(listing));
  EXPECT_PRED2(contains, found, "/etc/ftpwelcome\n");
  EXPECT_EQ(found.find("/etc/passwd\n"), std::string::npos);
}

}  // namespace
}  // namespace testing_support
