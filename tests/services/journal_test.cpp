// syslog.init with a real systemd-journald as the logger.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <memory>
#include <string>

#include "init_script.h"

namespace {

using namespace testing_support;

const fs::path kJournal = "/run/systemd/journal/dev-log";

class Journal : public InitScriptTest {
 protected:
  Journal() : InitScriptTest("syslog.init") {}

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitScriptTest::SetUp());
    if (IsSkipped()) {
      return;
    }
    NEEDS_PACKAGES("systemd");
    ASSERT_EQ(0, ::mount("tmpfs", "/var/log", "tmpfs", 0, "mode=0755"));
    write_file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    fs::create_directories("/run/systemd");
    fs::create_directories("/scratch/bin");
    fs::create_symlink(daemon_path("systemd", "/usr/bin/journalctl"), "/scratch/bin/journalctl");
    settings()["PATH"] = std::string("/scratch/bin:") + std::getenv("PATH");
    start_journald();
    for (const char* name : {"domain1.com", "domain2.com"}) {
      make_domain(name);
    }
  }

  void TearDown() override {
    if (IsSkipped()) {
      return;
    }
    static_cast<void>(init("stop"));
    journald_.reset();
    ::umount2("/var/log", MNT_DETACH);
    fs::remove_all("/run/log");
    fs::remove_all("/run/systemd/journal");
  }

  /// Ends a running journald first. journald itself makes a new socket each time, which under
  /// systemd happens only when the socket unit is restarted.
  void start_journald() {
    journald_.reset();
    fs::remove(kJournal);
    journald_ = std::make_unique<BackgroundProcess>(
        command_of({daemon_path("systemd", "/usr/lib/systemd/systemd-journald")}));
    if (!eventually([] { return fs::is_socket(kJournal); })) {
      throw std::runtime_error("no journald: " + journald_->log());
    }
  }

  bool is_in_journal(const std::string& text) {
    return eventually([&] {
      return contains(run({"/scratch/bin/journalctl", "--quiet", "--output=cat"}).output, text);
    });
  }

  static bool is_mounted(const fs::path& root) {
    return contains(read_file("/proc/self/mountinfo"), " " + (root / "dev/log").string() + " ");
  }

  static std::size_t mount_count() { return split_lines(read_file("/proc/self/mountinfo")).size(); }

  void expect_heard(const std::string& name) {
    for (const char* option : {"-x", "-xi"}) {
      const std::string text = "from " + name + " by " + option;
      EXPECT_EQ(
          0,
          run({kVirtuald, option, "-u", "65534:65534", "/virtual/" + name, "logger", text}).status);
      EXPECT_TRUE(is_in_journal(text)) << text;
    }
  }

 private:
  std::unique_ptr<BackgroundProcess> journald_;
};

INSTANTIATE_SHELLS(Journal);

TEST_P(Journal, start_needs_no_setting) {
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ(
      "syslog.init: systemd-journald listens on /run/systemd/journal/dev-log\n"
      "syslog.init: domain1.com: heard\nsyslog.init: domain2.com: heard\n",
      outcome.output);
  EXPECT_EQ(kJournal, fs::read_symlink("/virtual/log"));
  expect_heard("domain1.com");
  expect_heard("domain2.com");
}

TEST_P(Journal, second_start_mounts_nothing_more) {
  ASSERT_EQ(0, init("start").status);
  const std::size_t count = mount_count();
  EXPECT_EQ(0, init("start").status);
  EXPECT_EQ(count, mount_count());
}

TEST_P(Journal, status_reports_that_every_domain_is_heard) {
  EXPECT_EQ(3, init("status").status);
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("status");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "domain2.com: heard\n");
}

