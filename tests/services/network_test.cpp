// The HOWTO's chapters on IP aliasing and DNS: many addresses on one interface, and their names;
// and a firewall that changes addresses.

#include "network.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

/// A machine with an interface eth0.
class IpAliasing : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"ifupdown", "systemd"});
    must_run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable"});
    must_run({"ip", "link", "set", "cable", "up"});
  }

  static bool has_all_addresses() {
    const std::string addresses = must_run({"ip", "-oneline", "address", "show", "dev", "eth0"});
    for (const Domain& domain : kDomains) {
      if (addresses.find(" " + domain.ipv4 + "/24 ") == std::string::npos ||
          addresses.find(" " + domain.ipv6 + "/64 ") == std::string::npos) {
        return false;
      }
    }
    return true;
  }
};

TEST_F(IpAliasing, ip_gives_one_interface_an_address_for_each_domain) {
  must_run({"ip", "link", "set", "eth0", "up"});
  for (const Domain& domain : kDomains) {
    must_run({"ip", "address", "add", domain.ipv4 + "/24", "dev", "eth0"});
    must_run({"ip", "address", "add", domain.ipv6 + "/64", "dev", "eth0"});
  }
  EXPECT_TRUE(has_all_addresses());
}

TEST_F(IpAliasing, ifupdown_adds_the_addresses_of_the_sample) {
  write_file("/etc/network/interfaces", sample("network/interfaces"));
  std::filesystem::create_directories("/run/network");
  must_run({"ifup", "eth0"});
  EXPECT_TRUE(has_all_addresses());
  must_run({"ifdown", "eth0"});
  EXPECT_FALSE(has_all_addresses());
}

TEST_F(IpAliasing, systemd_networkd_adds_the_addresses_of_the_sample) {
  write_file("/etc/systemd/network/10-virtual.network", sample("network/10-virtual.network"));
  std::filesystem::create_directories("/run/systemd");  // PID 1 would make it
  const BackgroundProcess networkd(
      command_of({daemon_path("systemd", "/usr/lib/systemd/systemd-networkd")}));
  EXPECT_TRUE(eventually(has_all_addresses)) << networkd.log();
}

TEST(Firewall, decides_the_domain_of_a_connection_that_it_redirects) {
  NEEDS_REAL_ROOT();
  make_machine({"nftables"});
  make_small_roots();
  write_file("/virtual/conf.ftp", sample("conf.ftp") + "127.0.0.1 /virtual/example.net\n");
  const BackgroundProcess server(inetd(
      {"5000 stream tcp4 nowait root /usr/local/bin/virtuald virtuald -i /virtual/conf.ftp service "
       "name"}));
  EXPECT_EQ("example.com\n", ask(kDomains[0].ipv4, 5000)) << server.log();
  // The clients are on the machine itself, so REDIRECT's new address is 127.0.0.1.
  const std::string rule = "ip daddr " + kDomains[0].ipv4 + " tcp dport ";
  must_run({"nft", "-f", "-"},
           "table ip firewall {\n  chain output {\n    type nat hook output priority -100\n    " +
               rule + "5001 redirect to :5000\n    " + rule + "5002 dnat to " + kDomains[1].ipv4 +
               ":5000\n  }\n}\n");
  EXPECT_EQ("example.net\n", ask(kDomains[0].ipv4, 5001)) << server.log();
  EXPECT_EQ("example.net\n", ask(kDomains[0].ipv4, 5002)) << server.log();
}

class Dns : public RootsTest {};

INSTANTIATE_ROOTS(Dns);

TEST_P(Dns, leads_to_each_domain_by_its_names) {
  NEEDS_REAL_ROOT();
  make_web_machine();
  const BackgroundProcess name_server(dns());
  const BackgroundProcess server(inetd({inetd_line("http", "", GetParam())}));
  for (const Domain& domain : kDomains) {
    for (const std::string& name : {domain.name, "www." + domain.name}) {
      for (const char* version : {"-4", "-6"}) {
        EXPECT_TRUE(eventually([&] {
          return curl("http://" + name + "/", {version}).output == page_of(domain);
        })) << name
            << version << name_server.log();
      }
    }
  }
}

}  // namespace
}  // namespace testing_support
