// Backing up, restoring and moving a domain with the commands of virtfs(8).

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "process.h"
#include "script.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kDomain = "/virtual/example.com";
const char* const kAttribute = "trusted.virtuald";

/// The displays of a section of the page, each as input for a shell.
std::vector<std::string> displays(const std::string& section) {
  std::vector<std::string> found;
  bool in_section = false;
  bool in_display = false;
  for (std::string line :
       split_lines(read_file(fs::path(kSourceDirectory) / "scripts/man/virtfs.8"))) {
    if (line.starts_with(".Sh ")) {
      in_section = line == ".Sh " + section;
    } else if (in_section && line.starts_with(".Bd ")) {
      found.emplace_back();
      in_display = true;
    } else if (line == ".Ed") {
      in_display = false;
    } else if (in_section && in_display) {
      for (std::size_t at = 0; (at = line.find("\\e", at)) != std::string::npos; ++at) {
        line.erase(at + 1, 1);
      }
      found.back() += line + "\n";
    }
  }
  return found;
}

class VirtfsBackup : public ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    static const bool writable = (make_writable("/usr"), true);
    static_cast<void>(writable);
    for (const char* directory : {"/virtual", "/backup", "/run/path"}) {
      fs::remove_all(directory);
    }
    fs::create_directory("/backup");
    write_program("/usr/sbin/ftpd", "#!/bin/sh\n");
    // Both programs as they would be installed.
    std::string virtfs = "#!/bin/sh\nexec";
    for (const std::string& word : script("virtfs").arguments) {
      virtfs += " " + word;
    }
    write_program("/run/path/virtfs", virtfs + " \"$@\"\n");
    fs::create_symlink(kVirtuald, "/run/path/virtuald");
    ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "ftpd", "-p", "sh", "-a", "10.10.10.129", "-f",
                                       "/virtual/conf.ftp", "example.com"})
                     .status);
    write_file(kDomain / "home/b/bob/mail", "kept");
    ASSERT_EQ(0, ::chown((kDomain / "home/b/bob/mail").c_str(), 524032, 524033));
    ASSERT_EQ(0, ::lsetxattr((kDomain / "home/b/bob/mail").c_str(), kAttribute, "x", 1, 0));
    write_program(kDomain / "home/b/bob/program", "x");
    ASSERT_EQ(0, ::chmod((kDomain / "home/b/bob/program").c_str(), 0710));
  }

  /// Runs one of the page's displays, each command of which must succeed.
  [[nodiscard]] Outcome run_display(std::size_t number) const {
    const std::vector<std::string> all = displays("BACKUPS AND OTHER DISKS");
    EXPECT_EQ(3U, all.size());
    Command command = command_of({"sh", "-c", "set -e; PATH=/run/path:$PATH\n" + all.at(number)});
    command.environment = script("virtfs").environment;
    return run(command);
  }

  /// Expects that the domain is like the one that was made, and that virtfs knows it.
  void expect_whole(const fs::path& leading) const {
    const fs::path mail = leading / "example.com/home/b/bob/mail";
    EXPECT_EQ("kept", read_file(mail));
    struct stat status {};
    ASSERT_EQ(0, ::stat(mail.c_str(), &status));
    EXPECT_EQ(524032U, status.st_uid);
    EXPECT_EQ(524033U, status.st_gid);
    char value = 0;
    EXPECT_EQ(1, ::lgetxattr(mail.c_str(), kAttribute, &value, 1));
    ASSERT_EQ(0, ::stat((leading / "example.com/home/b/bob/program").c_str(), &status));
    EXPECT_EQ(0710U, status.st_mode & 07777U);
    ASSERT_EQ(0, ::stat((leading / "example.com/tmp").c_str(), &status));
    EXPECT_EQ(01777U, status.st_mode & 07777U);
    ASSERT_EQ(0, ::stat((leading / "example.com/dev/null").c_str(), &status));
    EXPECT_TRUE(S_ISCHR(status.st_mode));
    ASSERT_EQ(0, ::stat((leading / ".virtfs").c_str(), &status));
    EXPECT_EQ(0700U, status.st_mode & 07777U);
    EXPECT_EQ(leading.string() + "/example.com: up to date\n",
              run_script("virtfs", {"-d", leading, "-u", "example.com"}).output);
  }
};

INSTANTIATE_SHELLS(VirtfsBackup);

TEST_P(VirtfsBackup, restored_domain_is_the_one_that_was_backed_up) {
  const Outcome backup = run_display(0);
  EXPECT_EQ(0, backup.status) << backup.errors;
  struct stat status {};
  ASSERT_EQ(0, ::stat("/backup/example.com.tar", &status));
  EXPECT_EQ(0600U, status.st_mode & 07777U);

  ASSERT_EQ(0, run_script("virtfs", {"-q", "-r", "example.com"}).status);
  ASSERT_FALSE(fs::exists(kDomain));
  ASSERT_EQ("", read_file("/virtual/conf.ftp"));
  fs::remove_all("/virtual/.virtfs");

  const Outcome restore = run_display(1);
  EXPECT_EQ(0, restore.status);
  EXPECT_EQ("", restore.errors);
  EXPECT_PRED2(contains, restore.output, ", errors: 0");
  EXPECT_EQ(std::string::npos, restore.output.find("numbers:"));
  EXPECT_EQ("10.10.10.129 /virtual/example.com\n", read_file("/virtual/conf.ftp"));
  expect_whole("/virtual");
}

TEST_P(VirtfsBackup, numbers_that_now_belong_to_another_domain_are_shown) {
  ASSERT_EQ(0, run_display(0).status);
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-r", "example.com"}).status);
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "true", "other.com"}).status);
  EXPECT_PRED2(contains, run_display(1).output, "numbers:524032:524287\n");
}

TEST_P(VirtfsBackup, domain_moves_to_another_disk) {
  fs::create_directory("/disk2");
  ASSERT_EQ(0, ::mount("tmpfs", "/disk2", "tmpfs", 0, "mode=0755"));
  const Outcome move = run_display(2);
  EXPECT_EQ(0, move.status);
  EXPECT_EQ("", move.errors);
  EXPECT_PRED2(contains, move.output, ", errors: 0");
  EXPECT_EQ("10.10.10.129 /disk2/example.com\n", read_file("/virtual/conf.ftp"));
  EXPECT_FALSE(fs::exists(kDomain));
  EXPECT_FALSE(fs::exists("/virtual/.virtfs/example.com"));
  expect_whole("/disk2");
  ::umount("/disk2");
  fs::remove("/disk2");
}

}  // namespace
}  // namespace testing_support
