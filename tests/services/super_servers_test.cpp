// Every super server that passes a connection to a program works with virtuald.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "domains.h"
#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

constexpr std::uint16_t kPort = 5000;

/// The addresses that a server listens on.
enum class Listener { ipv4, dual_stack };

std::string join(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

struct SuperServer {
  std::string name;
  /// The command that runs virtuald with `arguments` for every connection to kPort.
  std::function<std::vector<std::string>(Listener, const std::vector<std::string>& arguments)>
      command;
  /// Its message about a child that exited with 125.
  std::string report;
};

/// Prints a server as a test's parameter.
void PrintTo(const SuperServer& server, std::ostream* stream) {
  *stream << server.name;
}

std::string line_for(const std::string& protocol, const std::vector<std::string>& arguments) {
  return std::to_string(kPort) + " stream " + protocol +
         " nowait root /usr/local/bin/virtuald virtuald " + join(arguments) + "\n";
}

std::vector<std::string> openbsd_inetd(Listener listener,
                                       const std::vector<std::string>& arguments) {
  write_file("/run/inetd.conf", line_for(listener == Listener::ipv4 ? "tcp4" : "tcp46", arguments));
  return {daemon_path("openbsd-inetd", "/usr/sbin/inetd"), "-d", "/run/inetd.conf"};
}

std::vector<std::string> inetutils_inetd(Listener listener,
                                         const std::vector<std::string>& arguments) {
  write_file("/run/inetd.conf", line_for(listener == Listener::ipv4 ? "tcp4" : "tcp6", arguments));
  return {daemon_path("inetutils-inetd", "/usr/sbin/inetutils-inetd"), "-d", "-p/run/inetd.pid",
          "/run/inetd.conf"};
}

/// A block of xinetd.conf, with these lines.
std::string xinetd_block(const std::string& name, const std::string& lines) {
  return "service " + name + "\n{\n  type = UNLISTED\n  port = " + std::to_string(kPort) +
         "\n  socket_type = stream\n  protocol = tcp\n  wait = no\n  user = root\n" + lines + "}\n";
}

std::vector<std::string> xinetd_with(const std::string& blocks) {
  write_file("/run/xinetd.conf", blocks);
  return {daemon_path("xinetd", "/usr/sbin/xinetd"),
          "-dontfork",
          "-f",
          "/run/xinetd.conf",
          "-pidfile",
          "/run/xinetd.pid"};
}

std::vector<std::string> xinetd(Listener listener, const std::vector<std::string>& arguments) {
  return xinetd_with(xinetd_block(
      "test", "  flags = " + std::string(listener == Listener::ipv4 ? "IPv4" : "IPv6") +
                  "\n  server = /usr/local/bin/virtuald\n  server_args = " + join(arguments) +
                  "\n  log_type = FILE /run/xinetd.log\n  log_on_success = PID EXIT\n"));
}

std::vector<std::string> with_arguments(std::vector<std::string> command,
                                        const std::vector<std::string>& arguments) {
  command.emplace_back("/usr/local/bin/virtuald");
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<std::string> systemd_socket_activate(Listener listener,
                                                 const std::vector<std::string>& arguments) {
  const std::string port = std::to_string(kPort);
  return with_arguments(
      {daemon_path("systemd", "/usr/bin/systemd-socket-activate"), "-l",
       listener == Listener::ipv4 ? "0.0.0.0:" + port : port, "--accept", "--inetd", "--"},
      arguments);
}

std::vector<std::string> tcpserver(Listener, const std::vector<std::string>& arguments) {
  return with_arguments(
      {daemon_path("ucspi-tcp", "/usr/bin/tcpserver"), "-v", "-RHl0", "0", std::to_string(kPort)},
      arguments);
}

std::vector<std::string> tcpsvd(Listener, const std::vector<std::string>& arguments) {
  return with_arguments(
      {daemon_path("ipsvd", "/usr/bin/tcpsvd"), "-v", "-l0", "0", std::to_string(kPort)},
      arguments);
}

std::vector<std::string> socat(Listener, const std::vector<std::string>& arguments) {
  return {daemon_path("socat", "/usr/bin/socat"),
          "-d",
          "-d",
          "-d",
          "TCP4-LISTEN:" + std::to_string(kPort) + ",reuseaddr,fork",
          "EXEC:/usr/local/bin/virtuald " + join(arguments) + ",nofork"};
}

class SuperServers : public testing::TestWithParam<std::tuple<SuperServer, std::string>> {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine();
    make_small_roots();
  }

  static const SuperServer& super_server() { return std::get<SuperServer>(GetParam()); }

  static Command command(Listener listener, const std::string& what) {
    std::vector<std::string> arguments = {"/virtual/conf.ftp", "service", what};
    if (std::get<std::string>(GetParam()) == "isolated") {
      arguments.insert(arguments.begin(), "-i");
    }
    return command_of(super_server().command(listener, arguments));
  }

  /// Expects that each domain is served at its own address of that family.
  static void expect_names(const BackgroundProcess& server, std::string Domain::*address) {
    for (const Domain& domain : kDomains) {
      EXPECT_EQ(domain.name + "\n", ask(domain.*address, kPort)) << server.log();
    }
  }
};

class DualStackServers : public SuperServers {};

TEST_P(SuperServers, serve_each_domain_at_its_address) {
  const BackgroundProcess server(command(Listener::ipv4, "name"));
  expect_names(server, &Domain::ipv4);
}

TEST_P(DualStackServers, serve_each_domain_over_ipv6) {
  const BackgroundProcess server(command(Listener::dual_stack, "name"));
  expect_names(server, &Domain::ipv6);
}

TEST_P(DualStackServers, serve_ipv4_with_the_same_listener) {
  const BackgroundProcess server(command(Listener::dual_stack, "name"));
  expect_names(server, &Domain::ipv4);
}

TEST_P(SuperServers, leave_no_signal_ignored_or_blocked) {
  const BackgroundProcess server(command(Listener::ipv4, "signals"));
  EXPECT_EQ("ignored blocked\n", ask(kDomains[0].ipv4, kPort)) << server.log();
}

TEST_P(SuperServers, report_the_failure_for_an_address_without_a_domain) {
  const BackgroundProcess server(command(Listener::ipv4, "name"));
  EXPECT_EQ("", ask(kNobody, kPort));
  EXPECT_TRUE(eventually([&] {
    const std::string log =
        super_server().name == "xinetd" ? read_file("/run/xinetd.log") : server.log();
    return log.find(super_server().report) != std::string::npos;
  })) << server.log();
}

TEST_P(SuperServers, leave_only_the_connection_open) {
  const BackgroundProcess server(command(Listener::ipv4, "descriptors"));
  EXPECT_EQ("descriptors 0 1 2\n", ask(kDomains[0].ipv4, kPort)) << server.log();
}

std::string name_of(const testing::TestParamInfo<std::tuple<SuperServer, std::string>>& parameter) {
  return std::get<SuperServer>(parameter.param).name + "_" + std::get<std::string>(parameter.param);
}

const auto kRoots = testing::Values(std::string("plain"), std::string("isolated"));
const auto kDualStack = testing::Values(
    SuperServer{"openbsd_inetd", openbsd_inetd, "status 7d00"},
    SuperServer{"inetutils_inetd", inetutils_inetd, "status 0x7d00"},
    SuperServer{"xinetd", xinetd, "EXIT: test status=125"},
    SuperServer{"systemd_socket_activate", systemd_socket_activate, "died with code 125"});
const auto kIpv4Only = testing::Values(SuperServer{"tcpserver", tcpserver, "status 32000"},
                                       SuperServer{"tcpsvd", tcpsvd, "exit 125"},
                                       SuperServer{"socat", socat, "exited with status 125"});

INSTANTIATE_TEST_SUITE_P(Inetd, SuperServers, testing::Combine(kDualStack, kRoots), name_of);
INSTANTIATE_TEST_SUITE_P(Others, SuperServers, testing::Combine(kIpv4Only, kRoots), name_of);
INSTANTIATE_TEST_SUITE_P(Inetd, DualStackServers, testing::Combine(kDualStack, kRoots), name_of);

/// As README's table of alternatives says.
TEST(Xinetd, without_virtuald_needs_a_block_for_each_address_and_a_reload) {
  NEEDS_REAL_ROOT();
  make_machine();
  make_small_roots();
  std::vector<std::string> blocks;
  for (const Domain& domain : kDomains) {
    blocks.push_back(xinetd_block(
        domain.name, "  bind = " + domain.ipv4 + "\n  server = /usr/sbin/chroot\n  server_args = " +
                         domain.root().string() + " /usr/sbin/service name\n"));
  }
  const auto answers = [](const Domain& domain) {
    return run({"busybox", "nc", domain.ipv4, std::to_string(kPort)}).output == domain.name + "\n";
  };
  const BackgroundProcess server(command_of(xinetd_with(blocks[0])));
  EXPECT_TRUE(eventually([&] { return answers(kDomains[0]); })) << server.log();
  xinetd_with(blocks[0] + blocks[1]);
  EXPECT_FALSE(answers(kDomains[1]));
  ::kill(server.pid(), SIGHUP);
  EXPECT_TRUE(eventually([&] { return answers(kDomains[1]); })) << server.log();
}

class Inetd : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine();
  }
};

