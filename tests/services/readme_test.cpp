// README's page from an empty machine to two domains, in its very commands.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

/// The commands of a section of README.md: the lines that are indented by four spaces.
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

TEST(Readme, leads_to_two_domains_with_ftp_mail_and_pop) {
  NEEDS_REAL_ROOT();
  make_machine({"inetutils-ftpd", "m4", "openbsd-inetd", "popa3d", "sendmail-bin", "sendmail-cf"});
  must_run({"rm", "-r", "/virtual"});
  must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable"});
  const BackgroundProcess name_server(dns());

  std::vector<std::string> commands =
      read_commands("From an empty Debian machine to two domains with FTP, mail and POP");
  const std::string read_mail = commands.back();
  commands.pop_back();
  std::string script = "set -eu\n";
  for (const std::string& command : commands) {
    // What is to be installed is there.
    script += command.starts_with("apt-get ") ? "" : command + "\n";
  }
  EXPECT_PRED2(contains, must_run({"sh"}, script), "This is example.com.\n");
  // Nobody types so fast that the mail is not there yet.
  EXPECT_TRUE(eventually([&] {
    return contains(run({"sh", "-c", read_mail}).output, "\r\n\r\nto example.net\r\n");
  }));
}

}  // namespace
}  // namespace testing_support
