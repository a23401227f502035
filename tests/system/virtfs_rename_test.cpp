// virtfs -m: renaming a domain.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "process.h"
#include "script.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kOld = "/virtual/old.com";
const fs::path kNew = "/virtual/new.com";
const fs::path kRecords = "/virtual/.virtfs";
const fs::path kConfig = "/virtual/conf.ftp";
const char* const kHosts =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.1\t";

/// What virtfs writes to a domain's etc/hosts.
std::string hosts_of(const std::string& domain) {
  utsname names{};
  ::uname(&names);
  return kHosts + domain + " " + names.nodename + "\n";
}

class VirtfsRename : public ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    for (const char* directory : {"/virtual", "/run/elsewhere", "/run/fake"}) {
      fs::remove_all(directory);
    }
    fs::create_directories(kOld / "bin");
    fs::copy_file("/bin/busybox", kOld / "bin/busybox");
    fs::create_directories("/virtual/other.com");
    write_file(kOld / "etc/hostname", "old.com\n");
    write_file(kOld / "etc/mailname", "old.com\n");
    write_file(kOld / "etc/hosts", hosts_of("old.com"));
    write_file(kRecords / "old.com",
               "numbers:524032:524287\nline:10.0.0.1 /run/elsewhere/conf\nprogram:sh\n");
    fs::permissions(kRecords, fs::perms::owner_all);
    write_file(kRecords / ".plans/old.com", "f 755 0:0 1 2 bin/busybox\n");
    write_file("/run/elsewhere/conf", "10.0.0.1 /virtual/old.com\n");
    write_file(kConfig,
               "# both, /virtual/old.com too\n"
               "10.0.0.1 /virtual/old.com\r\n"
               "10.0.0.2\t/virtual/other.com\n"
               "  10.0.0.3   /virtual/old.com/ \t# spare\n"
               "#10.0.0.4 /virtual/old.com\n"
               "10.0.0.5 /virtual/old.com.au\n"
               "default /virtual/old.com");
  }

  [[nodiscard]] Outcome rename(const std::vector<std::string>& arguments = {"old.com",
                                                                            "new.com"}) const {
    std::vector<std::string> all = {"-m"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_script("virtfs", all);
  }

  /// Expects that it was refused, with this on standard error, and that nothing was changed.
  static void expect_refused(const Outcome& outcome, const std::string& message) {
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ("virtfs: " + message + "\n", outcome.errors);
    EXPECT_EQ("", outcome.output);
    expect_untouched();
  }

  static void expect_untouched() {
    EXPECT_TRUE(fs::exists(kOld / "bin/busybox"));
    EXPECT_TRUE(fs::exists(kRecords / "old.com"));
    EXPECT_PRED2(contains, read_file(kConfig), "10.0.0.1 /virtual/old.com\r\n");
    EXPECT_EQ("old.com\n", read_file(kOld / "etc/hostname"));
  }

  /// Expects that everything has the new name, and nothing else is left.
  static void expect_renamed() {
    EXPECT_FALSE(fs::exists(kOld));
    EXPECT_TRUE(fs::exists(kNew / "bin/busybox"));
    EXPECT_EQ(
        "# both, /virtual/old.com too\n"
        "10.0.0.1 /virtual/new.com\r\n"
        "10.0.0.2\t/virtual/other.com\n"
        "  10.0.0.3   /virtual/new.com/ \t# spare\n"
        "#10.0.0.4 /virtual/old.com\n"
        "10.0.0.5 /virtual/old.com.au\n"
        "default /virtual/new.com\n",
        read_file(kConfig));
    EXPECT_EQ("10.0.0.1 /virtual/new.com\n", read_file("/run/elsewhere/conf"));
    EXPECT_EQ("numbers:524032:524287\nline:10.0.0.1 /run/elsewhere/conf\nprogram:sh\n",
              read_file(kRecords / "new.com"));
    EXPECT_EQ("f 755 0:0 1 2 bin/busybox\n", read_file(kRecords / ".plans/new.com"));
    EXPECT_EQ("new.com\n", read_file(kNew / "etc/hostname"));
    EXPECT_EQ("new.com\n", read_file(kNew / "etc/mailname"));
    EXPECT_EQ(hosts_of("new.com"), read_file(kNew / "etc/hosts"));
    EXPECT_EQ("/virtual/.virtfs/.plans/new.com\n/virtual/.virtfs/new.com\n/virtual/conf.ftp\n",
              run({"sh", "-c",
                   "find /virtual -type f ! -path '/virtual/new.com/*' | sort; find /virtual "
                   "-maxdepth 1 -name '.virtfs.*'"})
                  .output);
  }
};