TEST_F(Inetd, finds_the_howtos_bare_program_name_in_the_root) {
  make_small_roots({"wu.ftpd"});
  const BackgroundProcess server(inetd(
      {"ftp stream tcp nowait root /usr/bin/virtuald virtuald /virtual/conf.ftp wu.ftpd -l -a"}));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ("argument 0: wu.ftpd\nargument 1: -l\nargument 2: -a\n", ask(domain.ipv4, 21))
        << server.log();
  }
}

TEST_F(Inetd, serves_ipv6_with_the_howtos_line) {
  make_small_roots({"in.qpop"});
  const BackgroundProcess server(inetd(
      {"pop-3 stream tcp nowait root /usr/bin/virtuald virtuald /virtual/conf.pop in.qpop -s"}));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ("argument 0: in.qpop\nargument 1: -s\n", ask(domain.ipv6, 110)) << server.log();
  }
}

TEST_F(Inetd, stops_a_service_for_all_domains_at_its_limit) {
  make_small_roots();
  const BackgroundProcess server(
      inetd({"21 stream tcp4 nowait.3 root /usr/local/bin/virtuald virtuald -i /virtual/conf.ftp "
             "service name"}));
  for (int count = 1; count < 3; ++count) {
    EXPECT_EQ("example.com\n", ask(kDomains[0].ipv4, 21)) << server.log();
  }
  const auto visit = [](const Domain& domain) {
    return run({"curl", "--silent", "--max-time", "5", "telnet://" + domain.ipv4 + ":21"});
  };
  EXPECT_EQ("", visit(kDomains[0]).output);
  constexpr int kCannotConnect = 7;
  EXPECT_EQ(kCannotConnect, visit(kDomains[1]).status) << server.log();
}

