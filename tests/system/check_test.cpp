// -t, -q, -V and -h, which an administrator runs by hand.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const std::string kSearched =
    " on the path /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";

Outcome virtuald(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), kVirtuald);
  return run(arguments);
}

/// Copies `program` and the libraries that ldd prints.
void copy_with_libraries(const std::string& program, const fs::path& root) {
  std::vector<fs::path> files = libraries_of(program);
  files.emplace_back(program);
  for (const fs::path& file : files) {
    const fs::path target = root / file.relative_path();
    fs::create_directories(target.parent_path());
    fs::copy_file(file, target, fs::copy_options::overwrite_existing);
  }
}

/// Removes one of the libraries that ls needs from a root.
void remove_library(const fs::path& root) {
  const Outcome removed =
      run({"find", root.string(), "-name", "libselinux.so*", "-delete", "-print"});
  ASSERT_NE(removed.output, "");
}

/// Makes a script the loader of domain1.com.
void install_loader(const std::string& script) {
  const fs::path root = "/virtual/domain1.com";
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  const fs::path place = root.string() + loader();
  fs::remove(place);
  write_program(place, "#!/bin/busybox sh\n" + script);
}

std::string no_answer() {
  return "/virtual/conf:1: exec /bin/ls in /virtual/domain1.com: " + loader() +
         " --list /bin/ls: no answer in five seconds";
}

const std::string kLibraryMissing =
    "/bin/ls: error while loading shared libraries: libselinux.so.1: cannot open shared object "
    "file: No such file or directory\n";

class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_two_domains();
  }

  static void write_config(std::string_view text) { write_file("/virtual/conf", text); }

  /// A configuration of domain1.com alone.
  static void leave_one_root() { write_config("127.0.0.2 /virtual/domain1.com\n"); }

  /// The same, with a dynamic program in its root.
  static void put_ls_in_one_root() {
    leave_one_root();
    copy_with_libraries("/bin/ls", "/virtual/domain1.com");
  }

  static Command check_as_nobody(const std::string& program) {
    Command command = command_of({kVirtuald, "-t", "/virtual/conf", program});
    command.prepare = [] {
      if (::setuid(65534) != 0) {
        ::_exit(99);
      }
    };
    return command;
  }

  static void expect_report(const Outcome& outcome, int status, const std::string& report) {
    EXPECT_EQ(report, outcome.output);
    EXPECT_EQ("", outcome.errors);
    EXPECT_EQ(status, outcome.status);
  }

  /// Expects only a warning: that the loader was not asked about ls, and why.
  static void expect_not_tested(const Outcome& outcome, const std::string& reason) {
    expect_report(outcome, 0,
                  "/virtual/conf:1: warning: shared libraries of /bin/ls in /virtual/domain1.com "
                  "not tested: " +
                      reason + "\n/virtual/conf: entries: 1, errors: 0, warnings: 1\n");
  }

  /// Makes this script the loader, and expects that it is asked about ls and killed without an
  /// answer.
  static void expect_ended(const std::string& loader) {
    put_ls_in_one_root();
    install_loader(loader);
    const Outcome outcome = virtuald({"-t", "/virtual/conf", "ls"});
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ(no_answer(), split_lines(outcome.output).at(0));
  }
};

TEST_F(Check, reports_no_errors) {
  expect_report(virtuald({"-t", "/virtual/conf"}), 0,
                "/virtual/conf: entries: 3, errors: 0, warnings: 0\n");
}

