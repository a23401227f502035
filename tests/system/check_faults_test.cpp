// -t when system calls fail, and when time or memory is short.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const std::string kRoot = "/virtual/domain1.com";

class CheckFaults : public ::testing::Test {
 protected:
  /// One root, and in it a program whose loader, a shell script, finds no fault.
  void SetUp() override {
    NEEDS_REAL_ROOT();
    NEEDS_STRACE();
    fs::create_directories(kRoot + "/bin");
    fs::create_directories(fs::path(kRoot + loader()).parent_path());
    fs::copy_file("/bin/ls", kRoot + "/bin/ls");
    fs::copy_file("/bin/busybox", kRoot + "/bin/busybox");
    install_loader("exit 0\n");
    write_file("/virtual/conf", "127.0.0.2 " + kRoot + "\n");
  }

  static void install_loader(const std::string& script) {
    write_program(kRoot + loader(), "#!/bin/busybox sh\n" + script);
  }

  /// Runs -t and its children under strace(1) with these options.
  static Outcome check(std::vector<std::string> tampering) {
    std::vector<std::string> command = {"strace", "-f", "-o", "/tmp/trace"};
    command.insert(command.end(), tampering.begin(), tampering.end());
    command.insert(command.end(), {kVirtuald, "-t", "/virtual/conf", "ls"});
    return run(command);
  }

  /// Expects one error, about the program.
  static void expect_error(const Outcome& outcome, const std::string& reason) {
    EXPECT_EQ("/virtual/conf:1: exec /bin/ls in " + kRoot + ": " + reason +
                  "\n/virtual/conf: entries: 1, errors: 1, warnings: 0\n",
              outcome.output);
    EXPECT_EQ(1, outcome.status);
  }

  static void expect_no_error(const Outcome& outcome) {
    EXPECT_EQ("/virtual/conf: entries: 1, errors: 0, warnings: 0\n", outcome.output);
    EXPECT_EQ(0, outcome.status);
  }
};

TEST_F(CheckFaults, reports_nothing_if_no_call_fails) {
  expect_no_error(check({}));
}

TEST_F(CheckFaults, configuration_that_cannot_be_read) {
  const Outcome outcome = check({"-P", "/virtual/conf", "-e", "inject=read:error=EIO"});
  EXPECT_EQ("read /virtual/conf: " + reason_of(EIO) +
                "\n/virtual/conf: entries: 0, errors: 1, warnings: 0\n",
            outcome.output);
  EXPECT_EQ(1, outcome.status);
}

/// The processes that it starts might never end.
TEST_F(CheckFaults, loader_is_not_run_if_it_cannot_be_bounded) {
  const auto expect_warning = [](const Outcome& outcome, const std::string& reason) {
    EXPECT_EQ("/virtual/conf:1: warning: shared libraries of /bin/ls in " + kRoot +
                  " not tested: " + loader() + " cannot be run within bounds: " + reason +
                  "\n/virtual/conf: entries: 1, errors: 0, warnings: 1\n",
              outcome.output);
    EXPECT_EQ(0, outcome.status);
  };
  install_loader("exit 3\n");
  expect_warning(check({"-e", "inject=pipe2:error=EMFILE"}), reason_of(EMFILE));
  expect_warning(check({"-e", "inject=unshare:error=EPERM"}), reason_of(EPERM));
  expect_warning(check({"-e", "inject=fork,clone,clone3:error=EAGAIN"}), reason_of(EAGAIN));
}

