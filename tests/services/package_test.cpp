// Removing the Debian package from a machine on which its daemons run.

#include "package.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "domains.h"
#include "init_script.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class PackageRemoval : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine_without_virtuald({"inetutils-syslogd", "sendmail-bin", "sendmail-cf", "m4"});
    package_ = make_package("/run/package");
    must_run({"dpkg", "--install", package_});
    must_run({"virtfs", "-q", "-p", "sendmail", "-p", "logger", "example.com"});
    const std::string macros = read_file("/usr/share/doc/virtuald/examples/sendmail.mc");
    for (const fs::path& root : {fs::path("/"), kRoot}) {
      write_file(root / "etc/hosts",
                 "127.0.0.1 localhost\n127.0.1.1 example.com " + must_run({"uname", "-n"}));
      must_run({"mkdir", "-p", "-m", "0700", root / "var/spool/mqueue"});
      write_file(root / "etc/mail/sendmail.cf", sendmail_cf(macros, "example.com"));
    }
    write_file("/etc/default/virtuald", "SYSLOGD_OPTS=--no-klog\n");
    fs::create_symlink("/run/of/another", "/dev/log");
  }

  void TearDown() override {
    if (world_is_private()) {
      run({"syslog.init", "stop"});
      run({"sendmail.init", "stop"});
    }
  }

  static void start(const std::string& directory = "/virtual") {
    must_run({"env", "VIRTUAL=" + directory, "syslog.init", "start"});
    must_run({"sendmail.init", "start"});
    ASSERT_EQ(directory + "/log", fs::read_symlink("/dev/log"));
    ASSERT_EQ(1U, processes_of("syslogd").size());
    ASSERT_EQ(1U, processes_of("sendmail", kRoot).size());
  }

  static void expect_nothing_left() {
    EXPECT_EQ("/run/of/another", fs::read_symlink("/dev/log"));
    EXPECT_TRUE(eventually([] {
      return processes_of("syslogd").empty() && processes_of("sendmail").empty() &&
             processes_of("sendmail", kRoot).empty();
    }));
  }

  static inline const fs::path kRoot = "/virtual/example.com";
  std::string package_;
};

TEST_F(PackageRemoval, ends_the_daemons_and_restores_dev_log) {
  start();
  must_run({"dpkg", "--remove", "virtuald"});
  expect_nothing_left();
  EXPECT_TRUE(fs::exists(kRoot));
}

TEST_F(PackageRemoval, finds_the_leading_directory_that_dev_log_leads_to) {
  fs::create_directory("/virtual2");
  start("/virtual2");
  must_run({"dpkg", "--purge", "virtuald"});
  expect_nothing_left();
}

TEST_F(PackageRemoval, ends_the_loggers_of_all_leading_directories) {
  fs::create_directory("/virtual2");
  write_file("/etc/default/virtuald", "SYSLOGD_OPTS=--no-klog\nLEADING='/virtual /virtual2'\n");
  start();
  must_run({"env", "VIRTUAL=/virtual2", "syslog.init", "start"});
  ASSERT_EQ(2U, processes_of("syslogd").size());
  must_run({"dpkg", "--remove", "virtuald"});
  expect_nothing_left();
}

TEST_F(PackageRemoval, succeeds_if_nothing_was_started) {
  must_run({"rm", "-r", "/virtual"});
  EXPECT_EQ("", run({"dpkg", "--remove", "virtuald"}).errors);
}

TEST_F(PackageRemoval, leaves_the_daemons_running_in_an_upgrade) {
  start();
  const std::vector<pid_t> before = processes_of("syslogd");
  must_run({"dpkg", "--install", package_});
  EXPECT_EQ("/virtual/log", fs::read_symlink("/dev/log"));
  EXPECT_EQ(before, processes_of("syslogd"));
  EXPECT_EQ(1U, processes_of("sendmail", kRoot).size());
}

}  // namespace
}  // namespace testing_support