TEST_F(Check, reports_ten_faults_on_ten_lines) {
  // `default /` has the host's /etc checked, which belongs to nobody in a user namespace.
  NEEDS_REAL_ROOT();
  write_file("/virtual/file", "");
  ::chmod("/virtual/domain2.com", 0775);
  write_config(
      "# ten faults\n"
      "127.0.0.300 /virtual/domain1.com\n"
      "127.0.0.2\n"
      "127.0.0.2 domain1.com\n"
      "127.0.0.2 /virtual/domain1.com # one\n"
      "127.0.0.2 /virtual/none\n"
      "127.0.0.3 /virtual/file\n"
      "127.0.0.4 /virtual/domain2.com\n"
      "127.0.0.5 /virtual/domain1.com\n"
      "::ffff:127.0.0.5 /virtual/domain1.com\n"
      "default /\n"
      "127.0.0.6 /virtual/domain1.com\n");
  expect_report(
      virtuald({"-t", "/virtual/conf"}), 1,
      "/virtual/conf:2: 127.0.0.300 is not an address\n"
      "/virtual/conf:3: 127.0.0.2 has no directory\n"
      "/virtual/conf:4: domain1.com is not an absolute directory\n"
      "/virtual/conf:5: /virtual/domain1.com is followed by more text (a directory cannot contain "
      "white space)\n"
      "/virtual/conf:6: chroot /virtual/none: No such file or directory\n"
      "/virtual/conf:7: chroot /virtual/file: Not a directory\n"
      "/virtual/conf:8: /virtual/domain2.com: owned by uid 0, mode 0775: a root must be owned by "
      "root "
      "and not writable by anyone else (-w only warns)\n"
      "/virtual/conf:10: warning: unreachable: line 9 already has 127.0.0.5\n"
      "/virtual/conf:11: warning: default is /: any other address serves the host itself\n"
      "/virtual/conf:12: warning: unreachable: line 11 is the default\n"
      "/virtual/conf: entries: 7, errors: 7, warnings: 3\n");
}

TEST_F(Check, warnings_alone_are_not_a_failure) {
  write_config("default /\n");
  EXPECT_EQ(0, virtuald({"-t", "/virtual/conf"}).status);
}

TEST_F(Check, says_that_an_empty_configuration_refuses_all) {
  write_config("# nothing\n");
  expect_report(virtuald({"-t", "/virtual/conf"}), 0,
                "warning: /virtual/conf: no entry: every connection is refused\n"
                "/virtual/conf: entries: 0, errors: 0, warnings: 1\n");
}

TEST_F(Check, names_a_missing_configuration) {
  expect_report(virtuald({"-t", "/virtual/none"}), 1,
                "open /virtual/none: No such file or directory\n"
                "/virtual/none: entries: 0, errors: 1, warnings: 0\n");
}

