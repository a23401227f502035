// A configuration or a root that anyone but root could change is refused.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "log_socket.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const std::string kRootRule =
    ": a root must be owned by root and not writable by anyone else (-w only warns)";
const std::string kConfigRule =
    ": a configuration must be owned by root and not writable by anyone else (-w only warns)";

class Trust : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_two_domains();
  }

  static Served connect(const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.end(), {"/virtual/conf", "service", "name"});
    return serve(arguments);
  }

  static void expect_distrust(const std::string& message) {
    expect_refusal(connect(), 125, message);
  }
};

TEST_F(Trust, refuses_a_root_of_another_user) {
  NEEDS_REAL_ROOT();
  ASSERT_EQ(0, ::chown("/virtual/domain1.com", 54321, 0));
  expect_distrust("/virtual/domain1.com: owned by uid 54321, mode 0755" + kRootRule);
}

TEST_F(Trust, refuses_a_group_writable_root) {
  ::chmod("/virtual/domain1.com", 0775);
  expect_distrust("/virtual/domain1.com: owned by uid 0, mode 0775" + kRootRule);
}

TEST_F(Trust, refuses_a_world_writable_root) {
  ::chmod("/virtual/domain1.com", 0757);
  expect_distrust("/virtual/domain1.com: owned by uid 0, mode 0757" + kRootRule);
}

TEST_F(Trust, sticky_directory_is_not_safe) {
  write_file("/virtual/conf", "default /tmp/domain1.com\n");
  make_root("/tmp/domain1.com", "domain1");
  expect_distrust("/tmp: owned by uid 0, mode 1777" + kRootRule);
}

TEST_F(Trust, names_the_faulty_directory_on_the_path) {
  make_root("/virtual/a/b/c", "c");
  write_file("/virtual/conf", "default /virtual/a/b/c\n");
  ::chmod("/virtual/a/b", 0775);
  expect_distrust("/virtual/a/b: owned by uid 0, mode 0775" + kRootRule);
}

TEST_F(Trust, checks_the_target_of_a_link) {
  make_root("/srv-test/domain", "d");
  fs::create_symlink("/srv-test/domain", "/virtual/alias");
  write_file("/virtual/conf", "default /virtual/alias\n");
  ::chmod("/srv-test", 0775);
  expect_distrust("/srv-test: owned by uid 0, mode 0775" + kRootRule);
}

TEST_F(Trust, checks_who_owns_a_link) {
  NEEDS_REAL_ROOT();
  fs::create_symlink("domain1.com", "/virtual/alias");
  ASSERT_EQ(0, ::lchown("/virtual/alias", 54321, 0));
  write_file("/virtual/conf", "default /virtual/alias\n");
  expect_distrust("/virtual/alias: owned by uid 54321, mode 0777" + kRootRule);
}

TEST_F(Trust, follows_links_in_directories_of_root) {
  fs::create_symlink("../virtual/./domain2.com/", "/virtual/alias");
  write_file("/virtual/conf", "default //virtual/alias//.\n");
  EXPECT_EQ("domain2\n", connect().answer);
}

TEST_F(Trust, follows_a_link_in_the_middle_of_a_path) {
  make_root("/srv-test/domain", "elsewhere");
  fs::create_symlink("../srv-test/.", "/virtual/hosting");
  write_file("/virtual/conf", "default /virtual/hosting/domain\n");
  EXPECT_EQ("elsewhere\n", connect().answer);
}

TEST_F(Trust, follows_a_link_to_the_directory_that_contains_it) {
  fs::create_symlink(".", "/virtual/domain2.com/here");
  write_file("/virtual/conf", "default /virtual/domain2.com/here\n");
  EXPECT_EQ("domain2\n", connect().answer);
}

TEST_F(Trust, refuses_a_path_that_a_link_makes_too_long) {
  std::string text = "domain1.com";
  while (text.size() < 4090) {
    text.insert(0, "./");
  }
  fs::create_symlink(text, "/virtual/long");
  write_file("/virtual/conf", "default /virtual/long\n");
  expect_refusal(connect(), 125, "chroot /virtual/long: " + reason_of(ENAMETOOLONG));
}

TEST_F(Trust, names_a_configuration_by_the_path_that_was_given) {
  write_file("/virtual/broken", "nonsense\n");
  fs::create_symlink("broken", "/virtual/conf.ftp");
  expect_refusal(serve({"/virtual//conf.ftp", "service"}), 125,
                 "/virtual//conf.ftp:1: nonsense is not an address");
}

