// virtfs -s: the state of the domains.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "log_socket.h"
#include "must_run.h"
#include "process.h"
#include "script.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kDomain = "/virtual/one.com";

class VirtfsStatus : public ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    static const bool writable = (make_writable("/usr"), true);
    static_cast<void>(writable);
    fs::remove_all("/virtual");
    write_program("/usr/bin/hello", "#!/bin/sh\necho old\n");
    const Outcome outcome = run_script("virtfs", {"-q", "-p", "hello", "-p", "sleep", "-a",
                                                  "10.0.0.1", "-f", "/virtual/conf", "one.com"});
    ASSERT_EQ(0, outcome.status) << outcome.errors;
  }

  [[nodiscard]] Outcome status(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "-s");
    return run_script("virtfs", arguments);
  }

  /// Expects this warning and no other.
  void expect_named(const std::string& what) const {
    const Outcome outcome = status();
    EXPECT_EQ("virtfs: " + what + "\n", outcome.errors);
    EXPECT_EQ(1, outcome.status);
  }
};

INSTANTIATE_SHELLS(VirtfsStatus);

TEST_P(VirtfsStatus, warns_of_nothing_in_a_healthy_domain) {
  const Outcome outcome = status();
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ(0, outcome.status);
  const std::vector<std::string> lines = split_lines(outcome.output);
  ASSERT_EQ(2U, lines.size()) << outcome.output;
  EXPECT_PRED2(contains, lines[0], "domain ");
  EXPECT_PRED2(contains, lines[0], " size processes  made ");
  EXPECT_PRED2(contains, lines[1], " MiB ");
  EXPECT_PRED2(contains, lines[1], "  10.0.0.1@/virtual/conf  hello sleep");
}

/// virtfs named them when it made the domain.
TEST_P(VirtfsStatus, does_not_warn_of_files_that_were_left_out) {
  make_writable("/etc");
  make_writable("/var");
  write_file("/etc/toy/key", "hush-hush\n");
  fs::permissions("/etc/toy/key", fs::perms::owner_read);
  write_file("/var/lib/dpkg/info/toy.list", "/usr/bin/hello\n/etc/toy\n/etc/toy/key\n");
  write_file("/var/lib/dpkg/status",
             read_file("/var/lib/dpkg/status") + "\nPackage: toy\nStatus: install ok installed\n");
  EXPECT_PRED2(contains, run_script("virtfs", {"-u"}).errors, "/etc/toy/key: not everybody may");
  EXPECT_EQ("", status().errors);
}

TEST_P(VirtfsStatus, prints_a_line_for_scripts_when_quiet) {
  const BackgroundProcess sleeper(command_of({"chroot", kDomain, "sleep", "60"}));
  const std::string root = "/proc/" + std::to_string(sleeper.pid()) + "/root";
  ASSERT_TRUE(eventually([&root] { return fs::read_symlink(root) == kDomain; }));
  const std::string line = status({"-q", "one.com"}).output;
  std::vector<std::string> fields = {""};
  for (const char letter : line.substr(0, line.find('\n'))) {
    if (letter == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += letter;
    }
  }
  ASSERT_EQ(7U, fields.size()) << line;
  EXPECT_EQ("one.com", fields[0]);
  EXPECT_GT(std::stoi(fields[1]), 100);
  EXPECT_EQ("1", fields[2]);
  EXPECT_EQ(16U, fields[3].size());
  EXPECT_EQ("-", fields[4]);
  EXPECT_EQ("10.0.0.1@/virtual/conf", fields[5]);
  EXPECT_EQ("hello sleep", fields[6]);
}

TEST_P(VirtfsStatus, names_a_file_that_is_older_than_the_hosts) {
  write_program("/usr/bin/hello", "#!/bin/sh\necho newer\n");
  expect_named("/virtual/one.com/usr/bin/hello: differs from the host's: run virtfs -u");
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-u"}).status);
  EXPECT_EQ(0, status().status);
}

TEST_P(VirtfsStatus, names_what_is_older_in_etc) {
  make_writable("/etc");
  write_file("/etc/protocols", "another 1 ANOTHER\n");
  expect_named("/virtual/one.com/etc/protocols: differs from the host's: run virtfs -u");
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-u"}).status);
  EXPECT_EQ(0, status().status);
}