/// Sends a datagram to the address.
void send_datagram(const std::string& address, std::uint16_t port) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &target.sin_addr);
  ASSERT_EQ(1, ::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&target),
                        sizeof target));
}

/// A datagram left unread would make inetd start virtuald over and over.
TEST_F(Inetd, refuses_datagrams_for_all_addresses_once) {
  make_small_roots();
  LogSocket log;
  write_file(
      "/run/inetd.conf",
      "5001 dgram udp4 wait root /usr/bin/virtuald virtuald /virtual/conf.ftp service name\n");
  for (const auto& [package, program] :
       {std::pair{"openbsd-inetd", "/usr/sbin/inetd"},
        std::pair{"inetutils-inetd", "/usr/sbin/inetutils-inetd"}}) {
    const BackgroundProcess server(
        command_of({daemon_path(package, program), "-d", "/run/inetd.conf"}));
    ASSERT_TRUE(eventually([] { return contains(read_file("/proc/net/udp"), ":1389 "); }));
    send_datagram(kDomains[0].ipv4, 5001);
    std::vector<std::string> messages;
    const auto gather = [&] {
      for (const std::string& message : log.take()) {
        if (contains(message, "virtuald[")) {
          messages.push_back(without_prefix(message));
        }
      }
      return !messages.empty();
    };
    EXPECT_TRUE(eventually(gather)) << server.log();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    gather();
    EXPECT_EQ(
        std::vector<std::string>{
            "getsockname of descriptor 0: a UDP socket for every address, so the domain is "
            "unknown (inetd must say \"stream\", or the address that it listens on)"},
        messages)
        << package;
  }
}

