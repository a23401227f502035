// virtfs -u: updating a domain.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
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

const fs::path kDomain = "/virtual/one.com";
const fs::path kRecord = "/virtual/.virtfs/one.com";

ino_t inode_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_ino;
}

class VirtfsUpdate : public ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    static const bool writable = (make_writable("/usr"), make_writable("/etc"), true);
    static_cast<void>(writable);
    fs::remove_all("/virtual");
    write_program("/usr/bin/hello", "#!/bin/sh\necho old\n");
    write_file("/etc/profile", "PATH=/usr/bin:/bin\n");
    make({"-p", "sh", "-p", "hello", "one.com"});
  }

  void make(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "-q");
    const Outcome outcome = run_script("virtfs", arguments);
    ASSERT_EQ(0, outcome.status) << outcome.errors;
  }

  [[nodiscard]] Outcome update(std::vector<std::string> arguments = {"one.com"}) const {
    arguments.insert(arguments.begin(), "-u");
    return run_script("virtfs", arguments);
  }

  /// Expects success, with this output and no message.
  static void expect_done(const Outcome& outcome, const std::string& output) {
    EXPECT_EQ("", outcome.errors);
    EXPECT_EQ(output, outcome.output);
    EXPECT_EQ(0, outcome.status);
  }

  static void upgrade_host() { write_program("/usr/bin/hello", "#!/bin/sh\necho newer\n"); }

  static std::string hello() { return run({"chroot", kDomain, "hello"}).output; }
};

INSTANTIATE_SHELLS(VirtfsUpdate);

TEST_P(VirtfsUpdate, copies_newer_files_of_the_host) {
  upgrade_host();
  ASSERT_EQ("old\n", hello());
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("newer\n", hello());
}

TEST_P(VirtfsUpdate, leaves_an_up_to_date_domain_unchanged) {
  const ino_t before = inode_of(kDomain / "usr/bin/hello");
  expect_done(update(), "/virtual/one.com: up to date\n");
  EXPECT_EQ(before, inode_of(kDomain / "usr/bin/hello"));
}

TEST_P(VirtfsUpdate, updates_all_domains_if_none_is_named) {
  make({"-p", "hello", "two.com"});
  upgrade_host();
  expect_done(update({}), "Updated /virtual/one.com\nUpdated /virtual/two.com\n");
}

TEST_P(VirtfsUpdate, replaces_a_library_that_is_missing_or_was_tampered_with) {
  fs::path libc;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kDomain / "usr/lib")) {
    libc = entry.path().filename() == "libc.so.6" ? entry.path() : libc;
  }
  ASSERT_FALSE(libc.empty());
  fs::remove(libc);
  write_file(kDomain / "usr/bin/sh", "x");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("old\n", hello());
}

TEST_P(VirtfsUpdate, makes_a_directory_before_its_subdirectories) {
  fs::remove_all(kDomain / "var/www");
  upgrade_host();
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_TRUE(fs::is_directory(kDomain / "var/www/html"));
}

/// Makes /etc/hello the configuration of a package that contains the program hello.
void install_package() {
  make_writable("/var");
  const fs::path status = "/var/lib/dpkg/status";
  write_file(status, read_file(status) + "\nPackage: hello\nStatus: install ok installed\n");
  write_file("/var/lib/dpkg/info/hello.list", "/usr/bin/hello\n/etc/hello\n");
}

TEST_P(VirtfsUpdate, makes_the_directories_of_new_files_of_etc) {
  install_package();
  write_file("/etc/hello/deep/er/conf", "x");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("x", read_file(kDomain / "etc/hello/deep/er/conf"));
}

/// A package's configuration may be in a directory in which an account of the host can make links.
TEST_P(VirtfsUpdate, target_of_a_link_cannot_forge_a_line_of_a_plan) {
  install_package();
  write_file("/etc/hello/conf", "x");
  fs::remove("/etc/hello/link");
  fs::create_symlink("x\nf 755 0:0 1 1 usr/../../../forged", "/etc/hello/link");
  make({"-p", "hello", "two.com"});
  EXPECT_TRUE(fs::exists("/virtual/two.com/etc/hello/conf"));
  EXPECT_EQ(std::string::npos, read_file("/virtual/.virtfs/.plans/two.com").find("forged"));
  expect_done(update({"two.com"}), "/virtual/two.com: up to date\n");
}