TEST_F(Check, continues_after_a_very_long_line) {
  write_config("127.0.0.2 /virtual/domain1.com\n" + std::string(200'000, 'x') +
               "\n127.0.0.3 relative\n");
  expect_report(virtuald({"-t", "/virtual/conf"}), 1,
                "/virtual/conf:2: longer than 4352 bytes\n"
                "/virtual/conf:3: relative is not an absolute directory\n"
                "/virtual/conf: entries: 1, errors: 2, warnings: 0\n");
}

TEST_F(Check, tests_a_hundred_thousand_lines_quickly) {
  std::string text;
  for (int index = 0; index < 100'000; ++index) {
    text += "10." + std::to_string(index >> 16) + "." + std::to_string(index >> 8 & 255) + "." +
            std::to_string(index & 255) + " /virtual/domain1.com\n";
  }
  write_config(text + "10.0.0.7 /virtual/domain2.com\n");
  const auto before = std::chrono::steady_clock::now();
  expect_report(virtuald({"-t", "/virtual/conf"}), 0,
                "/virtual/conf:100001: warning: unreachable: line 8 already has 10.0.0.7\n"
                "/virtual/conf: entries: 100001, errors: 0, warnings: 1\n");
  // A bound against quadratic behaviour, not a measurement: it takes a quarter of a second.
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST_F(Check, finds_a_program_that_would_start) {
  expect_report(virtuald({"-t", "/virtual/conf", "service"}), 0,
                "/virtual/conf: entries: 3, errors: 0, warnings: 0\n");
}

TEST_F(Check, names_the_root_that_lacks_the_program) {
  fs::remove("/virtual/domain2.com/usr/sbin/service");
  expect_report(virtuald({"-t", "/virtual/conf", "service"}), 1,
                "/virtual/conf:3: exec service in /virtual/domain2.com: No such file or directory" +
                    kSearched + "/virtual/conf: entries: 3, errors: 1, warnings: 0\n");
}

TEST_F(Check, says_once_for_each_root_what_is_wrong_with_its_program) {
  fs::remove("/virtual/domain1.com/usr/sbin/service");
  expect_report(virtuald({"-t", "/virtual/conf", "/usr/sbin/service"}), 1,
                "/virtual/conf:1: exec /usr/sbin/service in /virtual/domain1.com: No such file or "
                "directory\n"
                "/virtual/conf: entries: 3, errors: 1, warnings: 0\n");
}

TEST_F(Check, names_a_program_without_execute_permission) {
  ::chmod("/virtual/domain2.com/usr/sbin/service", 0644);
  expect_report(
      virtuald({"-t", "/virtual/conf", "service"}), 1,
      "/virtual/conf:3: exec /usr/sbin/service in /virtual/domain2.com: not an executable "
      "file, mode 0644\n"
      "/virtual/conf: entries: 3, errors: 1, warnings: 0\n");
}

TEST_F(Check, names_a_missing_interpreter) {
  leave_one_root();
  fs::copy_file("/bin/ls", "/virtual/domain1.com/usr/sbin/ftpd");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1,
                "/virtual/conf:1: exec /usr/sbin/ftpd in /virtual/domain1.com: its interpreter " +
                    loader() +
                    " is not there\n"
                    "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(Check, finds_all_libraries_of_a_dynamic_program) {
  put_ls_in_one_root();
  expect_report(virtuald({"-t", "/virtual/conf", "ls"}), 0,
                "/virtual/conf: entries: 1, errors: 0, warnings: 0\n");
}

TEST_F(Check, names_a_missing_library) {
  put_ls_in_one_root();
  remove_library("/virtual/domain1.com");
  expect_report(virtuald({"-t", "/virtual/conf", "ls"}), 1,
                "/virtual/conf:1: exec /bin/ls in /virtual/domain1.com: " + kLibraryMissing +
                    "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(Check, asks_the_loader_about_a_scripts_interpreter) {
  put_ls_in_one_root();
  remove_library("/virtual/domain1.com");
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "#!/bin/ls\n");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1,
                "/virtual/conf:1: exec /usr/sbin/ftpd in /virtual/domain1.com: " + kLibraryMissing +
                    "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(Check, never_runs_the_loader_of_a_root_that_is_not_trusted) {
  put_ls_in_one_root();
  ::chmod("/virtual/domain1.com", 0777);
  const Outcome outcome = virtuald({"-tw", "/virtual/conf", "ls"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_NE(outcome.output.find(
                "warning: shared libraries of /bin/ls in /virtual/domain1.com not tested: "
                "its loader could be changed by someone other than root\n"),
            std::string::npos)
      << outcome.output;
}

TEST_F(Check, never_runs_a_loader_that_somebody_else_could_change) {
  put_ls_in_one_root();
  ::chmod(("/virtual/domain1.com" + loader()).c_str(), 0775);
  expect_not_tested(virtuald({"-t", "/virtual/conf", "ls"}),
                    loader() + " could be changed by someone other than root");
}

// The loader may run code of the program's libraries, whoever wrote them.
TEST_F(Check, asks_the_loader_as_nobody) {
  NEEDS_REAL_ROOT();
  put_ls_in_one_root();
  install_loader(
      "/bin/busybox id -u >/out/uid\n"
      "/bin/busybox id -G >/out/groups\n");
  fs::create_directory("/virtual/domain1.com/out");
  ::chmod("/virtual/domain1.com/out", 0777);
  EXPECT_EQ(0, virtuald({"-t", "/virtual/conf", "ls"}).status);
  EXPECT_EQ("65535\n", read_file("/virtual/domain1.com/out/uid"));
  EXPECT_EQ("65535\n", read_file("/virtual/domain1.com/out/groups"));
}

/// Otherwise the kernel forgets the loader's status, and gives its number away.
TEST_F(Check, knows_the_loaders_status_if_its_caller_ignores_children) {
  put_ls_in_one_root();
  install_loader("exit 3\n");
  Command command = command_of({kVirtuald, "-t", "/virtual/conf", "ls"});
  command.prepare = [] { static_cast<void>(::signal(SIGCHLD, SIG_IGN)); };
  expect_report(run(command), 1,
                "/virtual/conf:1: exec /bin/ls in /virtual/domain1.com: " + loader() +
                    " --list /bin/ls: exit status 3\n"
                    "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(Check, says_that_the_loader_cannot_read_a_program) {
  NEEDS_REAL_ROOT();
  put_ls_in_one_root();
  ::chmod("/virtual/domain1.com/bin/ls", 0700);
  expect_not_tested(virtuald({"-t", "/virtual/conf", "ls"}),
                    "the loader runs as user 65535, who cannot read the program");
}

TEST_F(Check, names_a_script_that_is_its_own_interpreter) {
  leave_one_root();
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "#!/usr/sbin/ftpd\n");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1,
                "/virtual/conf:1: exec /usr/sbin/ftpd in /virtual/domain1.com: its interpreter "
                "/usr/sbin/ftpd cannot be executed (bad mode, or interpreters nested too deep)\n"
                "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(Check, names_an_interpreter_that_cannot_be_executed) {
  leave_one_root();
  const fs::path root = "/virtual/domain1.com";
  write_program(root / "usr/sbin/ftpd", "#!/bin/perl\n");
  const std::string report =
      "/virtual/conf:1: exec /usr/sbin/ftpd in /virtual/domain1.com: its interpreter /bin/perl "
      "cannot be executed (bad mode, or interpreters nested too deep)\n"
      "/virtual/conf: entries: 1, errors: 1, warnings: 0\n";
  write_file(root / "bin/perl", "not executable");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1, report);
  fs::remove(root / "bin/perl");
  fs::create_directory(root / "bin/perl");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1, report);
  fs::remove(root / "bin/perl");
  fs::create_symlink("perl", root / "bin/perl");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 1, report);
}

TEST_F(Check, warns_of_a_file_that_is_not_a_program) {
  leave_one_root();
  write_program("/virtual/domain1.com/usr/sbin/ftpd", "echo no first line\n");
  expect_report(virtuald({"-t", "/virtual/conf", "ftpd"}), 0,
                "/virtual/conf:1: warning: exec /usr/sbin/ftpd in /virtual/domain1.com: "
                "/usr/sbin/ftpd is neither an ELF program nor a script with a #! line\n"
                "/virtual/conf: entries: 1, errors: 0, warnings: 1\n");
}

TEST_F(Check, searches_the_path_as_a_connection_does) {
  write_file("/virtual/domain1.com/usr/local/sbin/service", "not executable");
  write_program("/virtual/domain1.com/usr/local/bin/service", "#!/nowhere\n");
  EXPECT_EQ("domain1\n", serve({"/virtual/conf", "service", "name"}).answer);
  expect_report(virtuald({"-t", "/virtual/conf", "service"}), 0,
                "/virtual/conf: entries: 3, errors: 0, warnings: 0\n");
}

TEST_F(Check, kills_a_loader_that_closes_its_output_and_keeps_running) {
  expect_ended("exec >&- 2>&-\n/bin/busybox sleep 600\n");
}

TEST_F(Check, resolves_links_as_the_root_would) {
  leave_one_root();
  fs::create_symlink("/usr/sbin/service", "/virtual/domain1.com/usr/sbin/inside");
  fs::create_symlink("/bin/ls", "/virtual/domain1.com/usr/sbin/outside");
  fs::create_symlink("../../../../../../bin/ls", "/virtual/domain1.com/usr/sbin/above");
  EXPECT_EQ(0, virtuald({"-t", "/virtual/conf", "inside"}).status);
  EXPECT_EQ(1, virtuald({"-t", "/virtual/conf", "outside"}).status);
  EXPECT_EQ(1, virtuald({"-t", "/virtual/conf", "above"}).status);
}

TEST_F(Check, cuts_off_a_loader_that_writes_endlessly) {
  put_ls_in_one_root();
  install_loader("exec /bin/busybox yes\n");
  EXPECT_EQ("/virtual/conf:1: exec /bin/ls in /virtual/domain1.com: " + loader() +
                " --list /bin/ls: exit status 1",
            split_lines(virtuald({"-t", "/virtual/conf", "ls"}).output).at(0));
}

TEST_F(Check, names_a_file_system_on_which_no_program_starts) {
  NEEDS_REAL_ROOT();
  put_ls_in_one_root();
  const std::string root = "/virtual/domain1.com";
  ASSERT_EQ(0, ::mount(root.c_str(), root.c_str(), nullptr, MS_BIND, nullptr));
  ASSERT_EQ(0, ::mount(nullptr, root.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_NODEV,
                       nullptr));
  const Outcome outcome = virtuald({"-t", "/virtual/conf", "ls"});
  ::umount2(root.c_str(), MNT_DETACH);
  expect_report(outcome, 1,
                "/virtual/conf:1: warning: " + root +
                    ": on a file system that is mounted nodev: dev/null cannot be opened there\n"
                    "/virtual/conf:1: " +
                    root +
                    ": on a file system that is mounted noexec: no program starts there\n"
                    "/virtual/conf: entries: 1, errors: 1, warnings: 1\n");
}

TEST_F(Check, reports_each_of_many_faulty_lines) {
  std::string config;
  std::string report;
  for (int line = 1; line <= 2'000; ++line) {
    config += "nonsense\n";
    report += "/virtual/conf:" + std::to_string(line) + ": nonsense is not an address\n";
  }
  write_config(config);
  expect_report(virtuald({"-t", "/virtual/conf"}), 1,
                report + "/virtual/conf: entries: 0, errors: 2000, warnings: 0\n");
}

TEST_F(Check, says_without_root_that_libraries_were_not_tested) {
  NEEDS_REAL_ROOT();
  put_ls_in_one_root();
  expect_not_tested(run(check_as_nobody("ls")), "only root can ask its loader");
}

TEST_F(Check, does_not_need_to_read_a_program_that_starts) {
  NEEDS_REAL_ROOT();
  leave_one_root();
  ::chmod("/virtual/domain1.com/usr/sbin/service", 0711);
  expect_report(run(check_as_nobody("service")), 0,
                "/virtual/conf: entries: 1, errors: 0, warnings: 0\n");
}

TEST_F(Check, names_a_directory_that_cannot_be_read) {
  NEEDS_REAL_ROOT();
  ::chmod("/virtual/domain2.com", 0700);
  expect_report(run(check_as_nobody("service")), 1,
                "/virtual/conf:3: open /virtual/domain2.com: Permission denied\n"
                "/virtual/conf: entries: 3, errors: 1, warnings: 0\n");
}

TEST_F(Check, fails_when_the_report_cannot_be_written) {
  for (const char* const output : {">/dev/full", ">&-"}) {
    EXPECT_EQ(125,
              run({"sh", "-c", std::string(kVirtuald) + " -t /virtual/conf " + output}).status);
  }
}

TEST_F(Check, cannot_be_combined_with_options_for_a_service) {
  const Outcome outcome = virtuald({"-t", "-u", "www", "/virtual/conf"});
  EXPECT_EQ("virtuald: -a and -u cannot be combined with -t\n", outcome.errors);
  EXPECT_EQ(125, outcome.status);
}

TEST_F(Check, takes_one_program_at_most) {
  EXPECT_EQ("virtuald: -t takes a configuration file and optionally a program\n",
            virtuald({"-t", "/virtual/conf", "a", "b"}).errors);
}

/// -t -i: whether this kernel can isolate each root.
class CheckIsolation : public Check {
 protected:
  static Outcome check(const std::vector<std::string>& tampering = {}) {
    std::vector<std::string> command = {"strace", "-f", "-o", "/dev/null"};
    for (const std::string& fault : tampering) {
      command.insert(command.end(), {"-e", "inject=" + fault});
    }
    command.insert(command.end(), {kVirtuald, "-ti", "/virtual/conf", "service"});
    return run(command);
  }

  /// Expects one error about a single root.
  static void expect_error(const std::vector<std::string>& tampering, const std::string& reason) {
    write_config("127.0.0.2 /virtual/domain1.com\n");
    expect_report(
        check(tampering), 1,
        "/virtual/conf:1: " + reason + "\n/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
  }
};

TEST_F(CheckIsolation, reports_nothing_if_it_works_and_leaves_nothing_behind) {
  NEEDS_REAL_ROOT();
  fs::create_directories("/virtual/domain1.com/dev/pts");
  write_file("/virtual/domain1.com/etc/hostname", "other\n");
  const std::string mounts = read_file("/proc/self/mountinfo");
  const std::string name = read_file("/proc/sys/kernel/hostname");
  const Outcome outcome = virtuald({"-t", "-i", "/virtual/conf", "service"});
  expect_report(outcome, 0, "/virtual/conf: entries: 3, errors: 0, warnings: 0\n");
  EXPECT_EQ(mounts, read_file("/proc/self/mountinfo"));
  EXPECT_EQ(name, read_file("/proc/sys/kernel/hostname"));
}

TEST_F(CheckIsolation, warns_that_it_needs_root) {
  NEEDS_REAL_ROOT();
  Command command = command_of({kVirtuald, "-ti", "/virtual/conf", "service"});
  command.prepare = check_as_nobody("").prepare;
  expect_report(run(command), 0,
                "warning: -i not tested: only root can isolate\n"
                "/virtual/conf: entries: 3, errors: 0, warnings: 1\n");
}

/// Two of the three entries have the same root.
TEST_F(CheckIsolation, reports_each_root_once) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  const std::string reason =
      ": unshare: No space left on device (user.max_mnt_namespaces and its like are limits, see "
      "namespaces(7))\n";
  expect_report(check({"unshare:error=ENOSPC"}), 1,
                "/virtual/conf:1: isolate /virtual/domain1.com" + reason +
                    "/virtual/conf:3: isolate /virtual/domain2.com" + reason +
                    "/virtual/conf: entries: 3, errors: 2, warnings: 0\n");
}

TEST_F(CheckIsolation, warns_of_what_older_kernels_do_not_confine) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  for (const char* const answer : {"retval=0", "retval=1", "error=ENOSYS", "error=EOPNOTSUPP"}) {
    expect_report(check({std::string("landlock_create_ruleset:when=1:") + answer}), 0,
                  "warning: this kernel has no Landlock, or one older than Linux 5.19: a service "
                  "can trace and signal processes of its own user outside of its root\n"
                  "/virtual/conf: entries: 3, errors: 0, warnings: 1\n");
  }
  expect_report(check({"landlock_create_ruleset:when=1:retval=5"}), 0,
                "warning: this kernel's Landlock is older than Linux 6.12: a service can signal "
                "processes of its own user outside of its root\n"
                "/virtual/conf: entries: 3, errors: 0, warnings: 1\n");
}

