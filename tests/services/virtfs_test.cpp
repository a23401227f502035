// virtfs with real daemons, and compared with jailkit.
#include <sys/socket.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "daemons.h"
#include "domains.h"
#include "files.h"
#include "must_run.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

Outcome virtfs(const std::vector<std::string>& arguments) {
  Command command = command_of({std::string(kSourceDirectory) + "/scripts/bin/virtfs", "-q"});
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = {{"PATH", "/usr/bin:/bin"}, {"VIRTUALD", kVirtuald}};
  return run(command);
}

/// The disk usage of a directory.
std::uintmax_t kibibytes_of(const fs::path& directory) {
  return std::stoul(run({"du", "-sk", directory}).output);
}

class FiveDaemons : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    NEEDS_PACKAGES("inetutils-ftpd", "popa3d", "poppassd", "sendmail-base", "sendmail-bin");
    make_machine_without_virtuald(
        {"inetutils-ftpd", "popa3d", "poppassd", "sendmail-base", "sendmail-bin"});
    const Outcome outcome =
        virtfs({"-a", "127.0.0.1", "-f", "/virtual/conf", "-p", "ftpd", "-p", "popa3d", "-p",
                "sendmail", "-p", "busybox", "-p", "poppassd", "example.com"});
    ASSERT_EQ(0, outcome.status) << outcome.errors;
  }

  /// The daemon's answer to a client that sends `request`.
  static std::string answer(const std::vector<std::string>& daemon, std::string_view request) {
    Connection connection = connect_pair("127.0.0.1");
    Command command = command_of({kVirtuald, "/virtual/conf"});
    command.arguments.insert(command.arguments.end(), daemon.begin(), daemon.end());
    const int socket = connection.server.get();
    const pid_t pid = start(command, socket, socket, socket);
    connection.server.reset();
    EXPECT_EQ(static_cast<ssize_t>(request.size()),
              ::send(connection.client.get(), request.data(), request.size(), MSG_NOSIGNAL));
    ::shutdown(connection.client.get(), SHUT_WR);
    std::string text = receive_all(connection.client.get());
    wait_for(pid);
    return text;
  }
};

TEST_F(FiveDaemons, fit_in_a_root_of_32_mib) {
  EXPECT_LT(kibibytes_of("/virtual/example.com"), 32U * 1024U);
}

TEST_F(FiveDaemons, answer_with_ftp) {
  EXPECT_TRUE(answer({"ftpd", "-l", "-a", "default"}, "QUIT\r\n").starts_with("220 "));
}

TEST_F(FiveDaemons, answer_with_pop3) {
  fs::create_directories("/virtual/example.com/var/lib/popa3d");
  EXPECT_TRUE(answer({"popa3d"}, "QUIT\r\n").starts_with("+OK"));
}

TEST_F(FiveDaemons, answer_with_smtp) {
  fs::create_directories("/virtual/example.com/var/spool/mqueue");
  write_file("/virtual/example.com/etc/mail/sendmail.cf",
             "V10/Berkeley\nDjexample.com\nO QueueDirectory=/var/spool/mqueue\n"
             "O DontProbeInterfaces\nO SmtpGreetingMessage=$j\n"
             "Mlocal, P=/bin/false, F=lsDFM, A=x\nMprog, P=/bin/false, F=l, A=x\n"
             "S0\nR$*\t$#local $: $1\n");
  EXPECT_TRUE(answer({"sendmail", "-bs"}, "QUIT\r\n").starts_with("220 example.com ESMTP"));
}

TEST_F(FiveDaemons, answer_with_http) {
  write_file("/virtual/example.com/var/www/html/index.html", "of domain one\n");
  EXPECT_TRUE(answer({"busybox", "httpd", "-i", "-h", "/var/www/html"}, "GET / HTTP/1.0\r\n\r\n")
                  .ends_with("\r\n\r\nof domain one\n"));
}

TEST_F(FiveDaemons, answer_with_poppassd) {
  EXPECT_TRUE(answer({"poppassd"}, "quit\r\n").starts_with("200 poppassd"));
}

