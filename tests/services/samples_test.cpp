// The samples: each is accepted by its program, and they agree with each other.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
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

/// A service of the samples, and the answer of the tests' service when it is started instead.
struct Service {
  std::string name;    // as in conf/samples/xinetd.d/virtual-NAME.in
  std::string line;    // as in conf/samples/inetd.conf.in
  std::string daemon;  // its program
  std::uint16_t port;
  std::string output;
};

const std::vector<Service> kServices = {
    {"ftp", "21", "ftpd", 21, "argument 0: ftpd\nargument 1: -l\n"},
    {"pop", "pop-3", "popa3d", 110, "example.com\n"},
    {"mail", "smtp", "sendmail", 25, "argument 0: sendmail\nargument 1: -bs\n"},
    {"www", "http", "busybox", 80,
     "argument 0: busybox\nargument 1: httpd\nargument 2: -i\nargument 3: -h\n"
     "argument 4: /var/www/html\n"},
    {"poppassd", "106", "poppassd", 106, "example.com\n"},
    {"smb", "microsoft-ds", "smbd", 445, "example.com\n"}};

/// How many connections a client may have at a time.
constexpr std::size_t kPlacesOfASource = 32;

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"systemd"});  // virtuald's units name systemd's
    std::vector<std::string> daemons;
    for (const Service& service : kServices) {
      daemons.push_back(service.daemon);
    }
    make_small_roots(daemons);
  }

  static Command xinetd() {
    write_file("/run/xinetd.conf", "includedir " + sample_path("xinetd.d").string() + "\n");
    return command_of(
        {daemon_path("xinetd", "/usr/sbin/xinetd"), "-dontfork", "-f", "/run/xinetd.conf"});
  }

  static void expect_service(const Service& service, const BackgroundProcess& server) {
    EXPECT_EQ(service.output, ask(kDomains[0].ipv4, service.port)) << server.log();
    EXPECT_EQ(service.output, ask(kDomains[0].ipv6, service.port)) << server.log();
  }
};

TEST_F(Samples, have_valid_configurations) {
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
  const BackgroundProcess server(xinetd());
  for (const Service& service : kServices) {
    expect_service(service, server);
  }
}

/// Replaces a program in example.com's root with a script.
void make_script(const std::string& name, const std::string& text) {
  const fs::path root = kDomains[0].root();
  fs::create_directories(root / "bin");
  for (const char* program : {"sh", "sleep"}) {
    fs::copy_file("/bin/busybox", root / "bin" / program);
  }
  write_file(root / "dev/null", "");  // sh opens it for background commands
  fs::remove(root / "usr/sbin" / name);
  write_program(root / "usr/sbin" / name, "#!/bin/sh\n" + text);
}

constexpr const char* kGreetAndWait = "echo here\nread -r line\n";

/// Makes as many connections from `source` to example.com's FTP as are accepted, up to `most`. They
/// last as long as the result.
std::vector<Descriptor> connect_as_often_as_possible(const std::string& source, std::size_t most) {
  std::vector<Descriptor> connections;
  while (connections.size() < most) {
    Descriptor connection = connect_to(kDomains[0].ipv4, 21, source);
    if (receive_some(connection.get()) != "here\n") {
      break;
    }
    connections.push_back(std::move(connection));
  }
  return connections;
}

TEST_F(Samples, have_xinetd_files_that_leave_places_for_other_clients) {
  make_script("ftpd", kGreetAndWait);
  const BackgroundProcess server(xinetd());
  const auto first = connect_as_often_as_possible(kDomains[0].ipv4, 300);
  EXPECT_EQ(kPlacesOfASource, first.size()) << server.log();
  const auto second = connect_as_often_as_possible(kDomains[1].ipv4, 300);
  EXPECT_EQ(kPlacesOfASource, second.size()) << server.log();
}

/// By default xinetd disables a service after more than 50 connections in a second.
TEST_F(Samples, have_xinetd_files_that_survive_a_burst_of_connections) {
  const BackgroundProcess server(xinetd());
  for (int count = 0; count < 200; ++count) {
    ASSERT_EQ(kServices[0].output, ask(kDomains[0].ipv4, 21)) << count << server.log();
  }
}

TEST_F(Samples, have_systemd_units_that_start_each_service) {
  for (const Service& service : kServices) {
    const BackgroundProcess server(systemd_unit(service.name));
    expect_service(service, server);
  }
}

TEST_F(Samples, have_systemd_units_that_leave_places_for_other_clients) {
  make_script("ftpd", kGreetAndWait);
  const BackgroundProcess server(systemd_unit("ftp"));
  const auto first = connect_as_often_as_possible(kDomains[0].ipv4, 300);
  EXPECT_EQ(kPlacesOfASource, first.size()) << server.log();
  const auto second = connect_as_often_as_possible(kDomains[1].ipv4, 300);
  EXPECT_EQ(kPlacesOfASource, second.size()) << server.log();
}

TEST_F(Samples, have_a_systemd_unit_for_mail_that_delivers_after_the_client_has_gone) {
  make_script("sendmail", "(sleep 0.3; echo late >/delivered) <&- >&- 2>&- &\n");
  const BackgroundProcess server(systemd_unit("mail"));
  EXPECT_EQ("", ask(kDomains[0].ipv4, 25));
  EXPECT_TRUE(arrives("late", kDomains[0].root() / "delivered")) << server.log();
}

/// The units are a second line of defence, so the root is "/" here. Each daemon also prints whether
/// it can gain privileges.
TEST_F(Samples, have_systemd_units_that_let_a_daemon_write_to_domains_only) {
  write_file("/home/secret", "");
  for (const Service& service : kServices) {
    const std::string conf = service.name == "poppassd" ? "pop" : service.name;
    write_file("/virtual/conf." + conf, "default /\n");
    write_program(
        "/usr/sbin/" + service.daemon,
        "#!/bin/sh\n"
        "for place in /etc /usr /var/tmp /run /home /root /virtual /virtual/example.com; do\n"
        "  { echo >$place/proof; } 2>/dev/null && echo $place\ndone\nls /home\nsed -n "
        "'s/^NoNewPrivs:.//p' /proc/self/status\n");
    const BackgroundProcess server(systemd_unit(service.name));
    // The web server runs as another user, who cannot write to /virtual.
    const std::string written =
        service.name == "www" ? "/var/tmp\n" : "/var/tmp\n/virtual\n/virtual/example.com\n";
    const std::string no_new_privileges = service.name == "mail" ? "0\n" : "1\n";
    EXPECT_EQ(written + no_new_privileges, ask(kDomains[0].ipv4, service.port)) << service.name;
    EXPECT_FALSE(fs::exists("/var/tmp/proof"));
  }
}

TEST_F(Samples, have_valid_systemd_units) {
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
