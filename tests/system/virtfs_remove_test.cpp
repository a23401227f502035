// virtfs -r: removing a domain.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "process.h"
#include "script.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kDomain = "/virtual/domain1.com";

class VirtfsRemoval : public ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    fs::remove_all("/virtual");
    for (const char* name : {"domain1.com", "domain2.com"}) {
      fs::create_directories(fs::path("/virtual") / name / "bin");
      fs::copy_file("/bin/busybox", fs::path("/virtual") / name / "bin/busybox");
    }
    write_file("/virtual/conf.ftp",
               "# both\n"
               "10.0.0.1 /virtual/domain1.com\r\n"
               "10.0.0.2\t/virtual/domain2.com\n"
               "  10.0.0.3   /virtual/domain1.com/\n"
               "#10.0.0.4 /virtual/domain1.com\n"
               "10.0.0.5 /virtual/domain1.com.au\n"
               "default /virtual/domain1.com\n");
  }

  [[nodiscard]] Outcome remove(const std::vector<std::string>& arguments = {"domain1.com"}) const {
    std::vector<std::string> all = {"-r"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_script("virtfs", all);
  }

  /// Expects that it was refused, with this on standard error, and that nothing was changed.
  static void expect_refused(const Outcome& outcome, const std::string& message) {
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ("virtfs: " + message + "\n", outcome.errors);
    EXPECT_TRUE(fs::exists(kDomain / "bin/busybox"));
    EXPECT_NE(read_file("/virtual/conf.ftp").find("10.0.0.1"), std::string::npos);
  }

  /// A program that runs in the domain for a minute.
  static Command sleeper(const std::vector<std::string>& before) {
    std::vector<std::string> arguments = before;
    arguments.insert(arguments.end(), {"/bin/busybox", "sleep", "60"});
    return command_of(arguments);
  }

  static void await_name(pid_t pid, const std::string& name) {
    const std::string comm = "/proc/" + std::to_string(pid) + "/comm";
    ASSERT_TRUE(eventually([&] { return read_file(comm) == name + "\n"; }));
  }
};

INSTANTIATE_SHELLS(VirtfsRemoval);

TEST_P(VirtfsRemoval, removes_the_domain_with_its_lines_and_nothing_else) {
  const Outcome outcome = remove();
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ(
      "Removed its lines from /virtual/conf.ftp\n"
      "Removed /virtual/domain1.com\n",
      outcome.output);
  EXPECT_EQ(
      "# both\n"
      "10.0.0.2\t/virtual/domain2.com\n"
      "#10.0.0.4 /virtual/domain1.com\n"
      "10.0.0.5 /virtual/domain1.com.au\n",
      read_file("/virtual/conf.ftp"));
  EXPECT_EQ(
      (std::vector<std::string>{"/virtual/.virtfs", "/virtual/conf.ftp", "/virtual/domain2.com",
                                "/virtual/domain2.com/bin", "/virtual/domain2.com/bin/busybox"}),
      split_lines(run({"sh", "-c", "find /virtual -mindepth 1 | sort"}).output));
}

TEST_P(VirtfsRemoval, removes_its_record_and_its_lines_elsewhere_too) {
  fs::create_directories("/run/elsewhere");
  write_file("/run/elsewhere/conf", "10.0.0.9 /virtual/domain3.com\n");
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "true", "-a", "10.0.0.8", "-f",
                                     "/run/elsewhere/conf", "domain4.com"})
                   .status);
  ASSERT_TRUE(fs::exists("/virtual/.virtfs/domain4.com"));
  ASSERT_EQ(0, remove({"-q", "domain4.com"}).status);
  EXPECT_EQ("10.0.0.9 /virtual/domain3.com\n", read_file("/run/elsewhere/conf"));
  EXPECT_FALSE(fs::exists("/virtual/.virtfs/domain4.com"));
}

TEST_P(VirtfsRemoval, configuration_keeps_its_owner_and_mode) {
  ASSERT_EQ(0, ::chmod("/virtual/conf.ftp", 0640));
  ASSERT_EQ(0, ::chown("/virtual/conf.ftp", 0, 50));
  ASSERT_EQ(0, remove().status);
  struct stat status {};
  ASSERT_EQ(0, ::stat("/virtual/conf.ftp", &status));
  EXPECT_EQ(0640U, status.st_mode & 07777U);
  EXPECT_EQ(50U, status.st_gid);
}

TEST_P(VirtfsRemoval, dry_run_lists_what_it_would_remove_and_removes_nothing) {
  const Outcome outcome = remove({"-n", "domain1.com"});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_NE(outcome.output.find("Would remove \"default /virtual/domain1.com\" from "
                                "/virtual/conf.ftp\nWould remove /virtual/domain1.com\n"),
            std::string::npos)
      << outcome.output;
  EXPECT_TRUE(fs::exists(kDomain / "bin/busybox"));
  EXPECT_NE(read_file("/virtual/conf.ftp").find("10.0.0.1"), std::string::npos);
}

