// One connection, from its socket to its service.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <string>

#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class Serve : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_two_domains();
  }

  /// The service's answer to a client of `address`.
  static std::string name_at(const std::string& address, const std::string& listen_on = "") {
    Serving serving;
    serving.arguments = {"/virtual/conf", "service", "name"};
    serving.address = address;
    serving.listen_on = listen_on;
    return serve(serving).answer;
  }

  /// The answer of the service with the argument `what`.
  static std::string told(const std::string& what) {
    return serve({"/virtual/conf", "service", what}).answer;
  }
};

TEST_F(Serve, each_address_gets_its_own_root) {
  EXPECT_EQ("domain1\n", name_at("127.0.0.2"));
  EXPECT_EQ("domain2\n", name_at("127.0.0.3"));
}

TEST_F(Serve, ipv6_address_gets_its_root) {
  EXPECT_EQ("domain1\n", name_at("::1"));
}

TEST_F(Serve, wildcard_listener_serves_every_address) {
  EXPECT_EQ("domain1\n", name_at("127.0.0.2", "0.0.0.0"));
  EXPECT_EQ("domain2\n", name_at("127.0.0.3", "0.0.0.0"));
}

TEST_F(Serve, dual_stack_listener_finds_the_ipv4_entry) {
  EXPECT_EQ("domain2\n", name_at("127.0.0.3", "::"));
  EXPECT_EQ("domain1\n", name_at("::1", "::"));
}

TEST_F(Serve, exit_status_is_the_programs_own) {
  const Served served = serve({"/virtual/conf", "service", "exit", "7"});
  EXPECT_EQ(7, served.status);
  EXPECT_TRUE(served.log.empty());
}

TEST_F(Serve, arguments_reach_the_program_unchanged) {
  const Served served =
      serve({"/virtual/conf", "service", "arguments", "-l", "-a", "a b", "", "*"});
  EXPECT_EQ(
      "argument 0: service\nargument 1: arguments\nargument 2: -l\nargument 3: -a\n"
      "argument 4: a b\nargument 5: \nargument 6: *\n",
      served.answer);
}

TEST_F(Serve, option_a_is_argument_zero) {
  const Served served = serve({"-a", "ftpd", "/virtual/conf", "service", "arguments"});
  EXPECT_EQ("argument 0: ftpd\nargument 1: arguments\n", served.answer);
}

TEST_F(Serve, environment_is_passed_unchanged) {
  NEEDS_SHIPPED_PROGRAM();
  Serving serving;
  serving.arguments = {"/virtual/conf", "service", "environment"};
  serving.environment = {{"PATH", "/usr/sbin"}, {"TCPREMOTEIP", "10.1.1.7"}};
  EXPECT_EQ("PATH=/usr/sbin\nTCPREMOTEIP=10.1.1.7\n", serve(serving).answer);
}

TEST_F(Serve, working_directory_is_the_root) {
  EXPECT_EQ("/\n", told("cwd"));
}