TEST_P(VirtfsStatus, names_a_file_that_somebody_has_changed) {
  write_program(kDomain / "usr/bin/hello", "#!/bin/sh\necho evil\n");
  expect_named("/virtual/one.com/usr/bin/hello: changed since virtfs installed it");
}

TEST_P(VirtfsStatus, names_set_id_programs_and_devices) {
  write_program(kDomain / "var/lib/shell", "x");
  ASSERT_EQ(0, ::chmod((kDomain / "var/lib/shell").c_str(), 04755));
  expect_named(
      "/virtual/one.com/var/lib/shell: set-user-ID, set-group-ID or a device, and not installed by "
      "virtfs");
  fs::remove(kDomain / "var/lib/shell");
  ASSERT_EQ(0, ::mknod((kDomain / "dev/disk").c_str(), S_IFBLK | 0600, makedev(8, 0)));
  expect_named(
      "/virtual/one.com/dev/disk: set-user-ID, set-group-ID or a device, and not installed by "
      "virtfs");
}

/// No file of dev is taken for harmless by its name.
TEST_P(VirtfsStatus, names_them_in_dev_too) {
  const std::string why = ": set-user-ID, set-group-ID or a device, and not installed by virtfs\n";
  write_program(kDomain / "dev/shell", "x");
  ASSERT_EQ(0, ::chmod((kDomain / "dev/shell").c_str(), 04755));
  fs::remove(kDomain / "dev/null");
  ASSERT_EQ(0, ::mknod((kDomain / "dev/null").c_str(), S_IFCHR | 0666, makedev(1, 1)));
  ASSERT_EQ(0, ::mknod((kDomain / "dev/pts/null").c_str(), S_IFCHR | 0666, makedev(1, 3)));
  EXPECT_EQ("virtfs: /virtual/one.com/dev/null" + why + "virtfs: /virtual/one.com/dev/pts/null" +
                why + "virtfs: /virtual/one.com/dev/shell" + why,
            status().errors);
}

TEST_P(VirtfsStatus, names_world_writable_system_directories) {
  for (const std::string directory : {"etc", "usr", "usr/bin", "usr/sbin", "usr/lib"}) {
    ASSERT_EQ(0, ::chmod((kDomain / directory).c_str(), 0777));
    expect_named("/virtual/one.com/" + directory + ": writable by users other than root");
    ASSERT_EQ(0, ::chmod((kDomain / directory).c_str(), 0755));
  }
}

TEST_P(VirtfsStatus, names_a_log_socket_that_is_not_the_loggers) {
  const LogSocket one("/virtual/one.com/dev/log");
  const LogSocket other("/virtual/log");
  expect_named("/virtual/one.com: dev/log is not the socket of the logger: syslog.init reload");
}

TEST_P(VirtfsStatus, names_a_mount) {
  ASSERT_EQ(0, ::mount("tmpfs", (kDomain / "tmp").c_str(), "tmpfs", 0, nullptr));
  const Outcome outcome = status();
  ::umount((kDomain / "tmp").c_str());
  EXPECT_EQ("virtfs: /virtual/one.com/tmp: mounted there\n", outcome.errors);
}

TEST_P(VirtfsStatus, names_a_line_without_a_directory) {
  write_file("/virtual/conf", "# x\n10.0.0.1 /virtual/one.com\n10.0.0.2 /virtual/none.com\n");
  expect_named("/virtual/conf:3: /virtual/none.com: no such directory");
}

TEST_P(VirtfsStatus, lines_may_end_in_cr_lf) {
  write_file("/virtual/conf", "10.0.0.1 /virtual/one.com\r\n10.0.0.2 /virtual/none.com\r\n");
  expect_named("/virtual/conf:2: /virtual/none.com: no such directory");
}

TEST_P(VirtfsStatus, leading_directory_may_be_a_link) {
  fs::create_directories("/run/elsewhere");
  fs::create_directory_symlink("/virtual", "/run/elsewhere/link");
  write_file("/virtual/conf", "10.0.0.1 /virtual/one.com\n10.0.0.2 /run/elsewhere/link/one.com\n");
  const Outcome outcome = status({"-q", "-d", "/run/elsewhere/link"});
  fs::remove_all("/run/elsewhere");
  EXPECT_PRED2(contains, outcome.output, "\t10.0.0.1@/virtual/conf,10.0.0.2@/virtual/conf\t");
  EXPECT_EQ("", outcome.errors);
}