TEST_P(VirtfsUpdate, replaces_a_file_of_etc_with_a_space_in_its_name) {
  install_package();
  write_file("/etc/hello/site two", "x");
  expect_done(update(), "Updated /virtual/one.com\n");
  write_file("/etc/hello/site two", "y");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("y", read_file(kDomain / "etc/hello/site two"));
}

/// virtfs works in directories of the domain, and an administrator's PATH may contain ".".
TEST_P(VirtfsUpdate, runs_no_program_of_the_domain) {
  for (const char* name : {"mv", "stat", "sed", "awk"}) {
    write_program(kDomain / "usr/bin" / name,
                  "#!/bin/sh\n: >/run/owned\nexec /usr/bin/" + std::string(name) + " \"$@\"\n");
  }
  upgrade_host();
  for (const char* path : {".:/usr/bin:/bin", ":/usr/bin:/bin", "../bin:/usr/bin"}) {
    write_file(kDomain / "usr/bin/hello", "other");
    Command command = script("virtfs", {"-u", "one.com"});
    (*command.environment)["PATH"] = path;
    EXPECT_EQ(0, run(command).status);
    EXPECT_FALSE(fs::exists("/run/owned")) << path;
  }
}

TEST_P(VirtfsUpdate, leaves_the_domains_own_files_unchanged) {
  for (const char* path : {"home/a/file", "var/mail/bob", "tmp/file", "usr/local/own", "etc/own"}) {
    write_file(kDomain / path, "kept");
  }
  write_file(kDomain / "etc/passwd", "bob:x:524032:524032::/:/bin/sh\n");
  write_file(kDomain / "etc/hostname", "another\n");
  upgrade_host();
  expect_done(update(), "Updated /virtual/one.com\n");
  for (const char* path : {"home/a/file", "var/mail/bob", "tmp/file", "usr/local/own", "etc/own"}) {
    EXPECT_EQ("kept", read_file(kDomain / path)) << path;
  }
  EXPECT_EQ("bob:x:524032:524032::/:/bin/sh\n", read_file(kDomain / "etc/passwd"));
  EXPECT_EQ("another\n", read_file(kDomain / "etc/hostname"));
}

TEST_P(VirtfsUpdate, replaces_a_file_of_etc_that_the_domain_has_not_changed) {
  write_file("/etc/profile", "PATH=/bin\n");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("PATH=/bin\n", read_file(kDomain / "etc/profile"));
}

TEST_P(VirtfsUpdate, names_a_file_of_etc_that_the_domain_has_changed) {
  write_file("/etc/profile", "PATH=/bin\n");
  write_file(kDomain / "etc/profile", "the domain's");
  const Outcome outcome = update();
  EXPECT_EQ("virtfs: /virtual/one.com/etc/profile: changed in the domain: kept\n", outcome.errors);
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("the domain's", read_file(kDomain / "etc/profile"));
}

TEST_P(VirtfsUpdate, follows_the_time_zone_of_the_host) {
  fs::remove("/etc/localtime");
  fs::create_symlink("/usr/share/zoneinfo/Europe/Rome", "/etc/localtime");
  write_file("/usr/share/zoneinfo/Europe/Rome", "Rome");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("/usr/share/zoneinfo/Europe/Rome", fs::read_symlink(kDomain / "etc/localtime"));
  EXPECT_EQ("Rome", read_file(kDomain / "usr/share/zoneinfo/Europe/Rome"));
}

TEST_P(VirtfsUpdate, adds_programs_and_remembers_them) {
  write_program("/usr/bin/more-of-it", "#!/bin/sh\necho more\n");
  expect_done(update({"-p", "more-of-it", "one.com"}), "Updated /virtual/one.com\n");
  EXPECT_EQ("more\n", run({"chroot", kDomain, "more-of-it"}).output);
  write_program("/usr/bin/more-of-it", "#!/bin/sh\necho still more\n");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("still more\n", run({"chroot", kDomain, "more-of-it"}).output);
}

