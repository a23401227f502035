// tcpd, which controlled access on the HOWTO's machine: in front of virtuald, and inside each
// domain.

#include <gtest/gtest.h>

#include <string>

#include "domains.h"
#include "files.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Tcpd : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"inetutils-ftpd", "tcpd"});
    make_domains({"ftpd", "tcpd"});
  }

  /// Whether bob can log in from kNobody.
  static bool lets_in(const Domain& domain) {
    return curl("ftp://" + domain.ipv4 + "/",
                {"--user", "bob:" + password(domain), "--interface", kNobody})
               .status == 0;
  }
};

INSTANTIATE_ROOTS(Tcpd);

TEST_P(Tcpd, before_virtuald_uses_the_lists_of_the_machine) {
  const BackgroundProcess server(inetd({inetd_line("21", "/usr/sbin/tcpd", GetParam())}));
  EXPECT_TRUE(lets_in(kDomains[0]));
  write_file("/etc/hosts.deny", std::string("virtuald: ") + kNobody + "\n");
  EXPECT_FALSE(lets_in(kDomains[0]));
}

TEST_P(Tcpd, in_the_root_uses_the_lists_of_the_domain) {
  write_file("/etc/hosts.deny", "ALL: ALL\n");
  const BackgroundProcess server(inetd({inetd_line("21", "tcpd -l", GetParam())}));
  write_file(kDomains[0].root() / "etc/hosts.deny", "ftpd: ALL\n");
  EXPECT_FALSE(lets_in(kDomains[0]));
  EXPECT_TRUE(lets_in(kDomains[1]));
  write_file(kDomains[0].root() / "etc/hosts.allow", std::string("ftpd: ") + kNobody + "\n");
  EXPECT_TRUE(lets_in(kDomains[0]));
}

}  // namespace
}  // namespace testing_support
