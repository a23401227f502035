// Every refusal: the exit status, the message in the host's log, and nothing for the client.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
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

namespace fs = std::filesystem;

constexpr const char* kSearched = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

class Refusal : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_two_domains();
  }

  static void expect_refused(const std::vector<std::string>& arguments, int status,
                             const std::string& message) {
    expect_refusal(serve(arguments), status, message);
  }

  /// Expects that domain1.com's ftpd is found and does not start.
  static void expect_not_started(const std::string& reason) {
    expect_refused({"/virtual/conf", "ftpd"}, 126,
                   "exec /usr/sbin/ftpd in /virtual/domain1.com: " + reason);
  }

  /// Starts virtuald with these descriptors 0 to 2; returns its status and the log.
  static Served start_with(int input, int output, int errors) {
    LogSocket log;
    Command command;
    command.program = kVirtuald;
    command.arguments = {"virtuald", "/virtual/conf", "service"};
    Served served;
    served.status = wait_for(start(command, input, output, errors));
    served.log = log.take();
    return served;
  }
};

TEST_F(Refusal, no_configuration) {
  expect_refused({}, 125, "no configuration file given (virtuald -h shows the usage)");
}

TEST_F(Refusal, no_program) {
  expect_refused({"/virtual/conf"}, 125, "no program to run given (virtuald -h shows the usage)");
}

TEST_F(Refusal, unknown_option) {
  expect_refused({"-z", "/virtual/conf", "service"}, 125,
                 "unknown option -z (virtuald -h shows the usage)");
}

TEST_F(Refusal, option_without_its_argument) {
  expect_refused({"-a"}, 125, "option -a needs an argument (virtuald -h shows the usage)");
}

TEST_F(Refusal, two_modes_at_once) {
  expect_refused({"-t", "-q"}, 125, "only one of -x, -t, -q, -V and -h can be given");
}

TEST_F(Refusal, missing_configuration) {
  expect_refused({"/virtual/conf.ftp", "service"}, 125,
                 "open /virtual/conf.ftp: No such file or directory");
}

TEST_F(Refusal, configuration_that_is_a_directory) {
  expect_refused({"/virtual", "service"}, 125, "open /virtual: not a regular file");
  expect_refused({"/", "service"}, 125, "open /: not a regular file");
}

TEST_F(Refusal, configuration_that_is_a_fifo) {
  ASSERT_EQ(0, ::mkfifo("/virtual/fifo", 0644));
  expect_refused({"/virtual/fifo", "service"}, 125, "open /virtual/fifo: not a regular file");
}

TEST_F(Refusal, empty_path_of_a_configuration) {
  expect_refused({"", "service"}, 125, "open : No such file or directory");
}

TEST_F(Refusal, broken_line_before_the_match) {
  write_file("/virtual/conf",
             "# c\n127.0.0.300 /virtual/domain1.com\ndefault /virtual/domain2.com\n");
  expect_refused({"/virtual/conf", "service"}, 125,
                 "/virtual/conf:2: 127.0.0.300 is not an address");
}

TEST_F(Refusal, address_without_entry) {
  Serving serving;
  serving.arguments = {"/virtual/conf", "service"};
  serving.address = "127.0.0.4";
  expect_refusal(serve(serving), 125, "/virtual/conf: no entry for 127.0.0.4, and no default");
}

TEST_F(Refusal, missing_root) {
  fs::remove_all("/virtual/domain1.com");
  expect_refused({"/virtual/conf", "service"}, 125,
                 "chroot /virtual/domain1.com: No such file or directory");
}

TEST_F(Refusal, root_below_a_missing_directory_names_that_directory) {
  write_file("/virtual/conf", "default /virtual/disk2/domain1.com\n");
  expect_refused({"/virtual/conf", "service"}, 125,
                 "chroot /virtual/disk2: No such file or directory");
}

TEST_F(Refusal, root_that_is_a_file) {
  write_file("/virtual/conf", "default /virtual/conf\n");
  expect_refused({"/virtual/conf", "service"}, 125, "chroot /virtual/conf: Not a directory");
}

TEST_F(Refusal, root_behind_a_loop_of_links) {
  fs::create_symlink("loop", "/virtual/loop");
  write_file("/virtual/conf", "default /virtual/loop\n");
  expect_refused({"/virtual/conf", "service"}, 125, "chroot /virtual/loop: " + reason_of(ELOOP));
}

TEST_F(Refusal, root_whose_name_is_too_long) {
  write_file("/virtual/conf", "default /virtual/" + std::string(256, 'a') + "\n");
  expect_refused({"/virtual/conf", "service"}, 125,
                 "chroot /virtual/" + std::string(256, 'a') + ": " + reason_of(ENAMETOOLONG));
}

// Each component is short, but the whole is longer than the kernel accepts.
TEST_F(Refusal, root_whose_path_is_too_long) {
  std::string path;
  while (path.size() < PATH_MAX) {
    path += "/virtual/..";
  }
  write_file("/virtual/conf", "default " + path + "\n");
  const Served served = serve({"/virtual/conf", "service"});
  EXPECT_EQ(125, served.status);
  ASSERT_EQ(1U, served.log.size());
  EXPECT_TRUE(served.log[0].ends_with(": " + reason_of(ENAMETOOLONG))) << served.log[0];
}