/// With a line for each address, the socket belongs to a domain.
TEST_F(Inetd, serves_datagrams_with_a_line_for_the_address) {
  make_small_roots();
  write_file("/run/inetd.conf", kDomains[1].ipv4 +
                                    ":5001 dgram udp4 wait root /usr/bin/virtuald virtuald "
                                    "/virtual/conf.ftp service receive\n");
  const BackgroundProcess server(
      command_of({daemon_path("openbsd-inetd", "/usr/sbin/inetd"), "-d", "/run/inetd.conf"}));
  ASSERT_TRUE(eventually([] { return contains(read_file("/proc/net/udp"), ":1389 "); }));
  send_datagram(kDomains[1].ipv4, 5001);
  const std::filesystem::path received = kDomains[1].root() / "datagram";
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(received) && read_file(received) == "x";
  })) << server.log();
}

/// Without this, every service gets the environment of the administrator who started inetd.
TEST_F(Inetd, passes_no_environment_with_env_in_the_line) {
  make_small_roots();
  const std::string start = " stream tcp4 nowait root ";
  write_file("/run/inetd.conf",
             "5001" + start +
                 "/usr/local/bin/virtuald virtuald -i /virtual/conf.ftp service environment\n5002" +
                 start +
                 "/usr/bin/env env -i /usr/local/bin/virtuald -i /virtual/conf.ftp service "
                 "environment\n");
  Command server = command_of({daemon_path("inetutils-inetd", "/usr/sbin/inetutils-inetd"), "-d",
                               "-p/run/inetd.pid", "/run/inetd.conf"});
  server.environment = std::map<std::string, std::string>{{"SECRET", "of the administrator"}};
  const BackgroundProcess running(server);
  EXPECT_PRED2(contains, ask(kDomains[0].ipv4, 5001), "SECRET=of the administrator\n");
  EXPECT_EQ("", ask(kDomains[0].ipv4, 5002)) << running.log();
}

/// Unless the limit is raised, a single client can turn a service off.
TEST_F(Inetd, stops_serving_after_256_connections_in_a_minute) {
  make_small_roots();
  const BackgroundProcess server(
      inetd({"ftp stream tcp nowait root /usr/bin/virtuald virtuald /virtual/conf.ftp service "
             "name"}));
  int served = 0;
  while (served < 300 && ask(kDomains[0].ipv4, 21) == kDomains[0].name + "\n") {
    ++served;
  }
  EXPECT_EQ(255, served) << server.log();
  // In state 0A a socket listens.
  EXPECT_TRUE(
      eventually([] { return !contains(read_file("/proc/net/tcp"), ":0015 00000000:0000 0A"); }));
}

TEST_F(Inetd, serves_two_services_with_separate_configurations) {
  make_small_roots();
  const BackgroundProcess server(inetd(
      {"ftp stream tcp nowait root /usr/bin/virtuald virtuald /virtual/conf.ftp service name",
       "http stream tcp nowait root /usr/bin/virtuald virtuald /virtual/conf.www service name"}));
  EXPECT_EQ("example.com\n", ask(kNobody, 80)) << server.log();
  EXPECT_EQ("", ask(kNobody, 21)) << server.log();
}

}  // namespace
}  // namespace testing_support