TEST_P(VirtfsUpdate, removes_a_program_that_is_deleted_from_the_record) {
  const std::string line = "program:hello\n";
  std::string text = read_file(kRecord);
  ASSERT_NE(std::string::npos, text.find(line));
  write_file(kRecord, text.erase(text.find(line), line.size()));
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_FALSE(fs::exists(kDomain / "usr/bin/hello"));
  expect_done(update(), "/virtual/one.com: up to date\n");
}

TEST_P(VirtfsUpdate, removes_files_that_are_no_longer_needed) {
  write_program("/usr/bin/helper", "#!/bin/sh\n");
  write_program("/usr/bin/hello", "#!/usr/bin/helper\n");
  expect_done(update(), "Updated /virtual/one.com\n");
  ASSERT_TRUE(fs::exists(kDomain / "usr/bin/helper"));
  upgrade_host();
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_FALSE(fs::exists(kDomain / "usr/bin/helper"));
}

TEST_P(VirtfsUpdate, asks_for_programs_if_there_is_no_record) {
  fs::remove_all("/virtual/.virtfs");
  const Outcome outcome = update();
  EXPECT_EQ(
      "virtfs: /virtual/one.com: no record of its programs: name them with -p, or use -p - for all "
      "of the host's\n",
      outcome.errors);
  EXPECT_EQ(1, outcome.status);
  upgrade_host();
  EXPECT_EQ(0, update({"-p", "sh", "-p", "hello", "one.com"}).status);
  EXPECT_EQ("newer\n", hello());
  expect_done(update(), "/virtual/one.com: up to date\n");
}

TEST_P(VirtfsUpdate, domain_that_cannot_be_updated_stops_no_other) {
  make({"-p", "hello", "two.com"});
  fs::remove(kRecord);
  upgrade_host();
  const Outcome outcome = update({});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("Updated /virtual/two.com\n", outcome.output);
}

TEST_P(VirtfsUpdate, touches_no_record_of_a_domain_with_a_longer_name) {
  make({"-p", "sh", "one.com.new"});
  const std::string record = read_file("/virtual/.virtfs/one.com.new");
  const std::string plan = read_file("/virtual/.virtfs/.plans/one.com.new");
  upgrade_host();
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ(record, read_file("/virtual/.virtfs/one.com.new"));
  EXPECT_EQ(plan, read_file("/virtual/.virtfs/.plans/one.com.new"));
}

TEST_P(VirtfsUpdate, says_what_it_would_do) {
  upgrade_host();
  write_file("/etc/profile", "PATH=/bin\n");
  expect_done(update({"-n", "one.com"}),
              "Would replace /virtual/one.com/usr/bin/hello\n"
              "Would replace /virtual/one.com/etc/profile\n");
  EXPECT_EQ("old\n", hello());
  EXPECT_EQ("PATH=/usr/bin:/bin\n", read_file(kDomain / "etc/profile"));
}

TEST_P(VirtfsUpdate, makes_hard_links_again) {
  make({"-l", "-p", "hello", "two.com"});
  if (inode_of("/usr/bin/hello") != inode_of("/virtual/two.com/usr/bin/hello")) {
    return;  // on a different file system from the host's programs
  }
  upgrade_host();
  EXPECT_EQ(0, update({"two.com"}).status);
  EXPECT_EQ(inode_of("/usr/bin/hello"), inode_of("/virtual/two.com/usr/bin/hello"));
}

TEST_P(VirtfsUpdate, names_processes_that_still_use_old_files) {
  make({"-p", "sleep", "two.com"});
  const BackgroundProcess sleeper(command_of({"chroot", "/virtual/two.com", "sleep", "60"}));
  const std::string maps = "/proc/" + std::to_string(sleeper.pid()) + "/maps";
  ASSERT_TRUE(eventually([&maps] { return contains(read_file(maps), "/virtual/two.com"); }));
  fs::last_write_time("/virtual/two.com/usr/bin/sleep", fs::file_time_type::clock::now());
  const Outcome outcome = update({"two.com"});
  EXPECT_EQ("virtfs: /virtual/two.com: restart these processes, which use old files: " +
                std::to_string(sleeper.pid()) + " (sleep)\n",
            outcome.errors);
  EXPECT_EQ(0, outcome.status);
}