TEST_P(Journal, new_socket_is_reported_by_status_and_mounted_by_reload) {
  ASSERT_EQ(0, init("start").status);
  start_journald();
  expect_error(
      init("status"),
      "domain1.com: cut off: /virtual/domain1.com/dev/log is not the socket of the logger: "
      "reload links it again, or says why not\n"
      "syslog.init: domain2.com: cut off: /virtual/domain2.com/dev/log is not the socket of "
      "the logger: reload links it again, or says why not");
  const std::size_t count = mount_count();
  EXPECT_EQ(0, init("reload").status);
  EXPECT_EQ(count, mount_count());
  EXPECT_EQ(0, init("status").status);
  expect_heard("domain1.com");
}

TEST_P(Journal, reload_before_start_fails) {
  expect_line(init("reload"), 1, "not running: nobody listens on /virtual/log");
}

TEST_P(Journal, stop_unmounts_all_and_leaves_nothing) {
  const std::size_t count = mount_count();
  ASSERT_EQ(0, init("start").status);
  expect_line(init("stop"), 0, "stopped");
  EXPECT_EQ(count, mount_count());
  EXPECT_FALSE(fs::exists(fs::symlink_status("/virtual/log")));
  EXPECT_FALSE(fs::exists(fs::symlink_status("/virtual/domain1.com/dev/log")));
  EXPECT_TRUE(fs::is_socket(kJournal));
  expect_line(init("stop"), 0, "not running");
}

TEST_P(Journal, another_logger_takes_over) {
  NEEDS_PACKAGES("inetutils-syslogd");
  write_file("/etc/syslog.conf", "*.*\t/var/log/syslog\n");
  const std::size_t count = mount_count();
  ASSERT_EQ(0, init("start").status);
  settings()["SYSLOGD"] = daemon_path("inetutils-syslogd", "/usr/sbin/syslogd");
  settings()["SYSLOGD_OPTS"] = "--no-klog";
  settings()["DEV_LOG"] = "no";
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ(count, mount_count());
  EXPECT_TRUE(contains(read_file("/var/log/syslog"), "from (domain2.com): heard"));
  EXPECT_TRUE(fs::is_socket(kJournal));
}

TEST_P(Journal, is_used_if_an_installed_logger_does_not_listen) {
  NEEDS_PACKAGES("inetutils-syslogd");
  fs::create_symlink(daemon_path("inetutils-syslogd", "/usr/sbin/syslogd"), "/scratch/bin/syslogd");
  fs::create_symlink(kJournal, "/dev/log");
  EXPECT_PRED2(contains, init("start").output, "systemd-journald listens");
  fs::remove("/dev/log");
}

TEST_P(Journal, journald_with_per_domain_is_refused) {
  expect_error(init("start", {{"SYSLOGD", "journald"}, {"PER_DOMAIN", "yes"}}),
               "PER_DOMAIN: yes needs a SYSLOGD to start in each domain, not journald");
}

TEST_P(Journal, domain_made_by_virtfs_is_heard_at_once_and_removed_completely) {
  ASSERT_EQ(0, init("start").status);
  const std::size_t count = mount_count();
  const Outcome made = run_script("virtfs", {"-q", "-p", "sh", "-p", "logger", "domain3.com"});
  ASSERT_EQ(0, made.status) << made.errors;
  expect_heard("domain3.com");
  EXPECT_EQ(count + 1, mount_count());
  const Outcome seen = run_script("virtfs", {"-s", "domain3.com"});
  EXPECT_EQ(0, seen.status) << seen.errors;
  const Outcome removed = run_script("virtfs", {"-r", "domain3.com"});
  EXPECT_EQ(0, removed.status) << removed.errors;
  EXPECT_EQ(count, mount_count());
  EXPECT_FALSE(fs::exists("/virtual/domain3.com"));
}