INSTANTIATE_SHELLS(VirtfsRename);

TEST_P(VirtfsRename, directory_lines_record_and_own_files_get_the_new_name) {
  const Outcome outcome = rename();
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ(
      "Changed its lines in /run/elsewhere/conf\n"
      "Changed its lines in /virtual/conf.ftp\n"
      "Renamed /virtual/old.com to /virtual/new.com\n",
      outcome.output);
  expect_renamed();
}

TEST_P(VirtfsRename, dry_run_says_what_it_would_do_and_changes_nothing) {
  write_file(kOld / "etc/hosts", "old.com as the domain has it\n");
  const Outcome outcome = rename({"-n", "old.com", "new.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ(
      "Would rename /virtual/old.com to /virtual/new.com\n"
      "Would change \"10.0.0.1 /virtual/old.com\" in /run/elsewhere/conf\n"
      "Would change \"10.0.0.1 /virtual/old.com\r\" in /virtual/conf.ftp\n"
      "Would change \"  10.0.0.3   /virtual/old.com/ \t# spare\" in /virtual/conf.ftp\n"
      "Would change \"default /virtual/old.com\" in /virtual/conf.ftp\n"
      "Would replace /virtual/old.com/etc/hostname\n"
      "Would replace /virtual/old.com/etc/mailname\n",
      outcome.output);
  EXPECT_EQ("virtfs: /virtual/old.com/etc/hosts: contains the name old.com: change it by hand\n",
            outcome.errors);
  expect_untouched();
}

TEST_P(VirtfsRename, quiet_says_nothing) {
  const Outcome outcome = rename({"-q", "old.com", "new.com"});
  EXPECT_EQ("", outcome.output + outcome.errors);
  expect_renamed();
}

TEST_P(VirtfsRename, domain_without_a_record_is_renamed_too) {
  fs::remove_all(kRecords);
  EXPECT_EQ(0, rename().status);
  EXPECT_TRUE(fs::exists(kNew / "bin/busybox"));
  EXPECT_PRED2(contains, read_file(kConfig), "10.0.0.1 /virtual/new.com\r\n");
  EXPECT_FALSE(fs::exists(kRecords / "new.com"));
}

TEST_P(VirtfsRename, made_domain_is_known_by_its_new_name) {
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "true", "-a", "10.0.0.8", "-f",
                                     "/virtual/conf.www", "made.com"})
                   .status);
  EXPECT_EQ(0, rename({"-q", "made.com", "better.com"}).status);
  EXPECT_EQ("10.0.0.8 /virtual/better.com\n", read_file("/virtual/conf.www"));
  const Outcome status = run_script("virtfs", {"-q", "-s", "better.com"});
  EXPECT_PRED2(contains, status.output, "\t10.0.0.8@/virtual/conf.www\ttrue\n");
  EXPECT_EQ(std::string::npos, status.errors.find("better.com")) << status.errors;
  EXPECT_EQ("/virtual/better.com: up to date\n", run_script("virtfs", {"-u", "better.com"}).output);
}

TEST_P(VirtfsRename, leading_directory_may_be_a_link) {
  fs::create_directories("/run/elsewhere");
  fs::create_directory_symlink("/virtual", "/run/elsewhere/link");
  write_file(kConfig, "10.0.0.1 /virtual/old.com\n10.0.0.2 /run/elsewhere/link/old.com\n");
  EXPECT_EQ(0, rename({"-q", "-d", "/run/elsewhere/link", "old.com", "new.com"}).status);
  EXPECT_EQ("10.0.0.1 /virtual/new.com\n10.0.0.2 /run/elsewhere/link/new.com\n",
            read_file(kConfig));
}