TEST_F(CheckIsolation, reports_why_it_could_not_try) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  const std::string root = "/virtual/domain1.com";
  expect_error({"pipe2:error=EMFILE"}, "pipe for " + root + ": " + reason_of(EMFILE));
  expect_error({"fork,clone,clone3:error=EAGAIN"},
               "fork for " + root + ": Resource temporarily unavailable");
  expect_error({"unshare:signal=KILL"}, "isolate " + root + ": the child that tried it was killed");
}

TEST_F(CheckIsolation, reports_a_failure_if_its_caller_ignores_children) {
  NEEDS_REAL_ROOT();
  leave_one_root();
  Command command = command_of({kVirtuald, "-ti", "/virtual/conf"});
  command.prepare = [] {
    static_cast<void>(::signal(SIGCHLD, SIG_IGN));
    take_away(SYS_pivot_root);
  };
  expect_report(run(command), 1,
                "/virtual/conf:1: isolate /virtual/domain1.com: pivot_root: " + reason_of(ENOSYS) +
                    " (-i does not work in an initramfs)\n"
                    "/virtual/conf: entries: 1, errors: 1, warnings: 0\n");
}

TEST_F(CheckIsolation, interrupted_wait_continues) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  expect_report(check({"wait4:error=EINTR:when=1"}), 0,
                "/virtual/conf: entries: 3, errors: 0, warnings: 0\n");
}

