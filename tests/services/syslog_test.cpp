// The HOWTO's chapter on syslog: daemons of all domains reach the single logger of the machine.

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Syslog : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"inetutils-syslogd", "inetutils-ftpd", "poppassd"});
    make_domains({"ftpd", "poppassd", "logger"});
    // The kernel's messages do not matter here.
    write_file("/etc/default/virtuald", "SYSLOGD_OPTS=--no-klog\n");
    must_run({"syslog.init", "start"});
  }

  void TearDown() override {
    if (world_is_private()) {
      run({"syslog.init", "stop"});
    }
  }

  static bool log_holds(const std::string& text) {
    return eventually([&] {
      return (read_file("/var/log/syslog") + read_file("/var/log/auth.log")).find(text) !=
             std::string::npos;
    });
  }
};

INSTANTIATE_ROOTS(Syslog);

TEST_P(Syslog, hears_the_daemons_of_each_domain) {
  const BackgroundProcess server(
      inetd({inetd_line("21", "conf.ftp ftpd", GetParam()), inetd_line("106", "", GetParam())}));
  // Each domain is asked for a different user name, which tells the messages apart.
  const auto user_of = [](const Domain& domain) { return domain.name.substr(0, 7); };
  std::vector<Descriptor> clients;  // of poppassd, which waits for some seconds
  for (const Domain& domain : kDomains) {
    clients.push_back(connect_to(domain.ipv4, 106));
    const std::string request = "user " + user_of(domain) + "\r\npass wrong\r\n";
    ASSERT_EQ(static_cast<ssize_t>(request.size()),
              ::write(clients.back().get(), request.data(), request.size()));
    curl("ftp://" + domain.ipv4 + "/", {"--user", user_of(domain) + ":wrong"});
  }
  for (const Domain& domain : kDomains) {
    EXPECT_TRUE(log_holds(", " + user_of(domain)));
    EXPECT_TRUE(log_holds("old password is incorrect for user " + user_of(domain)));
  }
}

TEST_P(Syslog, hears_virtuald_itself) {
  const BackgroundProcess server(inetd({inetd_line("21", "conf.ftp ftpd", GetParam())}));
  EXPECT_EQ("", ask(kNobody, 21));
  EXPECT_TRUE(log_holds("/virtual/conf.ftp: no entry for 10.10.10.157, and no default"));
}

}  // namespace
}  // namespace testing_support
