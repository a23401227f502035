// The samples: each is taken without complaint by what it is for, and all say the same.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
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

/// A service of the samples, and what the tests' own service says when it is started in its place.
struct Service {
  std::string name;  // as in conf/samples/xinetd.d/virtual-NAME.in
  std::string line;  // as in conf/samples/inetd.conf.in
  std::uint16_t port;
  std::string output;
};

const std::vector<Service> kServices = {
    {"ftp", "ftp", 21, "argument 0: ftpd\nargument 1: -l\n"},
    {"pop", "pop-3", 110, "domain1.com\n"},
    {"mail", "smtp", 25, "argument 0: sendmail\nargument 1: -bs\n"},
    {"www", "http", 80,
     "argument 0: busybox\nargument 1: httpd\nargument 2: -i\nargument 3: -h\n"
     "argument 4: /var/www/html\n"},
    {"poppassd", "poppassd", 106, "domain1.com\n"},
    {"smb", "microsoft-ds", 445, "domain1.com\n"}};

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"systemd"});  // with the units that ours name
    make_small_roots({"ftpd", "popa3d", "sendmail", "busybox", "poppassd", "smbd"});
  }

  static void expect_service(const Service& service, const BackgroundProcess& server) {
    EXPECT_EQ(service.output, ask(kDomains[0].ipv4, service.port)) << server.log();
    EXPECT_EQ(service.output, ask(kDomains[0].ipv6, service.port)) << server.log();
  }
};

TEST_F(Samples, have_configurations_without_a_fault) {
  for (const auto& [file, program, entries] :
       {std::tuple("conf.ftp", "ftpd", "4"), std::tuple("conf.pop", "popa3d", "4"),
        std::tuple("conf.mail", "sendmail", "4"), std::tuple("conf.www", "busybox", "5"),
        std::tuple("conf.smb", "smbd", "4")}) {
    const std::string path = std::string("/virtual/") + file;
    EXPECT_EQ(path + ": entries: " + entries + ", errors: 0, warnings: 0\n",
              must_run({"virtuald", "-t", path, program}));
  }
}

TEST_F(Samples, have_inetd_lines_that_start_each_service) {
  std::vector<std::string> lines;
  for (const Service& service : kServices) {
    lines.push_back(inetd_line(service.line, ""));
  }
  const BackgroundProcess server(inetd(lines));
  for (const Service& service : kServices) {
    expect_service(service, server);
  }
}

TEST_F(Samples, have_xinetd_files_that_start_each_service) {
  write_file("/run/xinetd.conf", "includedir " + sample_path("xinetd.d").string() + "\n");
  const BackgroundProcess server(command_of(
      {daemon_path("xinetd", "/usr/sbin/xinetd"), "-dontfork", "-f", "/run/xinetd.conf"}));
  for (const Service& service : kServices) {
    expect_service(service, server);
  }
}

TEST_F(Samples, have_systemd_units_that_start_each_service) {
  for (const Service& service : kServices) {
    const BackgroundProcess server(systemd_unit(service.name));
    expect_service(service, server);
  }
}

TEST_F(Samples, have_systemd_units_without_a_fault) {
  for (const Service& service : kServices) {
    for (const char* suffix : {".socket", "@.service"}) {
      const std::string name = "virtual-" + service.name + suffix;
      write_file("/etc/systemd/system/" + name, sample("systemd/" + name));
    }
    for (const char* suffix : {".socket", "@1.service"}) {
      const Outcome outcome = run({daemon_path("systemd", "/usr/bin/systemd-analyze"), "verify",
                                   "--man=no", "virtual-" + service.name + suffix});
      EXPECT_EQ(0, outcome.status);
      EXPECT_EQ("", outcome.errors);
    }
  }
}

}  // namespace
}  // namespace testing_support