TEST_F(Serve, service_talks_with_its_client) {
  Serving serving;
  serving.arguments = {"/virtual/conf", "service", "echo"};
  serving.request = std::string(100'000, 'x') + "end";
  EXPECT_EQ(serving.request, serve(serving).answer);
}

TEST_F(Serve, bare_name_is_found_without_path) {
  fs::create_directories("/virtual/domain1.com/bin");
  fs::rename("/virtual/domain1.com/usr/sbin/service", "/virtual/domain1.com/bin/wu.ftpd");
  EXPECT_EQ("domain1\n", serve({"/virtual/conf", "wu.ftpd", "name"}).answer);
}

TEST_F(Serve, path_is_searched_inside_the_root) {
  fs::create_directories("/virtual/domain1.com/opt");
  fs::rename("/virtual/domain1.com/usr/sbin/service", "/virtual/domain1.com/opt/service");
  Serving serving;
  serving.arguments = {"/virtual/conf", "service", "name"};
  serving.environment = {{"PATH", "/nowhere:/opt"}};
  EXPECT_EQ("domain1\n", serve(serving).answer);
}

TEST_F(Serve, search_skips_a_directory_whose_name_is_too_long) {
  Serving serving;
  serving.arguments = {"/virtual/conf", "service", "name"};
  serving.environment = {{"PATH", "/" + std::string(PATH_MAX, 'a') + ":/usr/sbin"}};
  EXPECT_EQ("domain1\n", serve(serving).answer);
}

TEST_F(Serve, search_continues_after_a_file_that_is_not_executable) {
  write_file("/virtual/domain1.com/usr/local/sbin/service", "not executable");
  EXPECT_EQ("domain1\n", told("name"));
}

TEST_F(Serve, program_by_path_needs_no_search) {
  EXPECT_EQ("domain1\n", serve({"/virtual/conf", "/usr/sbin/service", "name"}).answer);
}

TEST_F(Serve, link_to_a_domain_is_an_alias) {
  fs::create_directory_symlink("domain2.com", "/virtual/alias.com");
  fs::create_directory_symlink("/virtual/alias.com", "/virtual/alias-of-alias.com");
  write_file("/virtual/conf", "127.0.0.2 /virtual/alias-of-alias.com\n");
  EXPECT_EQ("domain2\n", name_at("127.0.0.2"));
}

TEST_F(Serve, root_may_be_the_host_itself) {
  write_file("/virtual/conf", "default /\n");
  EXPECT_EQ("/\n", serve({"/virtual/conf", kService, "cwd"}).answer);
}

TEST_F(Serve, only_the_connection_reaches_the_service) {
  EXPECT_EQ("descriptors 0 1 2\n", told("descriptors"));
}

TEST_F(Serve, inherited_descriptors_are_closed) {
  Serving serving;
  serving.arguments = {"/virtual/conf", "service", "descriptors"};
  serving.prepare = [] {
    const int directory = ::open("/", O_RDONLY | O_DIRECTORY);
    ::dup2(directory, 200);
    ::dup2(directory, 1000);
  };
  EXPECT_EQ("descriptors 0 1 2\n", serve(serving).answer);
}

TEST_F(Serve, verbose_logs_one_line_for_a_connection) {
  const Served served = serve({"-v", "/virtual/conf", "service", "name"});
  EXPECT_EQ("domain1\n", served.answer);
  ASSERT_EQ(1U, served.log.size());
  const std::string line = without_prefix(served.log[0], 30);
  EXPECT_EQ("from 127.0.0.1 port ", line.substr(0, 20));
  EXPECT_EQ(" to 127.0.0.2: /virtual/conf:1: root /virtual/domain1.com, program service",
            line.substr(line.find(" to ")));
}

TEST_F(Serve, quiet_logs_nothing) {
  EXPECT_TRUE(serve({"/virtual/conf", "service", "name"}).log.empty());
}

TEST_F(Serve, works_without_a_log) {
  Connection connection = connect_pair("127.0.0.2");
  Command command;
  command.program = kVirtuald;
  command.arguments = {"virtuald", "-v", "/virtual/conf", "service", "name"};
  const int socket = connection.server.get();
  const pid_t pid = start(command, socket, socket, socket);
  connection.server.reset();
  EXPECT_EQ("domain1\n", receive_all(connection.client.get()));
  EXPECT_EQ(0, wait_for(pid));
}

TEST_F(Serve, configuration_of_any_length_is_searched) {
  std::string text;
  for (int index = 0; index < 50'000; ++index) {
    text += "10.0." + std::to_string(index / 256) + "." + std::to_string(index % 256) +
            " /virtual/none\n";
  }
  write_file("/virtual/conf", text + "127.0.0.2 /virtual/domain1.com\n");
  EXPECT_EQ("domain1\n", name_at("127.0.0.2"));
}

// Under tcpserver, tcpsvd and systemd, descriptor 2 is their own log.
TEST_F(Serve, errors_are_written_to_standard_error_if_it_is_not_the_client) {
  Connection connection = connect_pair("127.0.0.9");
  int errors[2];
  ASSERT_EQ(0, ::pipe2(errors, O_CLOEXEC));
  Command command;
  command.program = kVirtuald;
  command.arguments = {"virtuald", "/virtual/conf", "service"};
  const pid_t pid = start(command, connection.server.get(), connection.server.get(), errors[1]);
  connection.server.reset();
  ::close(errors[1]);
  EXPECT_EQ("virtuald: /virtual/conf: no entry for 127.0.0.9, and no default\n",
            receive_all(errors[0]));
  EXPECT_EQ("", receive_all(connection.client.get()));
  EXPECT_EQ(125, wait_for(pid));
  ::close(errors[0]);
}

// A reader of standard error that has gone away must not change the exit status.
TEST_F(Serve, broken_standard_error_changes_nothing) {
  Connection connection = connect_pair("127.0.0.9");
  int errors[2];
  ASSERT_EQ(0, ::pipe2(errors, O_CLOEXEC));
  ::close(errors[0]);
  Command command;
  command.program = kVirtuald;
  command.arguments = {"virtuald", "/virtual/conf", "service"};
  command.prepare = [] { ::signal(SIGPIPE, SIG_DFL); };
  const pid_t pid = start(command, connection.server.get(), connection.server.get(), errors[1]);
  ::close(errors[1]);
  EXPECT_EQ(125, wait_for(pid));
}

}  // namespace
}  // namespace testing_support