/// A domain can give the directory of its mounted socket any name: one that imitates lines about
/// another domain, or contains control sequences.
TEST_P(Journal, names_of_mounts_are_printed_without_newlines_and_control_sequences) {
  ASSERT_EQ(0, init("start").status);
  const fs::path odd = "/virtual/domain2.com/\n/virtual/domain1.com/dev/log\n/\033[2J";
  fs::create_directories(odd.parent_path());
  fs::rename("/virtual/domain2.com/dev", odd);
  // From here on, the mount on domain1.com's dev/log is not a log socket.
  ASSERT_EQ(0, ::umount2("/virtual/domain1.com/dev/log", MNT_DETACH));
  ASSERT_EQ(0, ::mount("/dev/null", "/virtual/domain1.com/dev/log", nullptr, MS_BIND, nullptr));
  const Outcome other = run_script("virtfs", {"-r", "domain1.com"});
  ::umount2("/virtual/domain1.com/dev/log", MNT_DETACH);
  EXPECT_PRED2(contains, other.errors, "mounted below it: /virtual/domain1.com/dev/log: unmount");
  const Outcome outcome = run_script("virtfs", {"-r", "domain2.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_PRED2(contains, outcome.errors, "[2J/log: unmount that first");
  EXPECT_PRED2(lacks, outcome.errors, "\033");
}

/// If virtuald is not found, virtuald-by-hand must not be searched for in the domain.
TEST_P(Journal, no_program_of_a_domain_is_run_if_virtuald_is_missing) {
  ASSERT_EQ(0, init("start").status);
  write_program("/virtual/domain2.com/libexec/virtuald/virtuald-by-hand",
                "#!/bin/sh\n: >/scratch/owned\nexit 1\n");
  fs::create_directories("/virtual/domain2.com/bin");
  for (const char* virtuald : {"/nowhere/virtuald", "bin/virtuald"}) {
    write_program("/scratch/bin/virtuald", "#!/bin/sh\n");
    fs::remove(contains(virtuald, "nowhere") ? "/scratch/bin/virtuald" : "/scratch/none");
    Command command = script("virtfs", {"-r", "domain2.com"});
    (*command.environment)["VIRTUALD"] = virtuald;
    command.prepare = [] { static_cast<void>(::chdir("/scratch")); };
    const Outcome outcome = run(command);
    EXPECT_EQ(1, outcome.status);
    EXPECT_PRED2(contains, outcome.errors, "virtuald-by-hand: not found");
    EXPECT_FALSE(fs::exists("/scratch/owned"));
    EXPECT_TRUE(fs::exists("/virtual/domain2.com"));
  }
}

/// A domain keeps exchanging its dev/log for a link to a file of the host.
TEST_P(Journal, log_that_is_exchanged_for_a_link_is_never_followed) {
  write_file("/scratch/target", "kept");
  fs::create_symlink("/scratch/target", "/virtual/domain2.com/dev/other");
  write_file("/virtual/domain2.com/dev/log", "");
  const BackgroundProcess exchanger(command_of(
      {kService, "exchange", "/virtual/domain2.com/dev/log", "/virtual/domain2.com/dev/other"}));
  for (int turn = 0; turn < 5; ++turn) {
    EXPECT_PRED2(contains, init("start").output, "syslog.init: domain1.com: heard\n");
    static_cast<void>(init("stop"));
    EXPECT_PRED2(lacks, read_file("/proc/self/mountinfo"), "/scratch");
    EXPECT_EQ("kept", read_file("/scratch/target"));
    EXPECT_TRUE(fs::is_regular_file("/scratch/target"));
  }
}

/// The same with its dev and a link to a directory of the host.
TEST_P(Journal, dev_that_is_exchanged_for_a_link_is_never_followed) {
  fs::create_directory("/scratch/target");
  write_file("/scratch/target/log", "kept");
  fs::create_symlink("/scratch/target", "/virtual/domain2.com/other");
  const BackgroundProcess exchanger(
      command_of({kService, "exchange", "/virtual/domain2.com/dev", "/virtual/domain2.com/other"}));
  for (int turn = 0; turn < 5; ++turn) {
    EXPECT_PRED2(contains, init("start").output, "syslog.init: domain1.com: heard\n");
    static_cast<void>(init("stop"));
    EXPECT_PRED2(lacks, read_file("/proc/self/mountinfo"), "/scratch");
    EXPECT_EQ("kept", read_file("/scratch/target/log"));
  }
}

}  // namespace
