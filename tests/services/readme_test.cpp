// The commands of README, from an empty machine to two domains, and the output that it shows.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

/// Returns the commands of a section of README.md: the lines that are indented by four spaces.
std::vector<std::string> read_commands(const std::string& heading) {
  std::vector<std::string> commands;
  bool is_inside = false;
  for (const std::string& line :
       split_lines(read_file(std::string(kSourceDirectory) + "/README.md"))) {
    if (line.starts_with("## ")) {
      is_inside = line == "## " + heading;
    } else if (is_inside && line.starts_with("    ")) {
      commands.push_back(line.substr(4));
    }
  }
  return commands;
}

/// Runs the page's commands, except the one that reads the mail: sets `read_mail` to that one.
std::string follow_the_page(std::string& read_mail) {
  std::vector<std::string> commands =
      read_commands("From an empty Debian machine to two domains with FTP, mail and POP");
  read_mail = commands.back();
  commands.pop_back();
  std::string script = "set -eu\n";
  bool is_installing = false;
  for (const std::string& command : commands) {
    // The packages to be installed are already there.
    is_installing = is_installing || command.starts_with("apt-get ");
    script += is_installing ? "" : command + "\n";
    is_installing = is_installing && command.ends_with('\\');
  }
  return must_run({"sh"}, script);
}

/// Makes a machine with the packages that the page installs.
void make_machine_of_the_page() {
  make_machine({"inetutils-ftpd", "m4", "openbsd-inetd", "popa3d", "sendmail-bin", "sendmail-cf",
                "vim-tiny"});
  must_run({"rm", "-r", "/virtual"});
  must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable"});
}

/// The lines of the first fenced block of README.md.
std::string shown_output() {
  const std::string text = read_file(std::string(kSourceDirectory) + "/README.md");
  const std::string fence = "```\n";
  const std::size_t begin = text.find(fence) + fence.size();
  return text.substr(begin, text.find(fence, begin) - begin);
}

TEST(Readme, shows_the_output_of_the_demo) {
  NEEDS_REAL_ROOT();
  NEEDS_PACKAGES("inetutils-ftpd", "openbsd-inetd");
  const std::string build = kBuildDirectory;
  const std::string said =
      must_run({"sh", "-c",
                "unshare --mount --net --pid --fork --kill-child --mount-proc \"$1\" --serve "
                "\"$2\" \"$3\" 2>&1 | sed 's/ *$//'",
                "sh", std::string(kSourceDirectory) + "/scripts/demo", build, build + "/daemons"});
  EXPECT_PRED2(contains, said, shown_output());
}

TEST(Readme, leads_to_two_domains_with_ftp_mail_and_pop) {
  NEEDS_REAL_ROOT();
  make_machine_of_the_page();
  const BackgroundProcess name_server(dns());
  std::string read_mail;
  EXPECT_PRED2(contains, follow_the_page(read_mail), "This is example.com.\n");
  // A person would type it only after the mail has arrived.
  EXPECT_TRUE(eventually([&] {
    return contains(run({"sh", "-c", read_mail}).output, "\r\n\r\nto example.net\r\n");
  }));
}

TEST(Readme, leads_to_domains_in_which_every_virtx_works) {
  NEEDS_REAL_ROOT();
  make_machine_of_the_page();
  const BackgroundProcess name_server(dns());
  std::string read_mail;
  follow_the_page(read_mail);
  ::setenv("VIRTUAL_DOMAIN", "example.com", 1);
  const std::string root = "/virtual/example.com/";
  const std::string hosts_accounts = read_file("/etc/passwd");

  must_run({"virtadduser", "--disabled-password", "--gecos", "", "carol"});
  EXPECT_PRED2(contains, read_file(root + "etc/passwd"), "\ncarol:x:");
  EXPECT_TRUE(std::filesystem::exists(root + "home/carol"));
  must_run({"virtpasswd", "carol"}, "one word\none word\n");
  EXPECT_PRED2(contains, read_file(root + "etc/shadow"), "\ncarol:$");
  must_run({"virtvi", "-e", "-s", "/home/carol/note"}, "i\nwritten\n.\nwq\n");
  EXPECT_EQ("written\n", read_file(root + "home/carol/note"));
  EXPECT_PRED2(contains, must_run({"virtmailq"}), "mqueue is empty");
  must_run({"virtnewaliases"});
  const Outcome refused = run({"virtdeluser", "--remove-home", "carol"});
  EXPECT_NE(0, refused.status);
  EXPECT_PRED2(contains, refused.output + refused.errors, "/proc/mounts");
  must_run({"virtdeluser", "carol"});
  EXPECT_EQ(std::string::npos, read_file(root + "etc/passwd").find("carol"));
  EXPECT_EQ(hosts_accounts, read_file("/etc/passwd"));
}

}  // namespace
}  // namespace testing_support
