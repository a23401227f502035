// Files that a daemon needs according to dpkg: daemons are installed on a private copy of the
// machine, added to domains with only -p and their names, and tested with real clients.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const Domain& domain() {
  return kDomains.front();
}

class Installed : public RootsTest {
 protected:
  /// Installs a package of tests/installed on the private copy of the machine, and makes the
  /// domains with only the program.
  static void make_domains_of(const std::string& package, const std::string& program) {
    make_machine();
    // The daemon would start on this machine too.
    write_file("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    fs::permissions("/usr/sbin/policy-rc.d", fs::perms(0755));
    // A home below /srv could not be made here.
    must_run({"useradd", "--system", "--home-dir", "/var/lib/ftp", "--user-group", "ftp"});
    must_run({"debconf-set-selections"}, "vsftpd vsftpd/directory string /var/lib/ftp\n");
    // Triggers of other packages would index all manual pages.
    must_run({"sh", "-c",
              "DEBIAN_FRONTEND=noninteractive dpkg --no-triggers --force-confdef --install " +
                  archives(package) + "/*.deb 2>&1"});
    make_domains({program});
  }

  static std::string archives(const std::string& package) {
    return std::string(kBuildDirectory) + "/archives/" + package;
  }

  /// Expects that the domain lacks nothing that -t knows of.
  static void expect_nothing_lacking(const std::string& program) {
    write_file("/virtual/conf.one", "default " + domain().root().string() + "\n");
    EXPECT_EQ("/virtual/conf.one: entries: 1, errors: 0, warnings: 0\n",
              run({"/usr/local/bin/virtuald", "-t", "/virtual/conf.one", program}).output);
  }

  /// inetd with a line for the service, in roots of this test's kind.
  static Command serve(const std::string& service, const std::string& config,
                       const std::string& command, const std::string& options = "") {
    const std::string isolate = GetParam() == std::string("isolated") ? " -i " : " ";
    return inetd({service + " stream tcp nowait root /usr/local/bin/virtuald virtuald" + isolate +
                  options + " /virtual/" + config + " " + command});
  }

  static std::string bobs_listing() {
    const Outcome outcome =
        curl("ftp://bob:" + password(domain()) + "@" + domain().ipv4 + "/", {"--list-only"});
    return outcome.output + outcome.errors;
  }

  static std::string send_to_bob() {
    write_file("/tmp/message", "Subject: test\n\nfor bob\n");
    return curl("smtp://" + domain().ipv4,
                {"--crlf", "--mail-from", "alice@localhost", "--mail-rcpt", "bob@localhost",
                 "--upload-file", "/tmp/message"})
        .errors;
  }
};

#define NEEDS_ARCHIVES(package)                                           \
  do {                                                                    \
    NEEDS_REAL_ROOT();                                                    \
    if (!fs::exists(archives(package))) {                                 \
      SKIP_OR_FAIL(std::string("needs the Debian package ") + (package) + \
                   ": tests/run fetches it");                             \
    }                                                                     \
  } while (false)

INSTANTIATE_ROOTS(Installed);

TEST_P(Installed, vsftpd_lets_bob_log_in) {
  NEEDS_ARCHIVES("vsftpd");
  make_domains_of("vsftpd", "vsftpd");
  expect_nothing_lacking("vsftpd");
  const BackgroundProcess server(
      serve("ftp", "conf.ftp", "vsftpd /etc/vsftpd.conf -olisten=NO -olisten_ipv6=NO"));
  EXPECT_EQ("readme\n", bobs_listing());
}

TEST_P(Installed, vsftpd_lets_bob_log_in_after_an_update) {
  NEEDS_ARCHIVES("vsftpd");
  make_domains_of("vsftpd", "vsftpd");
  upgrade_host({"/usr/sbin/vsftpd"});
  must_run({"virtfs", "-u"});
  EXPECT_EQ(read_file("/usr/sbin/vsftpd"), read_file(domain().root() / "usr/sbin/vsftpd"));
  const BackgroundProcess server(
      serve("ftp", "conf.ftp", "vsftpd /etc/vsftpd.conf -olisten=NO -olisten_ipv6=NO"));
  EXPECT_EQ("readme\n", bobs_listing());
}

TEST_P(Installed, proftpd_lets_bob_log_in) {
  NEEDS_ARCHIVES("proftpd-core");
  make_domains_of("proftpd-core", "proftpd");
  expect_nothing_lacking("proftpd");
  // The package leaves this setting to the administrator.
  const fs::path config = domain().root() / "etc/proftpd/proftpd.conf";
  write_file(config, std::regex_replace(read_file(config), std::regex("standalone"), "inetd"));
  const BackgroundProcess server(serve("ftp", "conf.ftp", "proftpd"));
  EXPECT_EQ("readme\n", bobs_listing());
}

TEST_P(Installed, exim_delivers_to_bob) {
  NEEDS_ARCHIVES("exim4-daemon-light");
  make_domains_of("exim4-daemon-light", "exim4");
  expect_nothing_lacking("exim4");
  const BackgroundProcess server(serve("smtp", "conf.mail", "exim4 -bs"));
  EXPECT_EQ("", send_to_bob());
  EXPECT_TRUE(arrives("for bob", domain().root() / "var/mail/bob"));
}

TEST_P(Installed, postfix_delivers_to_bob_once_its_master_runs) {
  NEEDS_ARCHIVES("postfix");
  make_domains_of("postfix", "sendmail");
  expect_nothing_lacking("sendmail");
  // As virtfs(8) advises.
  const std::string& name = domain().name;
  must_run({"virtexec", name, "newaliases"});
  must_run({"virtexec", name, "postconf", "-MX", "smtp/inet"});
  must_run({"virtexec", name, "/usr/lib/postfix/sbin/master", "-w"});
  const BackgroundProcess server(serve("smtp", "conf.mail", "sendmail -bs", "-u postfix"));
  EXPECT_EQ("", send_to_bob());
  EXPECT_TRUE(arrives("for bob", domain().root() / "var/mail/bob"));
  EXPECT_EQ("Mail queue is empty\n", must_run({"virtexec", name, "mailq"}));
  // As sendmail.init(8) says.
  const std::string runners = must_run({"sendmail.init", "start"});
  for (const std::string& title : {std::string("host"), name}) {
    EXPECT_PRED2(contains, runners, "sendmail.init: " + title + ": no sendmail or exim: skipped\n");
  }
}

TEST(Git, clones_and_pushes_in_a_domain) {
  NEEDS_REAL_ROOT();
  if (!fs::exists("/usr/bin/git")) {
    SKIP_OR_FAIL("needs git");
  }
  make_machine();
  make_domains({"git"});
  const auto git = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"virtexec", domain().name, "git", "-c", "user.name=bob",
                                         "-c", "user.email=bob@localhost", "-C", "/tmp"});
    return must_run(arguments);
  };
  git({"init", "--quiet", "--bare", "store"});
  git({"clone", "--quiet", "/tmp/store", "work"});
  git({"-C", "work", "commit", "--quiet", "--allow-empty", "--message", "first"});
  git({"-C", "work", "push", "--quiet", "origin", "HEAD"});
  git({"clone", "--quiet", "file:///tmp/store", "copy"});
  EXPECT_PRED2(contains, git({"-C", "copy", "log", "--oneline"}), " first\n");
  EXPECT_EQ("", git({"-C", "copy", "submodule", "status"}));
  EXPECT_TRUE(fs::exists(domain().root() / "tmp/copy/.git/info/exclude"));
}

}  // namespace
}  // namespace testing_support