/// Otherwise a process that leaves its session and closes the pipe would survive.
TEST_F(CheckFaults, nothing_that_the_loader_starts_outlives_it) {
  // A shell opens /dev/null for background commands.
  fs::create_directory(kRoot + "/dev");
  ASSERT_EQ(0, ::mknod((kRoot + "/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)));
  ASSERT_EQ(0, ::chmod((kRoot + "/dev/null").c_str(), 0666));
  install_loader(
      "/bin/busybox setsid /bin/busybox sh -c '/bin/busybox sleep 60 & exit 0' <&- >&- 2>&-\n"
      "exit 0\n");
  EXPECT_EQ(0, run({kVirtuald, "-t", "/virtual/conf", "ls"}).status);
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    std::error_code code;
    EXPECT_NE(kRoot, fs::read_symlink(entry.path() / "root", code)) << entry.path();
  }
}

/// It sees no process of the host, and runs as a user without other processes.
TEST_F(CheckFaults, loader_is_alone) {
  install_loader("test $$ = 1 && test $(/bin/busybox id -u) = 65535 && exit 0\nexit 3\n");
  expect_no_error(check({}));
}

/// ulimit -f counts in blocks of 512 bytes.
TEST_F(CheckFaults, loader_has_limits) {
  install_loader("test \"$(ulimit -f) $(ulimit -c)\" = \"128 0\" && exit 0\nexit 3\n");
  expect_no_error(check({}));
}

/// A process namespace ends with its first process, the loader, and takes no further processes.
TEST_F(CheckFaults, every_loader_gets_its_own_process_namespace) {
  write_file("/virtual/conf",
             "127.0.0.2 " + kRoot + "\n127.0.0.3 " + kRoot + "2\n127.0.0.4 " + kRoot + "3\n");
  for (const char* number : {"2", "3"}) {
    fs::copy(kRoot, kRoot + number, fs::copy_options::recursive);
  }
  const Outcome outcome = check({});
  EXPECT_EQ("/virtual/conf: entries: 3, errors: 0, warnings: 0\n", outcome.output);
}

TEST_F(CheckFaults, answer_that_is_too_long_is_cut_without_an_error) {
  install_loader("i=0; while test $i -lt 3000; do echo libc.so.6; i=$((i + 1)); done\nexit 0\n");
  expect_no_error(check({}));
}

TEST_F(CheckFaults, loader_is_not_run_if_a_step_before_it_fails) {
  for (const char* call : {"dup2,dup3", "setrlimit,prlimit64", "chroot", "setsid", "prctl",
                           "setresgid", "setgroups", "setresuid"}) {
    SCOPED_TRACE(call);
    expect_error(check({"-e", std::string("inject=") + call + ":error=EPERM"}),
                 loader() + " --list /bin/ls: exit status 127");
  }
}

TEST_F(CheckFaults, loader_stays_root_in_a_user_namespace_without_nobody) {
  expect_no_error(check({"-e", "inject=setresgid:error=EINVAL"}));
}

TEST_F(CheckFaults, loader_that_dies) {
  install_loader(
      "ulimit -t 1; while :; do :; done\n");  // as the first process it can't kill itself
  expect_error(check({}), loader() + " --list /bin/ls: signal 9");
}

TEST_F(CheckFaults, interrupted_wait_for_the_answer_continues) {
  expect_no_error(check({"-e", "inject=poll:error=EINTR:when=1"}));
}

TEST_F(CheckFaults, loader_is_killed_if_waiting_for_its_answer_fails) {
  install_loader("/bin/busybox sleep 600\n");
  // The second wait is the one that follows the kill.
  expect_error(
      check({"-e", "inject=poll:error=ENOMEM:when=1", "-e", "inject=wait4:error=EINTR:when=2"}),
      loader() + " --list /bin/ls: no answer in five seconds");
}

/// Repeated addresses and roots are then not noticed, and the roots are tested again.
TEST_F(CheckFaults, no_memory_to_remember_lines) {
  write_file("/virtual/conf", "127.0.0.2 " + kRoot + "\n127.0.0.2 " + kRoot + "\n");
  ASSERT_NE(check({}).output.find("unreachable"), std::string::npos);
  const std::string trace = read_file("/tmp/trace");
  int number = 1;  // of the first mmap(2) after the configuration is opened
  for (const std::string& line : split_lines(trace.substr(0, trace.find("/virtual/conf\", O_")))) {
    number += line.find(" mmap(") != std::string::npos ? 1 : 0;
  }
  const Outcome outcome =
      check({"-e", "inject=mmap:error=ENOMEM:when=" + std::to_string(number) + "+"});
  EXPECT_EQ("/virtual/conf: entries: 2, errors: 0, warnings: 0\n", outcome.output);
}

TEST_F(CheckFaults, link_that_cannot_be_read) {
  fs::create_symlink(kRoot, "/virtual/alias");
  write_file("/virtual/conf", "127.0.0.2 /virtual/alias\n");
  const Outcome outcome =
      check({"-P", "/virtual/alias", "-e", "inject=readlink,readlinkat:error=EIO"});
  EXPECT_EQ("/virtual/conf:1: chroot /virtual/alias: " + reason_of(EIO) +
                "\n/virtual/conf: entries: 1, errors: 1, warnings: 0\n",
            outcome.output);
}

}  // namespace
}  // namespace testing_support
