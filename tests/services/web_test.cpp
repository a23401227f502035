// The HOWTO's chapter on the web, with busybox httpd, Apache and curl.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Web : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_web_machine();
    for (const Domain& domain : kDomains) {
      write_program(web_site(domain) / "cgi-bin/who",
                    "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nbusybox id\n");
    }
  }

  static Command server() { return inetd({inetd_line("http", "", GetParam())}); }
};

INSTANTIATE_ROOTS(Web);

TEST_P(Web, shows_the_pages_of_each_domain) {
  const BackgroundProcess running(server());
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(page_of(domain), curl("http://" + domain.ipv4 + "/").output);
    EXPECT_EQ(page_of(domain), curl("http://[" + domain.ipv6 + "]/").output);
  }
}

TEST_P(Web, shows_the_default_domain_at_any_other_address) {
  const BackgroundProcess running(server());
  EXPECT_EQ(page_of(kDomains[0]), curl(std::string("http://") + kNobody + "/").output);
}

TEST_P(Web, has_no_page_of_the_other_domain) {
  write_file(web_site(kDomains[1]) / "only-here.html", "");
  const BackgroundProcess running(server());
  const std::vector<std::string> status = {"--output", "/dev/null", "--write-out", "%{http_code}"};
  EXPECT_EQ("200", curl("http://" + kDomains[1].ipv4 + "/only-here.html", status).output);
  EXPECT_EQ("404", curl("http://" + kDomains[0].ipv4 + "/only-here.html", status).output);
}

TEST_P(Web, runs_cgi_as_the_user_of_option_u) {
  const BackgroundProcess running(server());
  EXPECT_EQ("uid=33(www-data) gid=33(www-data)\n",
            curl("http://" + kDomains[0].ipv4 + "/cgi-bin/who").output);
}

TEST_P(Web, works_with_the_privileges_of_the_systemd_unit) {
  const BackgroundProcess running(systemd_unit("www", GetParam()));
  EXPECT_EQ("uid=33(www-data) gid=33(www-data)\n",
            curl("http://" + kDomains[1].ipv4 + "/cgi-bin/who").output);
}

class WebByApache : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_web_machine();
  }
};

/// Apache with the settings that a Debian machine's /etc/apache2 has, and `text`.
Command apache(const std::string& text, const std::string& option) {
  const std::string modules = daemon_path("apache2-bin", "/usr/lib/apache2/modules/");
  std::string config =
      "Listen 80\nServerName host.example.com\nPidFile /run/apache2.pid\n"
      "ErrorLog /dev/stderr\nUser www-data\nGroup www-data\n";
  for (const char* module : {"mpm_event", "authz_core", "dir"}) {
    config +=
        std::string("LoadModule ") + module + "_module " + modules + "mod_" + module + ".so\n";
  }
  write_file("/run/apache2.conf", config + text);
  return command_of(
      {daemon_path("apache2-bin", "/usr/sbin/apache2"), "-f", "/run/apache2.conf", option});
}

TEST_F(WebByApache, works_with_its_own_virtual_hosts) {
  const BackgroundProcess running(apache(sample("apache2.conf"), "-DFOREGROUND"));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(page_of(domain), curl("http://" + domain.ipv4 + "/").output) << running.log();
    EXPECT_EQ(page_of(domain), curl("http://[" + domain.ipv6 + "]/").output);
  }
}

TEST_F(WebByApache, no_longer_runs_under_inetd) {
  EXPECT_PRED2(contains, run(apache("ServerType inetd\n", "-t")).errors,
               "Invalid command 'ServerType'");
}

}  // namespace
}  // namespace testing_support