TEST_F(Trust, refuses_a_group_writable_configuration) {
  ::chmod("/virtual/conf", 0664);
  expect_distrust("/virtual/conf: owned by uid 0, mode 0664" + kConfigRule);
}

TEST_F(Trust, refuses_a_configuration_of_another_user) {
  NEEDS_REAL_ROOT();
  ASSERT_EQ(0, ::chown("/virtual/conf", 54321, 0));
  expect_distrust("/virtual/conf: owned by uid 54321, mode 0644" + kConfigRule);
}

TEST_F(Trust, refuses_a_configuration_in_a_world_writable_directory) {
  fs::copy_file("/virtual/conf", "/tmp/conf");
  expect_refusal(serve({"/tmp/conf", "service"}), 125,
                 "/tmp: owned by uid 0, mode 1777" + kConfigRule);
}

TEST_F(Trust, accepts_a_configuration_behind_a_link) {
  fs::create_symlink("/virtual/conf", "/virtual/conf.ftp");
  EXPECT_EQ("domain1\n", serve({"/virtual/conf.ftp", "service", "name"}).answer);
}

TEST_F(Trust, accepts_a_relative_configuration) {
  Serving serving;
  serving.arguments = {"./conf", "service", "name"};
  serving.prepare = [] {
    if (::chdir("/virtual") != 0) {
      ::_exit(99);
    }
  };
  EXPECT_EQ("domain1\n", serve(serving).answer);
}

TEST_F(Trust, option_w_warns_and_serves) {
  ::chmod("/virtual/conf", 0664);
  ::chmod("/virtual/domain1.com", 0775);
  const Served served = connect({"-w"});
  EXPECT_EQ("domain1\n", served.answer);
  EXPECT_EQ(0, served.status);
  ASSERT_EQ(2U, served.log.size());
  EXPECT_EQ("/virtual/conf: owned by uid 0, mode 0664" + kConfigRule,
            without_prefix(served.log[0], 28));
  EXPECT_EQ("/virtual/domain1.com: owned by uid 0, mode 0775" + kRootRule,
            without_prefix(served.log[1], 28));
}

// The directory that was checked is the one that becomes the root, whatever its name means a moment
// later.
TEST_F(Trust, serves_from_no_unchecked_root_while_a_link_keeps_changing) {
  make_root("/virtual/good", "good");
  make_root("/virtual/bad", "bad");
  ::chmod("/virtual/bad", 0777);
  write_file("/virtual/conf", "default /virtual/current\n");
  fs::create_symlink("good", "/virtual/current");
  const BackgroundProcess exchanger(command_of(
      {"sh", "-c",
       "cd /virtual; while :; do ln -s bad n; mv -T n current; ln -s good n; mv -T n current; "
       "done"}));
  int good = 0;
  for (int index = 0; index < 300; ++index) {
    const Served served = connect();
    EXPECT_NE(served.answer, "bad\n");
    good += served.answer == "good\n" ? 1 : 0;
  }
  EXPECT_GT(good, 0);
}

TEST_F(Trust, test_mode_reports_the_directories_that_a_service_trusts) {
  write_file("/virtual/conf", "127.0.0.2 /virtual/domain1.com\n");
  for (const char* name : {"etc", "lib", "bin", "sbin", "dev"}) {
    fs::create_directory(fs::path("/virtual/domain1.com") / name);
  }
  ::chmod("/virtual/domain1.com/etc", 0775);
  ::chmod("/virtual/domain1.com/dev", 01777);
  const Outcome outcome = run({kVirtuald, "-t", "/virtual/conf"});
  const std::string rule = ": it should be owned by root and not writable by anyone else\n";
  EXPECT_EQ("/virtual/conf:1: warning: /virtual/domain1.com/etc: owned by uid 0, mode 0775" + rule +
                "/virtual/conf:1: warning: /virtual/domain1.com/dev: owned by uid 0, mode 1777" +
                rule + "/virtual/conf: entries: 1, errors: 0, warnings: 2\n",
            outcome.output);
  EXPECT_EQ(0, outcome.status);
}

TEST_F(Trust, test_mode_reports_the_configuration_itself) {
  ::chmod("/virtual/conf", 0664);
  const Outcome outcome = run({kVirtuald, "-t", "/virtual/conf"});
  EXPECT_EQ("/virtual/conf: owned by uid 0, mode 0664" + kConfigRule +
                "\n/virtual/conf: entries: 3, errors: 1, warnings: 0\n",
            outcome.output);
  EXPECT_EQ(1, outcome.status);
}

}  // namespace
}  // namespace testing_support