TEST_P(VirtfsRename, alias_keeps_its_lines_and_leads_to_the_new_name) {
  fs::create_directory_symlink("old.com", "/virtual/www.old.com");
  fs::create_directory_symlink("/virtual/old.com/", "/virtual/ftp.old.com");
  fs::create_directory_symlink("other.com", "/virtual/www.other.com");
  write_file("/virtual/conf.www", "10.0.0.7 /virtual/www.old.com\n");
  const Outcome outcome = rename();
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(contains, outcome.output, "Changed where /virtual/www.old.com leads\n");
  EXPECT_EQ("new.com", fs::read_symlink("/virtual/www.old.com"));
  EXPECT_EQ("/virtual/new.com", fs::read_symlink("/virtual/ftp.old.com"));
  EXPECT_EQ("other.com", fs::read_symlink("/virtual/www.other.com"));
  EXPECT_EQ("10.0.0.7 /virtual/www.old.com\n", read_file("/virtual/conf.www"));
}

TEST_P(VirtfsRename, configuration_keeps_its_owner_and_mode) {
  ASSERT_EQ(0, ::chmod(kConfig.c_str(), 0640));
  ASSERT_EQ(0, ::chown(kConfig.c_str(), 0, 50));
  ASSERT_EQ(0, rename({"-q", "old.com", "new.com"}).status);
  struct stat status {};
  ASSERT_EQ(0, ::stat(kConfig.c_str(), &status));
  EXPECT_EQ(0640U, status.st_mode & 07777U);
  EXPECT_EQ(50U, status.st_gid);
}

// ---- What is refused -----------------------------------------------------------

TEST_P(VirtfsRename, name_that_is_taken_is_refused) {
  expect_refused(rename({"old.com", "other.com"}),
                 "/virtual/other.com: exists already: nothing was changed");
  expect_refused(rename({"old.com", "old.com"}),
                 "/virtual/old.com: exists already: nothing was changed");
  fs::create_directory_symlink("nowhere", "/virtual/link.com");
  expect_refused(rename({"old.com", "link.com"}),
                 "/virtual/link.com: exists already: nothing was changed");
  write_file(kRecords / "new.com", "numbers:523776:524031\n");
  expect_refused(rename(),
                 "/virtual/.virtfs/new.com: the record of an earlier domain: remove it first");
}

TEST_P(VirtfsRename, missing_domain_or_alias_is_refused) {
  expect_refused(rename({"none.com", "new.com"}), "/virtual/none.com: no such domain");
  fs::create_directory_symlink("old.com", "/virtual/www.old.com");
  expect_refused(rename({"www.old.com", "new.com"}),
                 "/virtual/www.old.com: a link: name the domain that it leads to");
}

TEST_P(VirtfsRename, bad_names_are_refused) {
  for (const std::string name : {"", ".virtfs", "a/b", "new com", "../new.com"}) {
    const std::string why =
        name +
        ": not the name of a domain: use letters, digits, dots, hyphens and underscores, beginning "
        "with a letter or digit";
    expect_refused(rename({"old.com", name}), why);
    expect_refused(rename({name, "new.com"}), why);
  }
}

TEST_P(VirtfsRename, process_in_the_domain_prevents_it) {
  const BackgroundProcess process(command_of({"chroot", kOld, "/bin/busybox", "sleep", "60"}));
  const std::string comm = "/proc/" + std::to_string(process.pid()) + "/comm";
  ASSERT_TRUE(eventually([&comm] { return read_file(comm) == "busybox\n"; }));
  expect_refused(rename(), "/virtual/old.com: in use by process " + std::to_string(process.pid()) +
                               " (busybox): end it first");
}

TEST_P(VirtfsRename, mount_below_the_domain_prevents_it) {
  fs::create_directories(kOld / "home");
  fs::create_directories("/run/disk");
  ASSERT_EQ(0, ::mount("/run/disk", (kOld / "home").c_str(), nullptr, MS_BIND, nullptr));
  expect_refused(rename(),
                 "/virtual/old.com: mounted below it: /virtual/old.com/home: unmount that first");
  ASSERT_EQ(0, ::umount2((kOld / "home").c_str(), MNT_DETACH));
  fs::remove_all("/run/disk");
}

