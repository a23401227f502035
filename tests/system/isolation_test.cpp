// The ways out of a root that virtuald closes even without -i.

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

using Strings = std::vector<std::string>;

/// A descriptor number beyond what a service opens itself.
constexpr int kInherited = 100;

/// Leaves the directory `path` open as descriptor `number` of the child, as a careless super server
/// would.
void leave_open(const char* path, int number = kInherited) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::dup2(descriptor, number) < 0) {
    ::_exit(200);
  }
}

/// virtuald that starts the service with these arguments.
Serving serving_with(const Strings& service, const Strings& options = {}) {
  Serving serving;
  serving.arguments = options;
  serving.arguments.insert(serving.arguments.end(), {"/virtual/conf", "service"});
  serving.arguments.insert(serving.arguments.end(), service.begin(), service.end());
  return serving;
}

class Isolation : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_two_domains();
    write_file("/virtual/domain1.com/etc/passwd", "root:x:0:0::/:\nwww:x:33:33::/:\n");
    write_file("/virtual/domain1.com/etc/group", "www:x:33:\nextra:x:44:www\n");
  }

  /// The answer of the service after the super server has left the host's root open.
  static std::string answer(const Strings& service, const Strings& options = {}) {
    Serving serving = serving_with(service, options);
    serving.prepare = [] { leave_open("/"); };
    return serve(serving).answer;
  }
};

/// The counterpart of the tests below: a chroot that does not close the descriptor.
TEST_F(Isolation, inherited_directory_leads_out_of_a_plain_chroot) {
  Command command =
      command_of({"chroot", "/virtual/domain1.com", "/usr/sbin/service", "leave", "100"});
  command.prepare = [] { leave_open("/"); };
  const Outcome outcome = run(command);
  EXPECT_EQ("out:", outcome.output.substr(0, 4));
}

TEST_F(Isolation, inherited_directory_does_not_lead_out) {
  EXPECT_EQ("fchdir: Bad file descriptor\n", answer({"leave", "100"}));
}

TEST_F(Isolation, only_the_connection_is_open) {
  EXPECT_EQ("descriptors 0 1 2\n", answer({"descriptors"}));
}

TEST_F(Isolation, only_the_connection_is_open_for_another_user) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("descriptors 0 1 2\n", answer({"descriptors"}, {"-v", "-u", "www"}));
}

TEST_F(Isolation, no_directory_that_virtuald_opened_is_left) {
  for (const char* const number : {"3", "4", "5", "6", "7", "8"}) {
    EXPECT_EQ("fchdir: Bad file descriptor\n", answer({"leave", number})) << number;
  }
}

TEST_F(Isolation, service_starts_in_its_root) {
  EXPECT_EQ("/\n", answer({"cwd"}));
}

TEST_F(Isolation, connection_on_an_old_kernel_is_refused) {
  Serving serving = serving_with({"descriptors"});
  serving.prepare = [] {
    leave_open("/");
    take_away(SYS_close_range);
  };
  expect_refusal(serve(serving), 125,
                 "close_range: Function not implemented (virtuald needs Linux 5.9 or later)");
}

/// The reason for -u.
TEST_F(Isolation, root_service_can_trace_its_parent) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("out: traces its parent\n", answer({"trace"}));
}

TEST_F(Isolation, service_of_another_user_cannot_trace_its_parent) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("ptrace: Operation not permitted\n", answer({"trace"}, {"-u", "www"}));
}

class Groups : public Isolation {
 protected:
  static std::string identity(const std::string& user) {
    Serving serving = serving_with({"identity"}, {"-u", user});
    serving.prepare = [] {
      const gid_t groups[] = {0, 5, 44, 1000};
      if (::setgroups(4, groups) != 0) {
        ::_exit(200);
      }
    };
    return serve(serving).answer;
  }
};

TEST_F(Groups, of_the_super_server_are_replaced_by_the_users_own) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("uid 33 euid 33 gid 33 egid 33 groups 44\n", identity("www"));
}

TEST_F(Groups, of_the_super_server_are_gone_for_numbers) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("uid 33 euid 33 gid 33 egid 33 groups\n", identity("33:33"));
}