TEST_P(VirtfsRemoval, removes_an_alias_of_the_domain_with_its_lines) {
  fs::create_directory_symlink("domain1.com", "/virtual/www.domain1.com");
  write_file("/virtual/conf.www",
             "10.0.0.7 /virtual/www.domain1.com\n10.0.0.2 /virtual/domain2.com\n");
  EXPECT_EQ(0, remove().status);
  EXPECT_FALSE(fs::is_symlink("/virtual/www.domain1.com"));
  EXPECT_EQ("10.0.0.2 /virtual/domain2.com\n", read_file("/virtual/conf.www"));
}

TEST_P(VirtfsRemoval, alias_itself_is_refused) {
  fs::create_directory_symlink("domain1.com", "/virtual/www.domain1.com");
  expect_refused(remove({"www.domain1.com"}),
                 "/virtual/www.domain1.com: a link to /virtual/domain1.com: remove the domain that "
                 "it leads to, or the link with rm");
}

TEST_P(VirtfsRemoval, missing_domain_is_named) {
  expect_refused(remove({"domain9.com"}), "/virtual/domain9.com: no such domain");
}

TEST_P(VirtfsRemoval, process_in_a_chroot_prevents_it) {
  const BackgroundProcess process(sleeper({"chroot", kDomain}));
  await_name(process.pid(), "busybox");
  expect_refused(remove(), "/virtual/domain1.com: in use by process " +
                               std::to_string(process.pid()) + " (busybox): end it first");
}

TEST_P(VirtfsRemoval, process_in_a_chroot_below_the_domain_prevents_it) {
  fs::create_directories(kDomain / "home/guest/bin");
  fs::copy_file("/bin/busybox", kDomain / "home/guest/bin/busybox");
  const BackgroundProcess process(sleeper({"chroot", kDomain / "home/guest"}));
  await_name(process.pid(), "busybox");
  expect_refused(remove(), "/virtual/domain1.com: in use by process " +
                               std::to_string(process.pid()) + " (busybox): end it first");
}

TEST_P(VirtfsRemoval, isolated_process_in_the_domain_or_below_it_prevents_it) {
  fs::create_directories(kDomain / "home/guest/bin");
  fs::copy_file("/bin/busybox", kDomain / "home/guest/bin/busybox");
  for (const std::string inside : {"/", "/home/guest"}) {
    // As virtuald -i does it: the domain is the root of a mount namespace.
    const BackgroundProcess process(sleeper(
        {"unshare", "--mount", "sh", "-c",
         "mount --make-rprivate / && mount --rbind /virtual/domain1.com /virtual/domain1.com && "
         "cd /virtual/domain1.com && pivot_root . . && /bin/busybox umount -l . && exec "
         "/bin/busybox chroot "
         "\"$@\"",
         "sh", inside}));
    await_name(process.pid(), "busybox");
    ASSERT_TRUE(eventually([&] {
      return fs::read_symlink("/proc/" + std::to_string(process.pid()) + "/root") == inside;
    }));
    expect_refused(remove(), "/virtual/domain1.com: in use by process " +
                                 std::to_string(process.pid()) + " (busybox): end it first");
  }
}

TEST_P(VirtfsRemoval, process_that_works_in_the_domain_prevents_it) {
  Command command = command_of({"sleep", "60"});
  command.prepare = [] {
    if (::chdir((kDomain / "bin").c_str()) != 0) {
      ::_exit(200);
    }
  };
  const BackgroundProcess process(command);
  await_name(process.pid(), "sleep");
  expect_refused(remove(), "/virtual/domain1.com: in use by process " +
                               std::to_string(process.pid()) + " (sleep): end it first");
}

/// Another domain may have more processes than fit on a command line.
TEST_P(VirtfsRemoval, process_is_found_among_thousands) {
  const BackgroundProcess process(sleeper({"chroot", kDomain}));
  await_name(process.pid(), "busybox");
  // A small program, since sanitizers make this one slow to fork.
  Command many =
      command_of({"busybox", "sh", "-c",
                  "i=0; while [ $i -lt 4000 ]; do sleep 100 & i=$((i + 1)); done; wait"});
  many.prepare = [] { ::setpgid(0, 0); };
  const BackgroundProcess crowd(many);
  ASSERT_TRUE(eventually([] {
    return std::stoi(run({"sh", "-c", "ls -d /proc/[0-9]* | wc -l"}).output) >= 4000;
  }));
  Command command = script("virtfs", {"-r", "domain1.com"});
  command.prepare = [] {
    const rlimit small{256 * 1024,
                       256 * 1024};  // a quarter, but at least 128 KiB, is for arguments
    ::setrlimit(RLIMIT_STACK, &small);
  };
  const Outcome outcome = run(command);
  ::kill(-crowd.pid(), SIGKILL);
  expect_refused(outcome, "/virtual/domain1.com: in use by process " +
                              std::to_string(process.pid()) + " (busybox): end it first");
}