TEST_P(VirtfsRename, wrong_usage_is_refused) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"old.com"},
        {"old.com", "new.com", "more.com"},
        {"-p", "sh", "old.com", "new.com"},
        {"-l", "old.com", "new.com"},
        {"-r", "old.com", "new.com"},
        {"-a", "10.0.0.1", "-f", "/virtual/conf.ftp", "old.com", "new.com"}}) {
    EXPECT_EQ(2, rename(arguments).status);
  }
}

// ---- Files in the domain ---------------------------------------------------------

TEST_P(VirtfsRename, file_that_the_domain_has_changed_is_left_and_named) {
  write_file(kOld / "etc/hosts", "10.0.0.1 old.com mail.old.com\n");
  write_file(kOld / "etc/hostname", "another\n");
  write_file(kOld / "etc/mail/sendmail.cf", "Djold.com\n");
  write_file(kOld / "etc/mail/other.cf", "Djold.net\n");
  const Outcome outcome = rename();
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ(
      "virtfs: /virtual/new.com/etc/hosts: contains the name old.com: change it by hand\n"
      "virtfs: /virtual/new.com/etc/mail/sendmail.cf: contains the name old.com: change it by "
      "hand\n",
      outcome.errors);
  EXPECT_EQ("10.0.0.1 old.com mail.old.com\n", read_file(kNew / "etc/hosts"));
  EXPECT_EQ("another\n", read_file(kNew / "etc/hostname"));
  EXPECT_EQ("new.com\n", read_file(kNew / "etc/mailname"));
}

TEST_P(VirtfsRename, file_of_the_host_with_that_word_is_named_only_if_the_domain_changed_it) {
  write_file(kOld / "etc/services", "old.com 7/tcp\n");
  const std::string sum = run({"sha256sum", kOld / "etc/services"}).output.substr(0, 64);
  write_file(kRecords / ".plans/old.com", "e " + sum + " etc/services\n");
  EXPECT_EQ("", rename().errors);
  write_file(kNew / "etc/services", "new.com 8/tcp\n");
  EXPECT_EQ("virtfs: /virtual/old.com/etc/services: contains the name new.com: change it by hand\n",
            rename({"new.com", "old.com"}).errors);
}

TEST_P(VirtfsRename, new_name_that_contains_the_old_one_causes_no_warning) {
  EXPECT_EQ("", rename({"old.com", "www.old.com"}).errors);
  EXPECT_EQ("www.old.com\n", read_file("/virtual/www.old.com/etc/hostname"));
}

TEST_P(VirtfsRename, fifo_in_the_domain_is_not_waited_for_and_link_is_not_followed) {
  write_file("/run/elsewhere/target", "old.com\n");
  fs::remove(kOld / "etc/hostname");
  fs::create_symlink("/run/elsewhere/target", kOld / "etc/hostname");
  fs::remove(kOld / "etc/hosts");
  ASSERT_EQ(0, ::mkfifo((kOld / "etc/hosts").c_str(), 0600));
  ASSERT_EQ(0, ::mkfifo((kOld / "etc/fifo").c_str(), 0600));
  const Outcome outcome = rename();
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("old.com\n", read_file("/run/elsewhere/target"));
  EXPECT_TRUE(fs::is_symlink(kNew / "etc/hostname"));
}

TEST_P(VirtfsRename, etc_that_is_a_link_is_not_followed) {
  fs::rename(kOld / "etc", "/run/elsewhere/etc");
  fs::create_directory_symlink("/run/elsewhere/etc", kOld / "etc");
  EXPECT_EQ(0, rename().status);
  EXPECT_EQ("old.com\n", read_file("/run/elsewhere/etc/hostname"));
}