TEST_P(VirtfsUpdate, names_processes_that_still_use_old_files_for_each_domain) {
  make({"-p", "sleep", "two.com"});
  make({"-p", "sleep", "three.com"});
  const BackgroundProcess first(command_of({"chroot", "/virtual/two.com", "sleep", "60"}));
  const BackgroundProcess second(command_of({"chroot", "/virtual/two.com", "sleep", "60"}));
  const BackgroundProcess other(command_of({"chroot", "/virtual/three.com", "sleep", "60"}));
  for (const BackgroundProcess* process : {&first, &second, &other}) {
    const std::string maps = "/proc/" + std::to_string(process->pid()) + "/maps";
    ASSERT_TRUE(eventually([&maps] { return contains(read_file(maps), "/virtual/t"); }));
  }
  for (const char* name : {"two.com", "three.com"}) {
    fs::last_write_time(fs::path("/virtual") / name / "usr/bin/sleep",
                        fs::file_time_type::clock::now());
  }
  const std::string errors = update({}).errors;
  EXPECT_EQ(2, std::count(errors.begin(), errors.end(), '\n')) << errors;
  EXPECT_PRED2(contains, errors,
               "virtfs: /virtual/three.com: restart these processes, which use old files: " +
                   std::to_string(other.pid()) + " (sleep)\n");
  for (const BackgroundProcess* process : {&first, &second}) {
    EXPECT_PRED2(contains, errors.substr(errors.find("two.com")),
                 " " + std::to_string(process->pid()) + " (sleep)");
  }
}

TEST_P(VirtfsUpdate, restores_a_link_that_a_domain_has_removed_from_its_top) {
  for (const char* name : {"lib", "sbin"}) {
    if (!fs::is_symlink(fs::path("/") / name)) {
      return;  // the host's /usr is not merged
    }
    fs::remove(kDomain / name);
  }
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("usr/sbin", fs::read_symlink(kDomain / "sbin"));
  EXPECT_EQ("old\n", hello());
}

TEST_P(VirtfsUpdate, keeps_the_mode_that_the_domain_gave_a_directory_of_var) {
  fs::permissions(kDomain / "var/www", fs::perms(0700));
  upgrade_host();
  expect_done(update({"-n", "one.com"}), "Would replace /virtual/one.com/usr/bin/hello\n");
}

TEST_P(VirtfsUpdate, directory_in_place_of_a_program_is_named_and_left_alone) {
  fs::remove(kDomain / "usr/bin/hello");
  write_file(kDomain / "usr/bin/hello/file", "kept");
  const Outcome outcome = update();
  EXPECT_PRED2(contains, outcome.errors,
               "virtfs: /virtual/one.com/usr/bin/hello: cannot be replaced: left unchanged\n");
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("kept", read_file(kDomain / "usr/bin/hello/file"));
}

/// As on a host that was upgraded to a merged /usr after the domain was made.
TEST_P(VirtfsUpdate, domain_with_a_bin_of_its_own_is_left_alone_on_a_merged_host) {
  if (!fs::is_symlink("/bin")) {
    return;  // of a host whose /usr is not merged
  }
  fs::remove(kDomain / "bin");
  write_program(kDomain / "bin/tool", "");
  upgrade_host();
  const Outcome outcome = update();
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(
      "virtfs: /virtual/one.com/bin: a directory, but a link to usr/bin on the host: move its "
      "files there, and make it such a link\n",
      outcome.errors);
  EXPECT_PRED2(contains, read_file(kDomain / "usr/bin/hello"), "old");
  fs::rename(kDomain / "bin/tool", kDomain / "usr/bin/tool");
  fs::remove(kDomain / "bin");
  fs::create_symlink("usr/bin", kDomain / "bin");
  expect_done(update(), "Updated /virtual/one.com\n");
}

/// The entry of that terminal stays in the domain, and is not the host's to update.
TEST_P(VirtfsUpdate, terminal_that_it_is_called_from_changes_nothing) {
  write_file("/usr/share/terminfo/o/odd-terminal", "odd");
  Command command = script("virtfs", {"-q", "-p", "bash", "two.com"});
  (*command.environment)["TERM"] = "odd-terminal";
  ASSERT_EQ(0, run(command).status);
  expect_done(update({"two.com"}), "/virtual/two.com: up to date\n");
  EXPECT_TRUE(fs::exists("/virtual/two.com/usr/share/terminfo/o/odd-terminal"));
}