TEST_P(VirtfsRemoval, process_of_another_domain_does_not_prevent_it) {
  const BackgroundProcess process(sleeper({"chroot", "/virtual/domain2.com"}));
  await_name(process.pid(), "busybox");
  EXPECT_EQ(0, remove().status);
}

TEST_P(VirtfsRemoval, mount_below_the_domain_prevents_it_and_keeps_its_files) {
  fs::create_directory(kDomain / "home");
  fs::create_directory("/run/disk");
  write_file("/run/disk/file", "kept");
  ASSERT_EQ(0, ::mount("/run/disk", (kDomain / "home").c_str(), nullptr, MS_BIND, nullptr));
  expect_refused(remove(),
                 "/virtual/domain1.com: mounted below it: /virtual/domain1.com/home: unmount that "
                 "first");
  ASSERT_EQ(0, ::umount2((kDomain / "home").c_str(), MNT_DETACH));
  EXPECT_EQ(0, remove().status);
  EXPECT_EQ("kept", read_file("/run/disk/file"));
  fs::remove_all("/run/disk");
}

/// The kernel knows mounts by their real paths.
TEST_P(VirtfsRemoval, leading_directory_that_is_a_link_hides_no_mount_and_no_line) {
  fs::create_directory(kDomain / "home");
  fs::create_directories("/run/disk");
  fs::create_directory_symlink("/virtual", "/run/link");
  write_file("/run/disk/file", "kept");
  write_file("/virtual/conf.ftp",
             "10.0.0.1 /virtual/domain1.com\n10.0.0.2 /run/link/domain1.com\n");
  ASSERT_EQ(0, ::mount("/run/disk", (kDomain / "home").c_str(), nullptr, MS_BIND, nullptr));
  expect_refused(remove({"-d", "/run/link", "domain1.com"}),
                 "/virtual/domain1.com: mounted below it: /virtual/domain1.com/home: unmount that "
                 "first");
  EXPECT_EQ("kept", read_file("/run/disk/file"));
  ::umount2((kDomain / "home").c_str(), MNT_DETACH);
  EXPECT_EQ(
      "Would remove \"10.0.0.1 /virtual/domain1.com\" from /virtual/conf.ftp\n"
      "Would remove \"10.0.0.2 /run/link/domain1.com\" from /virtual/conf.ftp\n"
      "Would remove /virtual/domain1.com\n",
      remove({"-n", "-d", "/run/link", "domain1.com"}).output);
  EXPECT_EQ(0, remove({"-d", "/run/link", "domain1.com"}).status);
  EXPECT_EQ("", read_file("/virtual/conf.ftp"));
  EXPECT_FALSE(fs::exists(kDomain));
  fs::remove_all("/run/disk");
  fs::remove("/run/link");
}

TEST_P(VirtfsRemoval, links_in_the_domain_are_not_followed) {
  fs::create_directory("/run/outside");
  write_file("/run/outside/file", "kept");
  fs::create_directory_symlink("/run/outside", kDomain / "outside");
  EXPECT_EQ(0, remove().status);
  EXPECT_EQ("kept", read_file("/run/outside/file"));
  fs::remove_all("/run/outside");
}

/// Killed after removing the lines or hiding the domain: the same command, or the next run,
/// finishes the rest.
TEST_P(VirtfsRemoval, killed_run_is_finished_by_the_next) {
  for (int milliseconds = 5; milliseconds < 200; milliseconds += 15) {
    SCOPED_TRACE(milliseconds);
    SetUp();
    const pid_t pid = start(script("virtfs", {"-r", "-q", "domain1.com"}), -1, -1, -1);
    ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
    ::kill(pid, SIGKILL);
    static_cast<void>(wait_for(pid));
    const bool has_lines = read_file("/virtual/conf.ftp").find("10.0.0.1 ") != std::string::npos;
    EXPECT_TRUE(!has_lines || fs::exists(kDomain / "bin/busybox"));
    const int status = remove({"-q", "domain1.com"}).status;
    EXPECT_TRUE(status == 0 || !fs::exists(kDomain));
    ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "true", "domain5.com"}).status);
    EXPECT_EQ(std::string::npos, read_file("/virtual/conf.ftp").find("10.0.0.1 "));
    EXPECT_EQ("", run({"sh", "-c", "find /virtual -maxdepth 1 -name '.virtfs.*' -type d"}).output);
    EXPECT_FALSE(fs::exists(kDomain));
  }
}

TEST_P(VirtfsRemoval, options_for_making_a_domain_are_refused) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-p", "sh", "domain1.com"},
        {"-l", "domain1.com"},
        {"-a", "10.0.0.1", "-f", "/virtual/conf.ftp", "domain1.com"},
        {}}) {
    EXPECT_EQ(2, remove(arguments).status);
  }
}

}  // namespace
}  // namespace testing_support