TEST_P(VirtfsRename, etc_that_keeps_being_exchanged_for_a_link_is_not_followed) {
  write_file("/run/elsewhere/hostname", "one.com\n");
  write_file("/run/elsewhere/mailname", "one.com\n");
  fs::create_directories("/virtual/one.com");
  fs::rename(kOld / "etc", "/virtual/one.com/etc");
  write_file("/virtual/one.com/etc/hostname", "one.com\n");
  fs::create_directory_symlink("/run/elsewhere", "/virtual/one.com/other");
  std::string name = "one.com";
  for (int turn = 0; turn < 8; ++turn) {
    const std::string next = std::to_string(turn) + ".com";
    const pid_t renaming = start(script("virtfs", {"-q", "-m", name, next}), -1, 2, 2);
    ASSERT_TRUE(eventually([&] { return fs::exists("/virtual/" + next); }));
    // A process that runs there would have prevented the renaming, so it starts after that check.
    Command exchanging = command_of({kService, "exchange", "etc", "other"});
    const std::string directory = "/virtual/" + next;
    exchanging.prepare = [directory] {
      if (::chdir(directory.c_str()) != 0) {
        ::_exit(200);
      }
    };
    {
      const BackgroundProcess exchanger(exchanging);
      static_cast<void>(wait_for(renaming));
    }
    name = next;
    EXPECT_EQ("one.com\n", read_file("/run/elsewhere/hostname"));
    EXPECT_EQ("one.com\n", read_file("/run/elsewhere/mailname"));
  }
}

TEST_P(VirtfsRename, connection_gets_the_domain_or_nothing) {
  fs::remove_all("/virtual");
  make_two_domains();
  write_file("/virtual/conf", read_file("/virtual/conf") + "default /virtual/domain2.com\n");
  std::atomic<bool> ends = false;
  std::map<std::string, int> answers;
  std::thread connections([&] {
    while (!ends) {
      ++answers[serve({"/virtual/conf", "/usr/sbin/service"}).answer];
    }
  });
  std::string name = "domain1.com";
  int renamed = 0;
  for (int turn = 0; turn < 200 && renamed < 10; ++turn) {
    const std::string next = std::to_string(turn) + ".com";
    // A service that runs at that moment prevents the renaming.
    if (rename({"-q", name, next}).status == 0) {
      name = next;
      ++renamed;
    }
  }
  ends = true;
  connections.join();
  EXPECT_EQ(10, renamed);
  EXPECT_GT(answers["domain1\n"], 0);
  answers.erase("domain1\n");
  answers.erase("");
  EXPECT_TRUE(answers.empty()) << answers.begin()->first;
}

// ---- Interruptions -----------------------------------------------------------------

/// If a run is killed before or after any mv, ln or rm, the domain exists under one of its names,
/// no other domain can be made where a line would lead to it, and the same command finishes.
TEST_P(VirtfsRename, killed_run_is_finished_by_the_same_command) {
  if (GetParam() != std::string("dash")) {
    return;  // busybox has them built in
  }
  int killed = 0;
  for (int moment = 1; moment < 200; ++moment) {
    SCOPED_TRACE(moment);
    SetUp();
    for (const char* name : {"mv", "ln", "rm"}) {
      write_program(std::string("/run/fake/") + name,
                    "#!/bin/sh\n"
                    "tick() {\n"
                    "  echo . >>/run/fake/ticks\n"
                    "  [ \"$(wc -l </run/fake/ticks)\" -ne " +
                        std::to_string(moment) +
                        " ] || kill -KILL \"$(cat /run/fake/pid)\" $PPID\n"
                        "}\n"
                        "tick\n/usr/bin/" +
                        name + " \"$@\" || exit\ntick\n");
    }
    const Command command = script("virtfs", {"-q", "-m", "old.com", "new.com"});
    std::vector<std::string> arguments = {"sh", "-c",
                                          "PATH=/run/fake:$PATH; echo $$ >/run/fake/pid; exec "
                                          "\"$@\"",
                                          "sh"};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    const Outcome outcome = run(arguments);
    if (outcome.status == 0) {
      EXPECT_GT(killed, 20);
      return;
    }
    ++killed;
    EXPECT_NE(fs::exists(kOld / "bin/busybox"), fs::exists(kNew / "bin/busybox"));
    const std::string lines = read_file(kConfig) + read_file("/run/elsewhere/conf");
    for (const std::string name : {"old.com", "new.com"}) {
      if (contains(lines, "10.0.0.1 /virtual/" + name)) {
        EXPECT_EQ(1, run_script("virtfs", {"-n", "-p", "true", name}).status);
      }
    }
    const bool is_done = !fs::exists(kOld) && !contains(read_file(kRecords / "new.com"), "from:");
    EXPECT_EQ(is_done ? 1 : 0, rename().status);
    if (is_done) {
      // Any run of virtfs removes what is left.
      static_cast<void>(run_script("virtfs", {"-q", "-u", "other.com"}));
    }
    expect_renamed();
  }
  FAIL() << "every run was killed";
}

