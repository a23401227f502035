// The HOWTO's chapter on other services: any daemon that inetd can start.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Poppassd : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"poppassd", "inetutils-ftpd", "systemd"});
    make_domains({"poppassd", "ftpd"});
  }

  static std::string change(const Domain& domain, const std::string& from, const std::string& to) {
    return ask(domain.ipv4, 106, "user bob\r\npass " + from + "\r\nnewpass " + to + "\r\nquit\r\n");
  }

  static bool logs_in(const Domain& domain, const std::string& password_given) {
    return curl("ftp://" + domain.ipv4 + "/", {"--user", "bob:" + password_given}).status == 0;
  }
};

INSTANTIATE_ROOTS(Poppassd);

TEST_P(Poppassd, changes_bobs_password_in_one_domain_only) {
  const BackgroundProcess server(
      inetd({inetd_line("106", "", GetParam()), inetd_line("21", "conf.ftp ftpd", GetParam())}));
  EXPECT_EQ(
      "200 poppassd v1.8.5 hello, who are you?\r\n200 Your password please.\r\n"
      "200 Your new password please.\r\n200 Password changed, thank-you.\r\n200 Bye.\r\n",
      change(kDomains[0], password(kDomains[0]), "another-Word-9"));
  EXPECT_TRUE(logs_in(kDomains[0], "another-Word-9"));
  EXPECT_FALSE(logs_in(kDomains[0], password(kDomains[0])));
  EXPECT_TRUE(logs_in(kDomains[1], password(kDomains[1])));
}

TEST_P(Poppassd, works_with_the_privileges_of_the_systemd_unit) {
  const BackgroundProcess server(systemd_unit("poppassd", GetParam()));
  EXPECT_NE(
      change(kDomains[0], password(kDomains[0]), "another-Word-9").find("200 Password changed"),
      std::string::npos);
}

class Samba : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"samba", "samba-common-bin", "samba-libs", "smbclient", "systemd"});
    make_domains({"smbd", "smbpasswd"});
    for (const Domain& domain : kDomains) {
      write_file(domain.root() / "etc/samba/smb.conf", sample("smb.conf"));
      for (const char* directory :
           {"var/lib/samba/private", "var/cache/samba", "var/log/samba", "run/samba"}) {
        std::filesystem::create_directories(domain.root() / directory);
      }
      must_run({"virtexec", domain.name, "smbpasswd", "-s", "-a", "bob"},
               password(domain) + "\n" + password(domain) + "\n");
    }
  }

  /// Returns bob's file, or why he does not get it.
  static std::string get(const Domain& domain, const std::string& password_given) {
    connect_to(domain.ipv4, 445);  // smbclient does not wait for a server that is being started
    return run({"smbclient", "--configfile=/dev/null", "--user=bob%" + password_given,
                "//" + domain.ipv4 + "/bob", "--command=get readme -"})
        .output;
  }

  static void expect_files_of_each_domain(const Command& server) {
    const BackgroundProcess running(server);
    for (const Domain& domain : kDomains) {
      EXPECT_PRED2(contains, get(domain, password(domain)), bobs_text(domain));
    }
  }
};

INSTANTIATE_ROOTS(Samba);

TEST_P(Samba, gives_bob_the_files_of_each_domain) {
  expect_files_of_each_domain(inetd({inetd_line("microsoft-ds", "", GetParam())}));
}

TEST_P(Samba, refuses_bob_with_his_password_of_the_other_domain) {
  const BackgroundProcess running(inetd({inetd_line("microsoft-ds", "", GetParam())}));
  EXPECT_PRED2(contains, get(kDomains[0], password(kDomains[1])), "NT_STATUS_LOGON_FAILURE");
}

TEST_P(Samba, works_with_the_privileges_of_the_systemd_unit) {
  expect_files_of_each_domain(systemd_unit("smb", GetParam()));
}

/// A program that needs a new terminal, which a plain root cannot give it.
class Script : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine();
    make_domains({"script", "tty"});
    for (const Domain& domain : kDomains) {
      must_run({"mkdir", "-p", domain.root() / "dev/pts"});
      must_run({"ln", "-sf", "pts/ptmx", domain.root() / "dev/ptmx"});
    }
  }

  static std::string say_terminal(const Domain& domain) {
    const std::string option = GetParam() == std::string("isolated") ? " -i" : "";
    const BackgroundProcess server(
        inetd({"5000 stream tcp4 nowait root /usr/local/bin/virtuald virtuald" + option +
               " /virtual/conf.ftp script -qec tty /dev/null"}));
    return ask(domain.ipv4, 5000);
  }
};

INSTANTIATE_ROOTS(Script);

TEST_P(Script, gets_a_terminal_in_an_isolated_root_only) {
  for (const Domain& domain : kDomains) {
    EXPECT_PRED2(contains, say_terminal(domain),
                 GetParam() == std::string("isolated") ? "/dev/pts/0\r\n"
                                                       : "failed to create pseudo-terminal");
  }
}

}  // namespace
}  // namespace testing_support