/// What the page says to do if the host no longer has a program.
TEST_P(VirtfsUpdate, program_without_a_line_in_the_record_is_removed) {
  fs::remove("/usr/bin/hello");
  EXPECT_EQ(
      "virtfs: hello: not found on this host\n"
      "virtfs: /virtual/one.com: could not make a root to compare it with\n",
      update().errors);
  EXPECT_EQ(0, run({"sed", "-i", "/^program:hello$/d", kRecord}).status);
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_FALSE(fs::exists(kDomain / "usr/bin/hello"));
  EXPECT_TRUE(fs::exists(kDomain / "usr/bin/sh"));
}

// ---- Hostile domains --------------------------------------------------------

/// The domain has replaced a directory with a link to one of the host's.
TEST_P(VirtfsUpdate, directory_that_is_a_link_is_not_followed) {
  fs::create_directory("/scratch");
  fs::rename(kDomain / "usr/bin", kDomain / "usr/moved");
  fs::create_symlink("/scratch", kDomain / "usr/bin");
  upgrade_host();
  const Outcome outcome = update();
  EXPECT_EQ(1, outcome.status);
  EXPECT_PRED2(contains, outcome.errors,
               "virtfs: /virtual/one.com/usr/bin: not a directory on the domain's file system: "
               "left unchanged\n");
  EXPECT_TRUE(fs::is_empty("/scratch"));
  fs::remove_all("/scratch");
}

TEST_P(VirtfsUpdate, directory_that_keeps_being_exchanged_for_a_link_is_not_followed) {
  fs::create_directory("/scratch");
  write_file("/scratch/hello", "of the host");
  fs::create_symlink("/scratch", kDomain / "usr/other");
  const BackgroundProcess exchanger(
      command_of({kService, "exchange", kDomain / "usr/bin", kDomain / "usr/other"}));
  for (int turn = 0; turn < 8; ++turn) {
    write_program("/usr/bin/hello", "#!/bin/sh\necho " + std::to_string(turn) + "\n");
    static_cast<void>(update());
    EXPECT_EQ("of the host", read_file("/scratch/hello"));
    EXPECT_EQ(1, std::distance(fs::directory_iterator("/scratch"), fs::directory_iterator()));
  }
  fs::remove_all("/scratch");
}

TEST_P(VirtfsUpdate, file_of_etc_that_is_a_fifo_or_a_link_is_neither_waited_for_nor_followed) {
  write_file("/scratch/target", "of the host");
  write_file("/etc/profile", "PATH=/bin\n");
  fs::remove(kDomain / "etc/profile");
  ASSERT_EQ(0, ::mkfifo((kDomain / "etc/profile").c_str(), 0600));
  EXPECT_PRED2(contains, update().errors, "etc/profile: changed in the domain");
  fs::remove(kDomain / "etc/profile");
  fs::create_symlink("/scratch/target", kDomain / "etc/profile");
  write_file("/etc/profile", "PATH=/usr/bin\n");
  EXPECT_PRED2(contains, update().errors, "etc/profile: changed in the domain");
  EXPECT_EQ("of the host", read_file("/scratch/target"));
  fs::remove_all("/scratch");
}

/// If the next run said "up to date", the file would be left out for good.
TEST_P(VirtfsUpdate, file_of_etc_that_cannot_be_replaced_is_not_forgotten) {
  fs::create_directory("/scratch");
  fs::remove("/etc/default/useradd");
  make({"-p", "sh", "two.com"});
  const fs::path directory = "/virtual/two.com/etc/default";
  fs::remove_all(directory);
  fs::create_symlink("/scratch", directory);
  write_file("/etc/default/useradd", "GROUP=100\n");
  for (int turn = 0; turn < 2; ++turn) {
    const Outcome outcome = update({"two.com"});
    EXPECT_EQ(1, outcome.status);
    EXPECT_PRED2(contains, outcome.errors,
                 "virtfs: /virtual/two.com/etc/default/useradd: not replaced\n"
                 "virtfs: /virtual/two.com: not fully updated: run virtfs -u again\n");
  }
  EXPECT_TRUE(fs::is_empty("/scratch"));
  fs::remove(directory);
  expect_done(update({"two.com"}), "Updated /virtual/two.com\n");
  EXPECT_EQ("GROUP=100\n", read_file(directory / "useradd"));
  fs::remove_all("/scratch");
}