TEST_F(Refusal, root_behind_a_link_whose_target_is_too_long) {
  std::string target = "/virtual";
  while (target.size() < PATH_MAX - 16) {
    target += "/../virtual";
  }
  fs::create_symlink(target, "/virtual/far");
  write_file("/virtual/conf", "default /virtual/far/../domain1.com\n");
  expect_refused({"/virtual/conf", "service"}, 125,
                 "chroot /virtual/far/../domain1.com: " + reason_of(ENAMETOOLONG));
}

TEST_F(Refusal, not_root) {
  NEEDS_REAL_ROOT();
  Serving serving;
  serving.arguments = {"/virtual/conf", "service"};
  serving.prepare = [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      ::_exit(99);
    }
  };
  expect_refusal(
      serve(serving), 125,
      "chroot /virtual/domain1.com: Operation not permitted (virtuald must be started as root)");
}

TEST_F(Refusal, program_that_is_not_in_the_root) {
  expect_refused(
      {"/virtual/conf", "in.qpop", "-s"}, 127,
      std::string("exec in.qpop in /virtual/domain1.com: No such file or directory on the path ") +
          kSearched);
}

TEST_F(Refusal, program_path_that_does_not_exist) {
  expect_refused({"/virtual/conf", "/usr/sbin/ftpd"}, 127,
                 "exec /usr/sbin/ftpd in /virtual/domain1.com: No such file or directory");
}

TEST_F(Refusal, program_without_a_name) {
  expect_refused({"/virtual/conf", ""}, 127,
                 "exec in /virtual/domain1.com: the program's name is empty");
}

TEST_F(Refusal, program_without_execute_permission) {
  write_file("/virtual/domain1.com/usr/sbin/ftpd", "");
  expect_not_started("Permission denied");
}

TEST_F(Refusal, program_that_is_a_directory) {
  expect_refused({"/virtual/conf", "/usr/sbin"}, 126,
                 "exec /usr/sbin in /virtual/domain1.com: Permission denied");
}

TEST_F(Refusal, program_whose_loader_is_missing) {
  fs::copy_file("/bin/ls", "/virtual/domain1.com/usr/sbin/ftpd");
  expect_not_started("its interpreter " + loader() + " is not there");
}

TEST_F(Refusal, script_whose_interpreter_is_missing) {
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "#! /usr/bin/perl -w\nprint 1;\n");
  expect_not_started("its interpreter /usr/bin/perl is not there");
}

TEST_F(Refusal, script_whose_interpreters_loader_is_missing) {
  fs::create_directories("/virtual/domain1.com/bin");
  fs::copy_file("/bin/ls", "/virtual/domain1.com/bin/sh");
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "#!/bin/sh\n");
  expect_not_started("its interpreter " + loader() + " is not there");
}

TEST_F(Refusal, script_with_dos_line_ends) {
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "#!/usr/sbin/service\r\n");
  expect_not_started("its interpreter /usr/sbin/service\\x0d is not there");
}

TEST_F(Refusal, file_that_is_not_a_program) {
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "echo no interpreter\n");
  expect_not_started(
      "Exec format error (a script needs a #! line, a program this machine's architecture)");
}

TEST_F(Refusal, descriptor_0_is_not_a_socket) {
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  expect_refusal(start_with(null.get(), null.get(), null.get()), 125,
                 "getsockname of descriptor 0: " + reason_of(ENOTSOCK) +
                     " (it must be the connection, "
                     "as inetd's \"stream tcp nowait\" passes it)");
}

TEST_F(Refusal, descriptor_0_is_closed) {
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  expect_refusal(start_with(-1, null.get(), null.get()), 125,
                 "getsockname of descriptor 0: Bad file descriptor (it must be the connection, "
                 "as inetd's \"stream tcp nowait\" passes it)");
}

TEST_F(Refusal, all_descriptors_are_closed) {
  expect_refusal(start_with(-1, -1, -1), 125,
                 "getsockname of descriptor 0: Bad file descriptor (it must be the connection, "
                 "as inetd's \"stream tcp nowait\" passes it)");
}

TEST_F(Refusal, descriptor_0_is_a_local_socket) {
  int pair[2];
  ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
  const Descriptor ours(pair[0]);
  const Descriptor theirs(pair[1]);
  expect_refusal(start_with(theirs.get(), theirs.get(), theirs.get()), 125,
                 "getsockname of descriptor 0: not an internet socket");
}

TEST_F(Refusal, the_domains_own_log_gets_nothing) {
  fs::create_directories("/virtual/domain1.com/dev");
  LogSocket domains_log("/virtual/domain1.com/dev/log");
  expect_refused({"/virtual/conf", "/usr/sbin/ftpd"}, 127,
                 "exec /usr/sbin/ftpd in /virtual/domain1.com: No such file or directory");
  EXPECT_TRUE(domains_log.take().empty());
}

}  // namespace
}  // namespace testing_support