TEST(Shell, with_common_programs_fits_in_a_root_of_10_mib) {
  NEEDS_REAL_ROOT();
  make_machine_without_virtuald({});
  // Those of coreutils that Debian keeps in /bin.
  std::vector<std::string> arguments = {"-p", "sh", "example.com"};
  for (const char* name :
       {"cat",   "chgrp", "chmod", "chown", "cp",    "date",   "dd",    "df",  "dir",      "echo",
        "false", "ln",    "ls",    "mkdir", "mknod", "mktemp", "mv",    "pwd", "readlink", "rm",
        "rmdir", "sleep", "stty",  "sync",  "touch", "true",   "uname", "vdir"}) {
    arguments.insert(arguments.begin(), {"-p", name});
  }
  const Outcome outcome = virtfs(arguments);
  ASSERT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_LT(kibibytes_of("/virtual/example.com"), 10U * 1024U);
}

/// A jail and a domain with the same program, and a newer one on the host.
class JailkitUpdate : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    NEEDS_PACKAGES("jailkit");
    if (!fs::exists("/usr/bin/python3")) {
      SKIP_OR_FAIL("needs python3");
    }
    make_machine_without_virtuald({"jailkit"});
    fs::create_directory(kJail);
    must_run({"jk_cp", "-j", kJail, "/usr/bin/cat"});
    ASSERT_EQ(0, virtfs({"-p", "cat", "example.com"}).status);
    for (const fs::path& root : {kJail, kDomain}) {
      write_program(root / "usr/bin/own", "#!/bin/sh\n");
    }
    upgrade_host({"/usr/bin/cat"});
  }

  const fs::path kJail = "/virtual/jail";
  const fs::path kDomain = "/virtual/example.com";
};

TEST_F(JailkitUpdate, removes_files_before_it_copies_them_and_files_that_the_host_lacks) {
  const std::string said = must_run({"jk_update", "-j", kJail});
  EXPECT_PRED2(contains, said, "removing outdated file /virtual/jail/usr/bin/cat");
  EXPECT_EQ(read_file("/usr/bin/cat"), read_file(kJail / "usr/bin/cat"));
  EXPECT_FALSE(fs::exists(kJail / "usr/bin/own"));
}

TEST_F(JailkitUpdate, is_unlike_virtfs_which_keeps_a_domains_own_programs) {
  const Outcome outcome = virtfs({"-u", "example.com"});
  ASSERT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ(read_file("/usr/bin/cat"), read_file(kDomain / "usr/bin/cat"));
  EXPECT_TRUE(fs::exists(kDomain / "usr/bin/own"));
}

/// `tests/run bench-virtfs` measures how long both take.
TEST(Jailkit, makes_no_smaller_root_for_a_shell) {
  NEEDS_REAL_ROOT();
  NEEDS_PACKAGES("jailkit");
  if (!fs::exists("/usr/bin/python3")) {
    SKIP_OR_FAIL("needs python3");
  }
  make_machine_without_virtuald({"jailkit"});
  std::vector<std::string> programs;
  for (const char* name :
       {"bash",   "cat",   "chmod", "cp",     "date", "dd",         "echo", "egrep",
        "false",  "fgrep", "grep",  "gunzip", "gzip", "ln",         "ls",   "mkdir",
        "mktemp", "more",  "mv",    "pwd",    "rm",   "rmdir",      "sed",  "sh",
        "sleep",  "sync",  "tar",   "touch",  "true", "uncompress", "zcat"}) {
    programs.insert(programs.end(), {"-p", name});
  }
  programs.emplace_back("example.com");
  fs::create_directory("/virtual/jail");
  ASSERT_EQ(0, virtfs(programs).status);
  must_run({"jk_init", "-c", "/etc/jailkit/jk_init.ini", "-j", "/virtual/jail", "basicshell",
            "uidbasics"});
  EXPECT_LE(kibibytes_of("/virtual/example.com"), kibibytes_of("/virtual/jail"));
}

}  // namespace
}  // namespace testing_support
