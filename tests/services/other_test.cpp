// The HOWTO's chapter on other services: any daemon that inetd can start.

#include <gtest/gtest.h>

#include <string>

#include "domains.h"
#include "files.h"
#include "must_run.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Poppassd : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"poppassd", "inetutils-ftpd"});
    make_domains({"poppassd", "ftpd"});
  }

  static std::string change(const Domain& domain, const std::string& from, const std::string& to) {
    return ask(domain.ipv4, 106, "user bob\r\npass " + from + "\r\nnewpass " + to + "\r\nquit\r\n");
  }

  static bool logs_in(const Domain& domain, const std::string& password_given) {
    return curl("ftp://" + domain.ipv4 + "/", {"--user", "bob:" + password_given}).status == 0;
  }
};

TEST_F(Poppassd, changes_bobs_password_in_one_domain_only) {
  const BackgroundProcess server(
      inetd({inetd_line("poppassd", ""), inetd_line("ftp", "conf.ftp ftpd")}));
  EXPECT_EQ(change(kDomains[0], password(kDomains[0]), "another-Word-9"),
            "200 poppassd v1.8.5 hello, who are you?\r\n200 Your password please.\r\n"
            "200 Your new password please.\r\n200 Password changed, thank-you.\r\n200 Bye.\r\n");
  EXPECT_TRUE(logs_in(kDomains[0], "another-Word-9"));
  EXPECT_FALSE(logs_in(kDomains[0], password(kDomains[0])));
  EXPECT_TRUE(logs_in(kDomains[1], password(kDomains[1])));
}

TEST_F(Poppassd, works_with_what_the_systemd_unit_leaves_of_root) {
  const BackgroundProcess server(systemd_unit("poppassd"));
  EXPECT_NE(
      change(kDomains[0], password(kDomains[0]), "another-Word-9").find("200 Password changed"),
      std::string::npos);
}

}  // namespace
}  // namespace testing_support