TEST_P(VirtfsRename, run_killed_at_any_time_is_finished_by_the_same_command) {
  for (int milliseconds = 10; milliseconds < 300; milliseconds += 30) {
    SCOPED_TRACE(milliseconds);
    SetUp();
    const pid_t pid = start(script("virtfs", {"-q", "-m", "old.com", "new.com"}), -1, -1, -1);
    ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
    ::kill(pid, SIGKILL);
    static_cast<void>(wait_for(pid));
    const bool is_done = !fs::exists(kOld) && !contains(read_file(kRecords / "new.com"), "from:");
    EXPECT_EQ(is_done ? 1 : 0, rename().status);
    if (is_done) {
      static_cast<void>(run_script("virtfs", {"-q", "-u", "other.com"}));
    }
    expect_renamed();
  }
}

TEST_P(VirtfsRename, full_disk_loses_no_record) {
  const fs::path disk = "/run/disk";
  fs::create_directory(disk);
  ASSERT_EQ(0, ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "mode=0755,size=256k"));
  fs::create_directories(disk / "new.com");
  const std::string record = "numbers:524032:524287\nprogram:sh\n";
  ASSERT_EQ(0, ::mkdir((disk / ".virtfs").c_str(), 0700));
  write_file(disk / ".virtfs/new.com", record + "from:old.com\n");
  static_cast<void>(run({"dd", "if=/dev/zero", "of=" + (disk / "full").string()}));
  const Outcome outcome = rename({"-d", disk, "old.com", "new.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(record + "from:old.com\n", read_file(disk / ".virtfs/new.com"));
  fs::remove(disk / "full");
  EXPECT_EQ(0, rename({"-d", disk, "old.com", "new.com"}).status);
  EXPECT_EQ(record, read_file(disk / ".virtfs/new.com"));
  ::umount(disk.c_str());
  fs::remove(disk);
}

/// An interrupted run: the directory is renamed, and the lines are not.
TEST_P(VirtfsRename, interrupted_run_must_be_finished_before_any_other_with_either_name) {
  fs::rename(kOld, kNew);
  write_file(kRecords / "new.com", read_file(kRecords / "old.com") + "from:old.com\n");
  fs::rename(kRecords / ".plans/old.com", kRecords / ".plans/new.com");
  const std::string why = ": virtfs -m old.com new.com was interrupted: run it again first\n";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-p", "true", "old.com"},
        {"-r", "new.com"},
        {"-u", "new.com"},
        {"-m", "new.com", "third.com"},
        {"-m", "other.com", "old.com"}}) {
    const Outcome outcome = run_script("virtfs", arguments);
    EXPECT_EQ(1, outcome.status);
    EXPECT_PRED2(contains, outcome.errors, why);
    EXPECT_TRUE(fs::exists(kNew / "bin/busybox"));
    EXPECT_FALSE(fs::exists(kOld));
  }
  EXPECT_PRED2(contains, run_script("virtfs", {"-s", "new.com"}).errors, "virtfs: new.com" + why);
  EXPECT_EQ(std::string::npos, rename({"-n", "old.com", "new.com"}).output.find("Would rename"));
  fs::create_directory(kOld);
  EXPECT_EQ(
      "virtfs: /virtual/old.com: made after virtfs -m was interrupted: move it aside "
      "first\n",
      rename().errors);
  fs::remove(kOld);
  EXPECT_EQ(0, rename().status);
  expect_renamed();
}

}  // namespace
}  // namespace testing_support