TEST_P(VirtfsStatus, line_that_cannot_be_written_is_an_error) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"-s"}, {"-s", "-q"}}) {
    Command command = script("virtfs", arguments);
    command.prepare = [] { ::dup2(::open("/dev/full", O_WRONLY), 1); };
    EXPECT_EQ(1, run(command).status) << arguments.size();
  }
}

TEST_P(VirtfsStatus, names_a_domain_without_a_record) {
  fs::remove_all("/virtual/.virtfs");
  const std::string why =
      "/virtual/one.com: no record of its contents: virtfs -u -p PROGRAM ... makes one";
  expect_named(why);
  SetUp();
  fs::remove("/virtual/.virtfs/one.com");
  expect_named(why);
}

TEST_P(VirtfsStatus, last_line_of_a_record_may_lack_its_end) {
  write_file("/virtual/.virtfs/one.com", "program:hello\nprogram:sleep");
  EXPECT_EQ("", status().errors);
}

TEST_P(VirtfsStatus, counts_files_that_are_too_many_to_name) {
  for (int number = 0; number < 14; ++number) {
    const fs::path file = kDomain / "var/lib" / std::to_string(number);
    write_program(file, "x");
    ASSERT_EQ(0, ::chmod(file.c_str(), 04755));
  }
  EXPECT_PRED2(contains, status().errors,
               "virtfs: /virtual/one.com: 4 more: set-user-ID, set-group-ID or a device, and not "
               "installed by virtfs\n");
}

/// A name with a newline could imitate a line about a program, and one with an escape could reach
/// the terminal.
TEST_P(VirtfsStatus, names_of_files_hide_nothing) {
  const std::string plan = read_file("/virtual/.virtfs/.plans/one.com");
  const std::size_t end = plan.find(" usr/bin/hello\n");
  ASSERT_NE(std::string::npos, end);
  const std::size_t begin = plan.rfind('\n', end) + 1;
  write_program(kDomain / "usr/bin/hello", "#!/bin/sh\necho evil\n");
  const std::string line = plan.substr(begin, end - begin);
  fs::create_directories(kDomain / "usr" / ("x\n" + line + " usr/bin"));
  write_file(kDomain / "usr" / ("x\n" + line + " usr/bin/hello"), "");
  fs::create_symlink("x\n" + line + " usr/bin/hello", kDomain / "usr/link");
  expect_named("/virtual/one.com/usr/bin/hello: changed since virtfs installed it");
  const fs::path escape = kDomain / "var/lib" / "\033[2Jx";
  write_program(escape, "x");
  ASSERT_EQ(0, ::chmod(escape.c_str(), 04755));
  EXPECT_EQ(std::string::npos, status().errors.find('\033'));
}

/// If a domain replaces its directories with links, nothing outside is examined.
TEST_P(VirtfsStatus, directory_that_is_a_link_is_not_followed) {
  write_program("/scratch/set-id", "x");
  ASSERT_EQ(0, ::chmod("/scratch/set-id", 04755));
  fs::rename(kDomain / "usr/lib", kDomain / "usr/moved");
  fs::create_symlink("/scratch", kDomain / "usr/lib");
  EXPECT_EQ(std::string::npos, status().errors.find("set-user-ID"));
  fs::remove_all("/scratch");
}

TEST_P(VirtfsStatus, changes_nothing) {
  write_program("/usr/bin/hello", "#!/bin/sh\necho newer\n");
  const auto before = fs::last_write_time(kDomain / "usr/bin");
  EXPECT_EQ(1, status().status);
  EXPECT_EQ(before, fs::last_write_time(kDomain / "usr/bin"));
  EXPECT_EQ("#!/bin/sh\necho old\n", read_file(kDomain / "usr/bin/hello"));
}

TEST_P(VirtfsStatus, wrong_usage_is_refused) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-n"}, {"-p", "ls"}, {"-u"}, {"-r"}}) {
    EXPECT_EQ(2, status(arguments).status) << arguments[0];
  }
  EXPECT_EQ("virtfs: /virtual/none.com: no such domain\n", status({"-q", "none.com"}).errors);
}

}  // namespace
}  // namespace testing_support