class Query : public Check {};

TEST_F(Query, prints_the_directory) {
  expect_report(virtuald({"-q", "127.0.0.3", "/virtual/conf"}), 0, "/virtual/domain2.com\n");
  expect_report(virtuald({"-q", "::FFFF:127.0.0.3", "/virtual/conf"}), 0, "/virtual/domain2.com\n");
}

TEST_F(Query, says_that_there_is_no_entry) {
  const Outcome outcome = virtuald({"-q", "10.0.0.1", "/virtual/conf"});
  EXPECT_EQ("", outcome.output);
  EXPECT_EQ("virtuald: /virtual/conf: no entry for 10.0.0.1, and no default\n", outcome.errors);
  EXPECT_EQ(1, outcome.status);
}

TEST_F(Query, fails_at_a_faulty_line) {
  write_config("nonsense\n");
  const Outcome outcome = virtuald({"-q", "10.0.0.1", "/virtual/conf"});
  EXPECT_EQ("virtuald: /virtual/conf:1: nonsense is not an address\n", outcome.errors);
  EXPECT_EQ(125, outcome.status);
}

TEST_F(Query, fails_if_the_address_is_not_one) {
  const Outcome outcome = virtuald({"-q", "domain1.com", "/virtual/conf"});
  EXPECT_EQ("virtuald: -q domain1.com: not an address\n", outcome.errors);
  EXPECT_EQ(125, outcome.status);
}