/// Each path in a deep tree repeats those above it: together they would take 12 GB.
TEST_P(VirtfsUpdate, very_deep_tree_delays_nothing) {
  int directory = ::open((kDomain / "usr").c_str(), O_RDONLY | O_DIRECTORY);
  const std::string name(250, 'x');
  for (int level = 0; level < 10000; ++level) {
    ASSERT_EQ(0, ::mkdirat(directory, name.c_str(), 0755));
    const int next = ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(directory);
    directory = next;
  }
  ::close(directory);
  upgrade_host();
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("", run_script("virtfs", {"-s", "-q", "one.com"}).errors);
  EXPECT_EQ(0, run({"rm", "-rf", kDomain / "usr" / name}).status);
}

/// Programs that were not replaced may need them.
TEST_P(VirtfsUpdate, no_file_is_removed_before_all_are_replaced) {
  write_program("/usr/games/helper", "#!/bin/sh\necho helped\n");
  write_program("/usr/bin/hello", "#!/usr/games/helper\n");
  expect_done(update(), "Updated /virtual/one.com\n");
  fs::rename(kDomain / "usr/bin", kDomain / "usr/moved");
  fs::create_symlink("moved", kDomain / "usr/bin");
  upgrade_host();
  EXPECT_EQ(1, update().status);
  EXPECT_EQ("helped\n", hello());
  fs::remove(kDomain / "usr/bin");
  fs::rename(kDomain / "usr/moved", kDomain / "usr/bin");
  expect_done(update(), "Updated /virtual/one.com\n");
  EXPECT_EQ("newer\n", hello());
  EXPECT_FALSE(fs::exists(kDomain / "usr/games/helper"));
}

/// On a full disk, no directory of the host is mistaken for the new root.
TEST_P(VirtfsUpdate, full_disk_is_reported) {
  const char* const disk = "/run/disk";
  fs::create_directory(disk);
  ASSERT_EQ(0, ::mount("tmpfs", disk, "tmpfs", 0, "mode=0755"));
  make({"-d", disk, "-p", "hello", "one.com"});
  upgrade_host();
  struct statvfs status {};
  ASSERT_EQ(0, ::statvfs(disk, &status));
  for (const unsigned more : {2U, 3U, 4U, 5U, 40U}) {
    const std::string files = "nr_inodes=" + std::to_string(status.f_files - status.f_ffree + more);
    ASSERT_EQ(0, ::mount(nullptr, disk, nullptr, MS_REMOUNT, files.c_str()));
    const Outcome outcome = update({"-d", disk, "one.com"});
    EXPECT_EQ(1, outcome.status) << more;
    EXPECT_PRED2(contains, outcome.errors, "No space left on device");
  }
  ::umount(disk);
  fs::remove(disk);
  EXPECT_FALSE(fs::exists("/kind"));
  EXPECT_FALSE(fs::exists("a"));  // of home/a, in the caller's working directory
  EXPECT_FALSE(fs::exists("/root/usr"));
}

TEST_P(VirtfsUpdate, program_that_is_there_already_is_added_to_the_record) {
  expect_done(update({"-p", "dash", "one.com"}), "/virtual/one.com: up to date\n");
  EXPECT_PRED2(contains, read_file(kRecord), "program:dash\n");
}

// ---- Interruptions ------------------------------------------------------------