TEST_F(Isolation, link_to_the_password_file_is_followed_in_the_root) {
  NEEDS_REAL_ROOT();
  write_file("/run/users", "www:x:0:0::/:\nwww:x:99:99::/:\n");
  write_file("/virtual/domain1.com/run/users", "www:x:55:56::/:\n");
  std::filesystem::remove("/virtual/domain1.com/etc/passwd");
  std::filesystem::create_symlink("/run/users", "/virtual/domain1.com/etc/passwd");
  EXPECT_EQ("uid 55 euid 55 gid 56 egid 56 groups 44\n", answer({"identity"}, {"-u", "www"}));
}

/// Between the check and the chroot, another directory is put in its place.
TEST_F(Isolation, directory_that_was_checked_becomes_the_root) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  NEEDS_SHIPPED_PROGRAM();
  const Served served = serve_stopped(serving_with({"name"}), "fstat", 2, [] {
    std::filesystem::rename("/virtual/domain1.com", "/virtual/was.com");
    std::filesystem::create_symlink("/virtual/domain2.com", "/virtual/domain1.com");
  });
  EXPECT_EQ("domain1\n", served.answer);
}

/// "wait" instead of "nowait": no domain has been reached yet, so none must get the listener.
TEST_F(Isolation, listener_is_not_taken_for_a_connection) {
  write_file("/virtual/conf", "default /virtual/domain1.com\n");
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(0, ::listen(listener.get(), 1));
  const Command command = command_of({kVirtuald, "/virtual/conf", "service", "name"});
  LogSocket log;
  EXPECT_EQ(125, wait_for(start(command, listener.get(), listener.get(), listener.get())));
  const std::vector<std::string> messages = log.take();
  ASSERT_EQ(1U, messages.size());
  EXPECT_EQ(
      "getsockname of descriptor 0: not connected "
      "(inetd must say \"nowait\", xinetd \"wait = no\")",
      without_prefix(messages[0]));
}

/// "dgram" with "wait": inetd would start virtuald again at once for an unread datagram.
TEST_F(Isolation, datagrams_for_all_addresses_are_refused_and_dropped) {
  write_file("/virtual/conf", "default /virtual/domain1.com\n");
  const Descriptor server(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  ASSERT_EQ(0, ::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size));
  ASSERT_EQ(0, ::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Descriptor client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const char* text : {"one", "", "two"}) {
    ASSERT_GE(::sendto(client.get(), text, std::strlen(text), 0,
                       reinterpret_cast<sockaddr*>(&address), size),
              0);
  }
  const Command command = command_of({kVirtuald, "/virtual/conf", "service", "name"});
  LogSocket log;
  EXPECT_EQ(125, wait_for(start(command, server.get(), server.get(), server.get())));
  const std::vector<std::string> messages = log.take();
  ASSERT_EQ(1U, messages.size());
  EXPECT_EQ(
      "getsockname of descriptor 0: a UDP socket for every address, so the domain is unknown "
      "(inetd must say \"stream\", or the address that it listens on)",
      without_prefix(messages[0]));
  char byte = 0;
  EXPECT_EQ(-1, ::recv(server.get(), &byte, 1, MSG_DONTWAIT));
}

TEST_F(Isolation, signals_are_at_their_defaults) {
  Serving serving = serving_with({"signals"});
  serving.prepare = [] {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGCHLD, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  EXPECT_EQ("ignored blocked\n", serve(serving).answer);
}

/// As after a restart of inetd with nohup or in the background.
TEST_F(Isolation, isolated_service_inherits_no_ignored_signal_of_the_administrators_shell) {
  Serving serving = serving_with({"signals"}, {"-i"});
  serving.prepare = [] {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                             SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ}) {
      ::signal(number, SIG_IGN);
    }
  };
  EXPECT_EQ("ignored blocked\n", serve(serving).answer);
}

TEST_F(Isolation, isolated_service_does_not_inherit_the_umask_of_the_administrators_shell) {
  for (const mode_t mask : {0U, 077U}) {
    Serving serving = serving_with({"umask"}, {"-i"});
    serving.prepare = [mask] { ::umask(mask); };
    EXPECT_EQ("umask 22\n", serve(serving).answer);
  }
}

TEST_F(Isolation, super_servers_environment_is_left_out_by_env) {
  Serving serving = serving_with({"environment"});
  serving.under = {"env", "-i"};
  serving.environment = {{"SECRET", "of the administrator"}};
  EXPECT_EQ(std::string::npos, serve(serving).answer.find("SECRET"));
}

}  // namespace
}  // namespace testing_support