TEST_F(Query, refuses_what_a_connection_would_refuse) {
  ::chmod("/virtual/conf", 0666);
  EXPECT_EQ(125, virtuald({"-q", "127.0.0.3", "/virtual/conf"}).status);
  EXPECT_EQ("/virtual/domain2.com\n", virtuald({"-qw", "127.0.0.3", "/virtual/conf"}).output);
}

TEST_F(Query, takes_two_operands) {
  EXPECT_EQ("virtuald: -q takes an address and a configuration file\n",
            virtuald({"-q", "/virtual/conf"}).errors);
}

TEST(Usage, is_printed_on_request) {
  const Outcome outcome = virtuald({"-h"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ(
      "usage: virtuald [-ivw] [-a argv0] [-u user[:group]] config program [argument ...]\n"
      "       virtuald -x [-iw] [-b | -l seconds] [-u user[:group]] root program [argument ...]\n"
      "       virtuald -t [-iw] config [program]\n"
      "       virtuald -q [-w] address config\n"
      "       virtuald -V | -h\n",
      outcome.output);
}

TEST(Usage, version_is_printed_on_request) {
  const Outcome outcome = virtuald({"-V"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ(std::string("virtuald ") + kVersion + "\n", outcome.output);
}

/// Not on /dev/null, which descriptor 2 becomes if it is closed.
TEST(Usage, is_not_printed_on_a_closed_descriptor) {
  for (const char* const option : {"-h", "-V"}) {
    const Outcome outcome = run({"sh", "-c", std::string(kVirtuald) + " " + option + " >&-"});
    EXPECT_EQ("virtuald: write standard output: " + reason_of(EBADF) + "\n", outcome.errors);
    EXPECT_EQ(125, outcome.status);
  }
}

TEST(Usage, options_for_usage_and_version_take_no_operands) {
  EXPECT_EQ("virtuald: -V and -h take no operands\n", virtuald({"-V", "x"}).errors);
}

}  // namespace
}  // namespace testing_support