/// Whenever virtfs is killed, the domain still serves, and the next run finishes the update.
TEST_P(VirtfsUpdate, can_be_killed_at_any_moment) {
  std::string wanted;
  for (int turn = 0; turn < 12; ++turn) {
    wanted = "turn " + std::to_string(turn) + "\n";
    write_program("/usr/bin/hello", "#!/bin/sh\necho turn " + std::to_string(turn) + "\n");
    {
      BackgroundProcess updating(script("virtfs", {"-u", "one.com"}));
      std::this_thread::sleep_for(std::chrono::milliseconds(25 * turn));
      ::kill(updating.pid(), SIGKILL);
    }
    EXPECT_NE("", hello());
  }
  EXPECT_EQ(0, update().status);
  EXPECT_EQ(wanted, hello());
  EXPECT_EQ("/virtual/one.com: up to date\n", update().output);
  for (const fs::directory_entry& entry : fs::directory_iterator("/virtual")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".virtfs.")) << entry.path();
  }
}

TEST_P(VirtfsUpdate, needs_no_open_descriptor) {
  upgrade_host();
  EXPECT_EQ(0, wait_for(start(script("virtfs", {"-u", "-q"}), -1, -1, -1)));
  EXPECT_EQ("newer\n", hello());
}

/// As by Ctrl-C, which the shell keeps from what it runs in the background.
TEST_P(VirtfsUpdate, interrupt_ends_all_of_it) {
  write_program("/run/fake/cp", "#!/bin/sh\nsleep 1\nexec /usr/bin/cp \"$@\"\n");
  upgrade_host();
  Command command = script("virtfs", {"-u", "-q", "one.com"});
  (*command.environment)["PATH"] = "/run/fake:/usr/bin:/bin:/usr/sbin";
  command.prepare = [] { ::setpgid(0, 0); };
  const pid_t pid = start(command, -1, -1, -1);
  ASSERT_TRUE(eventually([] {
    return run({"sh", "-c", "ls -d /virtual/.virtfs.*/making.*/root/usr"}).status == 0;
  }));
  ::kill(-pid, SIGINT);
  EXPECT_NE(0, wait_for(pid));
  const auto ended = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([pid] { return ::kill(-pid, 0) != 0; }));
  EXPECT_LT(std::chrono::steady_clock::now() - ended, std::chrono::seconds(3));
  EXPECT_EQ("old\n", hello());
}

/// During the update, connections get the old or the new program.
TEST_P(VirtfsUpdate, program_starts_at_every_moment) {
  write_program("/usr/bin/hello", "#!/bin/sh\necho same\n");
  ASSERT_EQ(0, update().status);
  std::atomic<bool> ends = false;
  int starts = 0;
  int failures = 0;
  std::thread connections([&] {
    while (!ends) {
      failures += hello() == "same\n" ? 0 : 1;
      ++starts;
    }
  });
  for (int turn = 0; turn < 10; ++turn) {
    write_program("/usr/bin/hello", "#!/bin/sh\n#" + std::to_string(turn) + "\necho same\n");
    // Everything is replaced, the loader and the C library too.
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kDomain / "usr")) {
      if (entry.is_regular_file() && !entry.is_symlink()) {
        fs::last_write_time(entry.path(), fs::file_time_type::clock::now());
      }
    }
    EXPECT_EQ(0, update().status);
  }
  ends = true;
  connections.join();
  EXPECT_GT(starts, 50);
  EXPECT_EQ(0, failures);
}

TEST_P(VirtfsUpdate, wrong_usage_is_refused) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-l"}, {"-r"}, {"-a", "10.0.0.1", "-f", "/virtual/conf"}}) {
    EXPECT_EQ(2, update(arguments).status) << arguments[0];
  }
  EXPECT_EQ("virtfs: /virtual/none.com: no such domain\n", update({"none.com"}).errors);
  EXPECT_EQ(1, update({"none.com"}).status);
}

/// A variable of a script that is empty means no domain, not all of them.
TEST_P(VirtfsUpdate, empty_name_is_refused) {
  upgrade_host();
  EXPECT_EQ(1, update({""}).status);
  EXPECT_EQ("old\n", hello());
}

TEST_P(VirtfsUpdate, preview_that_cannot_be_written_is_an_error) {
  upgrade_host();
  Command command = script("virtfs", {"-u", "-n", "one.com"});
  command.prepare = [] { ::dup2(::open("/dev/full", O_WRONLY), 1); };
  EXPECT_EQ(1, run(command).status);
}

}  // namespace
}  // namespace testing_support
