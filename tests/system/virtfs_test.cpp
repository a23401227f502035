// virtfs: small roots of this machine's programs, and whole roots of a small host made for the
// test.
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "files.h"
#include "log_socket.h"
#include "must_run.h"
#include "network.h"
#include "package.h"
#include "paths.h"
#include "process.h"
#include "script.h"
#include "terminal.h"
#include "world.h"

namespace {

namespace fs = std::filesystem;
using testing_support::Command;
using testing_support::Outcome;
using testing_support::read_file;
using testing_support::Terminal;
using testing_support::write_file;
using testing_support::write_program;

/// The names in a directory, without virtfs's records, each of which must belong to an existing
/// domain.
std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  if (names.erase(".virtfs") != 0) {
    for (const fs::directory_entry& record : fs::directory_iterator(directory / ".virtfs")) {
      EXPECT_TRUE(record.path().filename() == ".plans" ||
                  names.contains(record.path().filename().string()))
          << record.path();
    }
  }
  return names;
}

void remove_domain(const std::string& name) {
  fs::remove_all("/virtual/" + name);
  fs::remove("/virtual/.virtfs/" + name);
  fs::remove("/virtual/.virtfs/.plans/" + name);
}

/// The value of a setting in a domain's configuration, which must contain it once.
std::string setting(const std::string& domain, const std::string& file, const std::string& name) {
  std::string value;
  int count = 0;
  for (const std::string& line :
       testing_support::split_lines(read_file("/virtual/" + domain + "/etc/" + file))) {
    if (line.starts_with(name) && line.find_first_of("= \t") == name.size()) {
      value = line.substr(line.find_last_of("= \t") + 1);
      ++count;
    }
  }
  EXPECT_EQ(1, count) << name << " in " << file;
  return value;
}

/// The first and the last number of a domain's users, as in "524032-524287".
std::string numbers_of(const std::string& domain) {
  return setting(domain, "login.defs", "UID_MIN") + "-" + setting(domain, "login.defs", "UID_MAX");
}

/// Owner, group and mode, as in "0:0 0755".
std::string access_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return "not there";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%u:%u %04o", status.st_uid, status.st_gid,
                status.st_mode & 07777);
  return text;
}

ino_t inode_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_ino;
}

nlink_t links_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_nlink;
}

/// Everything below `root` for which `wanted` holds, directories and links included, as paths in
/// it.
std::vector<std::string> files_where(const fs::path& root,
                                     const std::function<bool(const struct stat&)>& wanted) {
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) == 0 && wanted(status)) {
      found.push_back("/" + entry.path().lexically_relative(root).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The files below `root` that contain `text`.
std::string files_with(const fs::path& root, const std::string& text) {
  return testing_support::run({"grep", "-rlF", "-e", text, root}).output;
}

/// The contents of a domain, in the format of virtfs -n.
std::set<std::string> objects_in(const fs::path& domain) {
  const Outcome found = testing_support::run({"find",
                                              domain,
                                              "-type",
                                              "d",
                                              "-printf",
                                              "dir %m %U:%G /%P\n",
                                              "-o",
                                              "-type",
                                              "l",
                                              "-printf",
                                              "link /%P -> %l\n",
                                              "-o",
                                              "-type",
                                              "c",
                                              "-printf",
                                              "device /%P\n",
                                              "-o",
                                              "-type",
                                              "s",
                                              "-printf",
                                              "log /%P\n",
                                              "-o",
                                              "-perm",
                                              "/6000",
                                              "-printf",
                                              "setid /%P\n",
                                              "-o",
                                              "-printf",
                                              "file /%P\n"});
  const std::vector<std::string> lines = testing_support::split_lines(found.output);
  return {lines.begin(), lines.end()};
}

/// The same from the output of -n, without its first line.
std::set<std::string> objects_of(const std::string& draft) {
  std::set<std::string> objects;
  for (const std::string& line : testing_support::split_lines(draft)) {
    if (line.starts_with("copy ") || line.starts_with("make ")) {
      objects.insert("file " + line.substr(5));
    } else if (!line.starts_with("domain ")) {
      objects.insert(line);
    }
  }
  return objects;
}

/// Expects that the command makes in `domain` what it prints with -n, and that both name the same
/// files as left out. If there are arguments `before`, another user runs those after them, with -n.
void expect_draft(const Command& make, const fs::path& domain,
                  const std::vector<std::string>& before = {}) {
  Command draft = make;
  for (std::string& argument : draft.arguments) {
    argument = argument == "-q" ? "-n" : argument;
  }
  const Outcome printed = testing_support::run(draft);
  EXPECT_EQ(0, printed.status);
  const std::set<std::string> objects = objects_of(printed.output);
  if (!before.empty()) {
    const std::vector<std::string> become = {"setpriv", "--reuid=12345", "--regid=12345",
                                             "--clear-groups"};
    draft.arguments.insert(draft.arguments.begin() + static_cast<std::ptrdiff_t>(before.size()),
                           become.begin(), become.end());
    const Outcome another = testing_support::run(draft);
    EXPECT_EQ(objects, objects_of(another.output)) << another.errors;
  }
  const Outcome made = testing_support::run(make);
  ASSERT_EQ(0, made.status) << made.errors;
  EXPECT_EQ(made.errors, printed.errors);
  EXPECT_EQ(objects_in(domain), objects);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Builds directory/bin/origin, which finds a library relative to its own path and prints 42.
void build_origin(const fs::path& directory) {
  fs::create_directories(directory / "bin");
  fs::create_directories(directory / "lib/own");
  const std::string library = directory / "lib/own/libown.so";
  write_file("/run/own.c", "int own(void) { return 42; }\n");
  write_file("/run/main.c",
             "#include <stdio.h>\nint own(void);\nint main(void) { printf(\"%d\\n\", own()); }\n");
  ASSERT_EQ(0, testing_support::run(
                   {"cc", "-shared", "-fPIC", "-Wl,-soname,libown.so", "-o", library, "/run/own.c"})
                   .status);
  ASSERT_EQ(0, testing_support::run({"cc", "-o", directory / "bin/origin", "/run/main.c", library,
                                     "-Wl,-rpath,$ORIGIN/../lib/own"})
                   .status);
}

class Virtfs : public testing_support::ShellTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    if (!fs::exists("/bin/busybox")) {
      SKIP_OR_FAIL("needs busybox-static");
    }
  }

  /// Makes a domain, which must succeed.
  void make(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run_script("virtfs", arguments);
    ASSERT_EQ(0, outcome.status) << outcome.errors;
  }

  [[nodiscard]] Outcome run_in(const std::string& domain,
                               std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), domain);
    return run_script("virtexec", arguments);
  }
};

// ---- Roots with only the programs asked for.

TEST_P(Virtfs, makes_a_root_in_which_the_program_runs) {
  make({"-p", "ls", "one.com"});
  EXPECT_EQ("/etc/hostname\n\n/home/a:\n",
            run_in("one.com", {"ls", "/home/a", "/etc/hostname"}).output);
}

TEST_P(Virtfs, prints_each_step_the_size_the_time_and_what_to_do_next) {
  const Outcome outcome = run_script("virtfs", {"-p", "cat", "one.com"});
  const std::vector<std::string> lines = testing_support::split_lines(outcome.output);
  ASSERT_EQ(7U, lines.size()) << outcome.output;
  EXPECT_EQ("Create /virtual/one.com", lines[0]);
  EXPECT_EQ("Create dev", lines[1]);
  EXPECT_EQ("Create etc", lines[2]);
  EXPECT_EQ("Create programs and libraries", lines[3]);
  EXPECT_EQ("Try the programs", lines[4]);
  EXPECT_TRUE(lines[5].starts_with("/virtual/one.com: ") && lines[5].ends_with(" s")) << lines[5];
  EXPECT_EQ("Next: add the line \"ADDRESS /virtual/one.com\" to a configuration of virtuald",
            lines[6]);
  EXPECT_EQ("", outcome.errors);
}

TEST_P(Virtfs, prints_nothing_but_errors_when_quiet) {
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "cat", "one.com"});
  EXPECT_EQ("", outcome.output);
  EXPECT_EQ("", outcome.errors);
}

TEST_P(Virtfs, finds_a_program_in_the_systems_directories_that_are_not_on_path) {
  Command command = script("virtfs", {"-p", "chroot", "one.com"});
  (*command.environment)["PATH"] = "/usr/bin:/bin";
  ASSERT_EQ(0, testing_support::run(command).status);
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/sbin/chroot"));
}

TEST_P(Virtfs, takes_a_program_by_its_path) {
  write_program("/run/service", read_file("/bin/busybox"));
  make({"-p", "/run/service", "one.com"});
  EXPECT_EQ("0:0 0755", access_of("/virtual/one.com/run/service"));
}

TEST_P(Virtfs, takes_the_interpreter_of_a_script) {
  write_program("/run/hello", "#!/bin/sh -e\necho hello\n");
  make({"-p", "/run/hello", "one.com"});
  EXPECT_EQ("hello\n", run_in("one.com", {"/run/hello"}).output);
}

TEST_P(Virtfs, takes_the_interpreter_that_env_finds) {
  write_program("/run/hello", "#!/usr/bin/env sh\necho hello\n");
  make({"-p", "/run/hello", "one.com"});
  EXPECT_EQ("hello\n", run_in("one.com", {"/run/hello"}).output);
}

TEST_P(Virtfs, takes_a_program_that_alternatives_lead_to) {
  if (!fs::is_symlink("/usr/bin/awk")) {
    SKIP_OR_FAIL("awk is not an alternative here");
  }
  make({"-p", "awk", "one.com"});
  EXPECT_EQ("42\n", run_in("one.com", {"awk", "BEGIN { print 6 * 7 }"}).output);
}

TEST_P(Virtfs, takes_a_static_program_as_it_is) {
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("static\n", run_in("one.com", {"busybox", "echo", "static"}).output);
  EXPECT_FALSE(fs::exists("/virtual/one.com" + testing_support::loader()));
}

TEST_P(Virtfs, makes_a_root_in_which_a_user_can_get_a_password) {
  make({"-p", "useradd", "-p", "chpasswd", "one.com"});
  ASSERT_EQ(0, run_in("one.com", {"useradd", "-m", "-d", "/home/b/bob", "bob"}).status);
  Command command = script("virtexec", {"one.com", "chpasswd"});
  command.input = "bob:of domain one\n";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_NE(read_file("/virtual/one.com/etc/shadow").find("\nbob:$"), std::string::npos);
}

TEST_P(Virtfs, takes_the_modules_that_pams_configuration_names) {
  make({"-p", "passwd", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/etc/pam.d/passwd"));
  EXPECT_TRUE(fs::exists("/virtual/one.com/etc/pam.d/common-password"));
  EXPECT_TRUE(fs::exists("/virtual/one.com/etc/pam.d/other"));
  EXPECT_EQ(std::vector<std::string>(),
            files_where("/virtual/one.com/usr/lib", [](const struct stat& status) {
              return (status.st_mode & 07022) != 0 && S_ISREG(status.st_mode);
            }));
  std::set<std::string> modules;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator("/virtual/one.com/usr/lib")) {
    if (entry.path().parent_path().filename() == "security") {
      modules.insert(entry.path().filename().string());
    }
  }
  EXPECT_TRUE(modules.contains("pam_unix.so"));
  EXPECT_TRUE(modules.contains("pam_deny.so"));
  EXPECT_FALSE(modules.contains("pam_mkhomedir.so"));
}

/// What a list of users forbids on the host must not be allowed in the domain.
TEST_P(Virtfs, takes_the_files_that_pams_configuration_names) {
  testing_support::make_writable("/etc");
  write_file("/etc/pam.d/ftp",
             "# auth required pam_listfile.so file=/etc/only-said\n"
             "auth required pam_listfile.so item=user sense=deny file=/etc/ftp-deny onerr=succeed\n"
             "auth [success=1 default=ignore] pam_listfile.so item=user \\\n"
             "  [file=/opt/lists/allow]\n"
             "auth required pam_userdb.so db=/etc/users\n"
             "auth required pam_env.so envfile=/etc/environment\n"
             "auth required pam_listfile.so file=/etc/none file=/../run/up file=/run/motd\n");
  for (const char* name :
       {"/etc/only-said", "/etc/ftp-deny", "/etc/users.db", "/run/up", "/run/motd"}) {
    write_file(name, "root\n");
  }
  testing_support::make_writable("/opt");
  write_file("/opt/lists/allow", "bob\n");
  write_file("/etc/environment", "PATH=/bin\nTOKEN=hunter2\n");
  write_program("/run/ftpd", read_file("/usr/bin/passwd"));
  make({"-p", "/run/ftpd", "one.com"});
  EXPECT_EQ("root\n", read_file("/virtual/one.com/etc/ftp-deny"));
  EXPECT_EQ("root\n", read_file("/virtual/one.com/etc/users.db"));
  EXPECT_EQ("bob\n", read_file("/virtual/one.com/opt/lists/allow"));
  EXPECT_EQ("PATH=/bin\n", read_file("/virtual/one.com/etc/environment"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/etc/only-said"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/run/motd"));
  EXPECT_EQ(std::set<std::string>{"one.com"}, names_in("/virtual"));
}

TEST_P(Virtfs, names_a_file_of_pams_configuration_that_it_must_not_take) {
  testing_support::make_writable("/etc");
  write_file("/etc/pam.d/ftp", "auth required pam_listfile.so file=/etc/ftp-deny\n");
  write_file("/etc/ftp-deny", "root\n");
  ::chmod("/etc/ftp-deny", 0640);
  write_program("/run/ftpd", read_file("/usr/bin/passwd"));
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "/run/ftpd", "one.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_TRUE(testing_support::contains(
      outcome.errors,
      "virtfs: /etc/ftp-deny: named in etc/pam.d, and not everybody may read it: left out; "
      "to add it: cp -p /etc/ftp-deny /virtual/one.com/etc/ftp-deny\n"))
      << outcome.errors;
  EXPECT_FALSE(fs::exists("/virtual/one.com/etc/ftp-deny"));
}

/// FTP daemons without PAM read it too.
TEST_P(Virtfs, takes_the_list_of_users_who_must_not_use_ftp) {
  testing_support::make_writable("/etc");
  write_file("/etc/ftpusers", "root\n");
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("root\n", read_file("/virtual/one.com/etc/ftpusers"));
}

TEST_P(Virtfs, takes_the_configuration_of_pam_for_sshd) {
  testing_support::make_writable("/etc");
  write_file("/etc/pam.d/sshd", "auth required pam_unix.so\n");
  write_program("/run/sshd", read_file("/usr/bin/passwd"));
  make({"-p", "/run/sshd", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/etc/pam.d/sshd"));
}

TEST_P(Virtfs, takes_the_configuration_of_pam_on_a_host_whose_name_is_a_word_in_it) {
  ASSERT_EQ(0, ::sethostname("auth", 4));
  make({"-p", "passwd", "-p", "su", "one.com"});
  for (const char* name : {"passwd", "su", "common-auth", "common-password"}) {
    EXPECT_TRUE(fs::exists(fs::path("/virtual/one.com/etc/pam.d") / name)) << name;
  }
}

TEST_P(Virtfs, takes_pams_password_helper_with_its_group_and_mode) {
  make({"-p", "passwd", "one.com"});
  const std::string access = access_of("/virtual/one.com/usr/sbin/unix_chkpwd");
  EXPECT_EQ(access_of("/usr/sbin/unix_chkpwd"), access);
  EXPECT_TRUE(access.ends_with(" 2755")) << access;
  EXPECT_EQ(0, run_in("one.com", {"/usr/sbin/unix_chkpwd", "root", "chkexpiry"}).status);
}

TEST_P(Virtfs, takes_terminal_descriptions_for_a_program_that_reads_them) {
  make({"-p", "bash", "-p", "tput", "one.com"});
  EXPECT_EQ(0, run_in("one.com", {"tput", "-T", "xterm", "cols"}).status);
}

TEST_P(Virtfs, leaves_terminal_descriptions_out_if_no_program_reads_them) {
  make({"-p", "ls", "one.com"});
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/lib/terminfo/x/xterm"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/share/terminfo/x/xterm"));
}

TEST_P(Virtfs, keeps_the_time_zone_of_the_host) {
  testing_support::make_writable("/etc");
  if (!fs::exists("/usr/share/zoneinfo/Asia/Tokyo")) {
    SKIP_OR_FAIL("needs tzdata");
  }
  fs::remove("/etc/localtime");
  fs::create_symlink("/usr/share/zoneinfo/Asia/Tokyo", "/etc/localtime");
  make({"-p", "date", "one.com"});
  EXPECT_EQ("JST\n", run_in("one.com", {"date", "+%Z"}).output);
}

TEST_P(Virtfs, refuses_a_file_system_on_which_nothing_would_start) {
  for (const auto& [flag, reason] :
       {std::pair{static_cast<unsigned long>(MS_NODEV),
                  "nodev: dev/null could not be opened in a domain there"},
        std::pair{static_cast<unsigned long>(MS_NOEXEC),
                  "noexec: no program would start in a domain there"}}) {
    fs::create_directory("/run/disk");
    ASSERT_EQ(0, ::mount("tmpfs", "/run/disk", "tmpfs", flag, "mode=0755"));
    const Outcome outcome = run_script("virtfs", {"-d", "/run/disk", "-p", "ls", "one.com"});
    EXPECT_EQ(std::string("virtfs: /run/disk: on a file system that is mounted ") + reason + "\n",
              outcome.errors);
    EXPECT_EQ(1, outcome.status);
    EXPECT_FALSE(fs::exists("/run/disk/one.com"));
    ::umount("/run/disk");
  }
}

TEST_P(Virtfs, takes_the_library_of_python) {
  if (!fs::exists("/usr/bin/python3")) {
    SKIP_OR_FAIL("needs python3");
  }
  make({"-p", "/usr/bin/python3", "one.com"});
  EXPECT_EQ(
      "4\n",
      run_in("one.com", {"python3", "-c", "import math, json; print(math.floor(4.5))"}).output);
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/local/lib"));
}

TEST_P(Virtfs, takes_the_program_after_options_of_env) {
  for (const char* line : {"env -S cat -u", "env -Scat -u", "env -i PATH=/bin cat"}) {
    write_program("/run/script", std::string("#!/usr/bin/") + line + "\nwords\n");
    make({"-p", "/run/script", "one.com"});
    EXPECT_TRUE(fs::exists("/virtual/one.com/usr/bin/cat")) << line;
    remove_domain("one.com");
  }
}

TEST_P(Virtfs, takes_the_programs_that_adduser_starts) {
  testing_support::make_writable("/usr");
  write_program("/usr/sbin/adduser", "#!/bin/sh\nuseradd -m \"$1\"\n");
  make({"-p", "adduser", "one.com"});
  EXPECT_EQ(0, run_in("one.com", {"adduser", "bob"}).status);
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/sbin/groupadd"));
}

TEST_P(Virtfs, takes_the_library_that_libc_loads_when_a_thread_is_cancelled) {
  make({"-p", "ls", "one.com"});
  EXPECT_TRUE(std::any_of(fs::recursive_directory_iterator("/virtual/one.com/usr/lib"),
                          fs::recursive_directory_iterator(), [](const fs::directory_entry& entry) {
                            return entry.path().filename() == "libgcc_s.so.1";
                          }));
}

TEST_P(Virtfs, takes_what_a_tls_client_reads) {
  if (!fs::exists("/usr/bin/openssl")) {
    SKIP_OR_FAIL("needs openssl");
  }
  testing_support::make_writable("/etc");
  write_file("/etc/ssl/certs/ca-certificates.crt", "authorities\n");
  make({"-p", "openssl", "one.com"});
  EXPECT_EQ("authorities\n", read_file("/virtual/one.com/etc/ssl/certs/ca-certificates.crt"));
  EXPECT_TRUE(fs::exists("/virtual/one.com/etc/ssl/openssl.cnf"));
  EXPECT_EQ(0, run_in("one.com", {"openssl", "list", "-providers", "-provider", "legacy"}).status);
  // One of OpenSSL's own engines, for a processor that hardly any machine has.
  EXPECT_EQ(0, testing_support::run({"openssl", "engine", "padlock"}).status);
  EXPECT_EQ(0, run_in("one.com", {"openssl", "engine", "padlock"}).status);
}

TEST_P(Virtfs, takes_the_description_of_the_terminal_that_it_is_called_from) {
  testing_support::make_writable("/usr");
  write_file("/usr/share/terminfo/o/odd-terminal", "x");
  Command command = script("virtfs", {"-q", "-p", "bash", "one.com"});
  (*command.environment)["TERM"] = "odd-terminal";
  ASSERT_EQ(0, testing_support::run(command).status);
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/share/terminfo/o/odd-terminal"));
}

/// The loader reads the program's path from /proc, which a root lacks.
TEST_P(Virtfs, takes_libraries_that_a_program_finds_relative_to_itself) {
  testing_support::make_writable("/usr");
  build_origin("/usr");
  make({"-p", "origin", "one.com"});
  EXPECT_EQ("42\n", run_in("one.com", {"origin"}).output);
  EXPECT_EQ("/virtual/one.com: up to date\n", run_script("virtfs", {"-u"}).output);
}

/// The host has the file, but not everybody may read it.
TEST_P(Virtfs, names_a_needed_file_that_it_must_not_take) {
  testing_support::make_writable("/usr");
  testing_support::make_writable("/var");
  write_program("/usr/sbin/exim4", "#!/bin/sh\n");
  write_file("/var/lib/exim4/config.autogenerated", "secret\n");
  ::chmod("/var/lib/exim4/config.autogenerated", 0640);
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "exim4", "one.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ(
      "virtfs: /usr/sbin/exim4 in /virtual/one.com lacks /var/lib/exim4/config.autogenerated: "
      "exim reads its configuration there\n",
      outcome.errors);
}

TEST_P(Virtfs, does_nothing_without_its_table_of_what_programs_need) {
  fs::copy(std::string(testing_support::kSourceDirectory) + "/scripts", "/run/scripts",
           fs::copy_options::recursive);
  fs::remove("/run/scripts/share/virtuald/needs");
  const Outcome outcome = run_script("/run/scripts/bin/virtfs", {"-p", "ls", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: /run/scripts/bin/../share/virtuald/needs: not found: install virtuald again\n",
            outcome.errors);
}

TEST_P(Virtfs, takes_the_common_character_sets_for_a_program_that_converts_them) {
  testing_support::make_writable("/usr");
  write_file("/run/main.c",
             "#include <iconv.h>\nint main(int count, char** names) {\n"
             "  return count != 2 || iconv_open(\"UTF-8\", names[1]) == (iconv_t)-1;\n}\n");
  ASSERT_EQ(0, testing_support::run({"cc", "-o", "/usr/bin/convert", "/run/main.c"}).status);
  ASSERT_EQ(0, testing_support::run({"/usr/bin/convert", "EBCDIC-ES"}).status);
  make({"-p", "/usr/bin/convert", "one.com"});
  for (const char* set : {"ISO-8859-1", "ISO-8859-2", "CP1252", "UTF-16", "KOI8-R", "UTF-8"}) {
    EXPECT_EQ(0, run_in("one.com", {"/usr/bin/convert", set}).status) << set;
  }
  EXPECT_EQ(1, run_in("one.com", {"/usr/bin/convert", "EBCDIC-ES"}).status);
}

TEST_P(Virtfs, takes_all_character_sets_for_iconv) {
  make({"-p", "iconv", "one.com"});
  EXPECT_EQ(0, run_in("one.com", {"iconv", "-f", "IBM037", "-t", "UTF-8", "/etc/hostname"}).status);
}

/// A host whose services run in a locale.
class VirtfsLocale : public Virtfs {
 protected:
  void SetUp() override {
    Virtfs::SetUp();
    if (!IsSkipped() && !fs::exists("/usr/share/i18n/locales/de_DE")) {
      SKIP_OR_FAIL("needs the package locales");
    }
  }

  /// Makes a locale with these arguments of localedef(1), and `setting` the host's.
  static void make_locale(std::vector<std::string> arguments,
                          const std::string& setting = "LANG=\"de_DE.UTF-8\"") {
    testing_support::make_writable("/usr");
    testing_support::make_writable("/etc");
    arguments.insert(arguments.begin(), "localedef");
    ASSERT_EQ(0, testing_support::run(arguments).status);
    write_file("/etc/default/locale", "# of the system\n" + setting + "\n");
  }

  [[nodiscard]] std::string march() const {
    return run_in("one.com", {"env", "LANG=de_DE.UTF-8", "date", "-d", "2026-03-01", "+%B"}).output;
  }
};

TEST_P(VirtfsLocale, of_the_hosts_services_is_taken) {
  make_locale({"--no-archive", "-i", "de_DE", "-f", "UTF-8", "/usr/lib/locale/de_DE.utf8"});
  make({"-p", "date", "-p", "env", "one.com"});
  EXPECT_EQ("März\n", march());
}

TEST_P(VirtfsLocale, is_taken_with_a_small_archive) {
  make_locale({"-i", "de_DE", "-f", "UTF-8", "de_DE.UTF-8"});
  make({"-p", "date", "-p", "env", "one.com"});
  EXPECT_EQ("März\n", march());
}

TEST_P(VirtfsLocale, is_taken_alone_from_a_large_archive) {
  make_locale({"-i", "de_DE", "-f", "UTF-8", "de_DE.UTF-8"});
  fs::resize_file("/usr/lib/locale/locale-archive", std::uintmax_t{20} << 20);
  make({"-p", "date", "-p", "env", "one.com"});
  EXPECT_EQ("März\n", march());
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/lib/locale/locale-archive"));
  EXPECT_EQ("/virtual/one.com: up to date\n", run_script("virtfs", {"-u"}).output);
}

TEST_P(VirtfsLocale, brings_its_character_set) {
  make_locale({"--no-archive", "-i", "ko_KR", "-f", "EUC-KR", "/usr/lib/locale/ko_KR.euckr"},
              "LANG=C.UTF-8\nLC_CTYPE=ko_KR.EUC-KR");
  make({"-p", "date", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/lib/locale/ko_KR.euckr"));
  EXPECT_NE(
      "", testing_support::run({"find", "/virtual/one.com/usr/lib", "-name", "EUC-KR.so"}).output);
}

TEST_P(VirtfsLocale, is_not_taken_for_programs_without_locales) {
  make_locale({"--no-archive", "-i", "de_DE", "-f", "UTF-8", "/usr/lib/locale/de_DE.utf8"});
  make({"-p", "busybox", "one.com"});
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/lib/locale/de_DE.utf8"));
}

/// Without it every new password is refused.
TEST_P(Virtfs, takes_the_dictionary_that_new_passwords_are_checked_with) {
  testing_support::make_writable("/usr");
  testing_support::make_writable("/var");
  write_file("/run/empty.c", "");
  write_file("/run/main.c", "int main(void) { return 0; }\n");
  const std::string library = "/usr/lib/libcrack.so.2";
  ASSERT_EQ(0, testing_support::run({"cc", "-shared", "-o", library, "/run/empty.c"}).status);
  ASSERT_EQ(0, testing_support::run(
                   {"cc", "-o", "/usr/bin/setter", "/run/main.c", "-Wl,--no-as-needed", library})
                   .status);
  write_file("/var/cache/cracklib/cracklib_dict.pwd", "words\n");
  make({"-p", "setter", "one.com"});
  EXPECT_EQ("words\n", read_file("/virtual/one.com/var/cache/cracklib/cracklib_dict.pwd"));
}

/// Debian's PHP reads the system's time zones.
TEST_P(Virtfs, takes_the_time_zones_for_php) {
  if (!fs::exists("/usr/share/zoneinfo/Asia/Tokyo")) {
    SKIP_OR_FAIL("needs tzdata");
  }
  testing_support::make_writable("/usr");
  write_program("/usr/bin/php-cgi8.2", "#!/bin/sh\n");
  make({"-p", "php-cgi8.2", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/share/zoneinfo/Asia/Tokyo"));
}

TEST_P(Virtfs, takes_the_library_of_perl) {
  if (!fs::exists("/usr/bin/perl")) {
    SKIP_OR_FAIL("needs perl");
  }
  make({"-p", "perl", "one.com"});
  EXPECT_EQ("4", run_in("one.com", {"perl", "-MPOSIX", "-e", "print floor(4.5)"}).output);
}

/// What the administrator's own programs use.
TEST_P(Virtfs, takes_nothing_that_only_the_callers_variables_name) {
  if (!fs::exists("/usr/bin/perl")) {
    SKIP_OR_FAIL("needs perl");
  }
  write_file("/run/own/perl/Own.pm", "1;\n");
  std::string library;
  for (const fs::path& path : testing_support::libraries_of("/usr/bin/perl")) {
    if (path.filename().string().starts_with("libcrypt.so")) {
      library = path;
    }
  }
  ASSERT_NE("", library);
  fs::copy_file(library, "/run/own/" + fs::path(library).filename().string());
  Command command = script("virtfs", {"-q", "-p", "perl", "one.com"});
  (*command.environment)["PERL5LIB"] = "/run/own/perl";
  (*command.environment)["LD_LIBRARY_PATH"] = "/run/own";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_FALSE(fs::exists("/virtual/one.com/run/own"));
  EXPECT_TRUE(fs::exists("/virtual/one.com" + library));
}

TEST_P(Virtfs, keeps_the_set_user_id_bit_of_a_program_asked_for_and_says_so) {
  const Outcome outcome = run_script("virtfs", {"-p", "gpasswd", "one.com"});
  ASSERT_EQ(0, outcome.status);
  EXPECT_NE(outcome.output.find("Kept set-user-id or set-group-id: /usr/bin/gpasswd\n"),
            std::string::npos)
      << outcome.output;
  EXPECT_EQ(std::vector<std::string>{"/usr/bin/gpasswd"},
            files_where("/virtual/one.com", [](const struct stat& status) {
              return S_ISREG(status.st_mode) && (status.st_mode & 06000) != 0;
            }));
}

TEST_P(Virtfs, refuses_a_world_writable_program) {
  write_file("/run/service", read_file("/bin/busybox"));
  ::chmod("/run/service", 0757);
  const Outcome outcome = run_script("virtfs", {"-p", "/run/service", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: /run/service: must be owned by root and not writable by anyone else\n",
            outcome.errors);
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, refuses_a_program_that_root_does_not_own) {
  write_program("/run/service", read_file("/bin/busybox"));
  ASSERT_EQ(0, ::chown("/run/service", 1000, 0));
  EXPECT_EQ(1, run_script("virtfs", {"-p", "/run/service", "one.com"}).status);
}

/// Like uucico and nullmailer-queue.
TEST_P(Virtfs, takes_a_program_that_an_account_of_the_system_owns) {
  testing_support::make_writable("/usr");
  for (const char* path : {"/usr/sbin/uucico", "/usr/sbin/uuqueue"}) {
    write_program(path, read_file("/usr/bin/ls"));
    ASSERT_EQ(0, ::chown(path, 10, 10));
  }
  ASSERT_EQ(0, ::chmod("/usr/sbin/uucico", 06510));
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "uucico", "-p", "uuqueue", "one.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("10:10 6510", access_of("/virtual/one.com/usr/sbin/uucico"));
  EXPECT_EQ("0:10 0755", access_of("/virtual/one.com/usr/sbin/uuqueue"));
  EXPECT_EQ("/etc/hostname\n", run_in("one.com", {"uuqueue", "/etc/hostname"}).output);
}

/// Its owner, who can write anything into it, must not gain root's privileges.
TEST_P(Virtfs, examines_a_program_of_an_account_as_that_account) {
  if (!fs::exists("/usr/bin/strace")) {
    SKIP_OR_FAIL("needs strace");
  }
  testing_support::make_writable("/usr");
  write_program("/usr/sbin/uucico", read_file("/usr/bin/ls"));
  ASSERT_EQ(0, ::chown("/usr/sbin/uucico", 10, 10));
  Command command = script("virtfs", {"-q", "-p", "uucico", "one.com"});
  command.arguments.insert(command.arguments.begin(),
                           {"strace", "-f", "-o", "/run/calls", "-e", "trace=execve,setresuid"});
  ASSERT_EQ(0, testing_support::run(command).status);
  std::set<std::string> lowered;
  for (const std::string& line : testing_support::split_lines(read_file("/run/calls"))) {
    const std::string pid = line.substr(0, line.find(' '));
    if (testing_support::contains(line, "setresuid(10, ") ||
        testing_support::contains(line, "setresuid(65535, ")) {
      lowered.insert(pid);
    }
    if (testing_support::contains(line, "execve(\"/lib") &&
        testing_support::contains(line, "uucico")) {
      EXPECT_TRUE(lowered.contains(pid)) << line;
    }
  }
  EXPECT_FALSE(lowered.empty());
}

TEST_P(Virtfs, refuses_a_library_that_an_account_of_the_system_owns) {
  testing_support::make_writable("/usr");
  const fs::path library = fs::canonical(
      first_line(testing_support::run(
                     {"sh", "-c", "ldd /bin/ls | sed -n 's/.*libselinux.* => \\([^ ]*\\).*/\\1/p'"})
                     .output));
  ASSERT_EQ(0, ::chown(library.c_str(), 10, 0));
  EXPECT_EQ(1, run_script("virtfs", {"-p", "ls", "one.com"}).status);
  EXPECT_EQ(1, run_script("virtfs", {"-p", library, "one.com"}).status);
}

/// For libraries that are loaded by name at run time.
TEST_P(Virtfs, takes_a_library_by_its_path_with_what_it_needs) {
  const std::string module = first_line(
      testing_support::run({"sh", "-c", "echo /usr/lib/*/security/pam_listfile.so"}).output);
  const std::string link =
      first_line(testing_support::run({"sh", "-c", "echo /usr/lib/*/libpcre2-8.so.0"}).output);
  const Outcome outcome = run_script(
      "virtfs", {"-q", "-p", "ls", "-p", module, "-p", link, "-p", "busybox", "one.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_TRUE(fs::exists("/virtual/one.com" + module));
  EXPECT_TRUE(fs::exists("/virtual/one.com" + link));
  EXPECT_TRUE(fs::exists(fs::path("/virtual/one.com" + module).parent_path().parent_path() /
                         "libpam.so.0"));
}

TEST_P(Virtfs, takes_a_library_alone_as_the_link_that_it_is) {
  const std::string link =
      first_line(testing_support::run({"sh", "-c", "echo /usr/lib/*/libpcre2-8.so.0"}).output);
  if (!fs::is_symlink(link)) {
    SKIP_OR_FAIL("needs libpcre2-8");
  }
  make({"-p", "busybox", "-p", link, "one.com"});
  EXPECT_TRUE(fs::is_symlink("/virtual/one.com" + link));
  EXPECT_TRUE(fs::exists("/virtual/one.com" + link));
}

TEST_P(Virtfs, makes_a_root_in_which_a_login_shell_says_nothing) {
  make({"-p", "sh", "one.com"});
  const Outcome outcome = run_in("one.com", {"sh", "-l", "-c", "echo hello"});
  EXPECT_EQ("hello\n", outcome.output);
  EXPECT_EQ("", outcome.errors);
}

TEST_P(Virtfs, takes_nothing_for_a_shell_if_there_is_none) {
  make({"-p", "ls", "one.com"});
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/bin/id"));
}

TEST_P(Virtfs, refuses_a_world_writable_library) {
  testing_support::make_writable("/usr");
  const fs::path library = fs::canonical(
      first_line(testing_support::run(
                     {"sh", "-c", "ldd /bin/ls | sed -n 's/.*libselinux.* => \\([^ ]*\\).*/\\1/p'"})
                     .output));
  ASSERT_EQ(0, ::chmod(library.c_str(), 0666));
  const Outcome outcome = run_script("virtfs", {"-p", "ls", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_TRUE(outcome.errors.ends_with(": must be owned by root and not writable by anyone else\n"))
      << outcome.errors;
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, leaves_nothing_if_a_program_is_missing) {
  const Outcome outcome = run_script("virtfs", {"-p", "ls", "-p", "no-such-daemon", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: no-such-daemon: not found on this host\n", outcome.errors);
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

// ---- Arguments and questions.

TEST_P(Virtfs, refuses_an_invalid_domain_name) {
  for (const char* name : {"../x", "a/b", "", "-x", "a b", ".x", "a\nb", "a*"}) {
    const Outcome outcome = run_script("virtfs", {"-p", "ls", "--", name});
    EXPECT_EQ(1, outcome.status) << name;
    EXPECT_EQ("virtfs: " + std::string(name) +
                  ": not the name of a domain: use letters, digits, dots, hyphens and underscores, "
                  "beginning with a letter or digit\n",
              outcome.errors);
  }
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, takes_a_name_with_an_underscore) {
  make({"-p", "busybox", "one_two.com"});
  EXPECT_TRUE(fs::exists("/virtual/one_two.com"));
}

TEST_P(Virtfs, never_touches_an_existing_domain) {
  write_file("/virtual/one.com/etc/passwd", "of the domain\n");
  const Outcome outcome = run_script("virtfs", {"-p", "ls", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: /virtual/one.com: exists already: nothing was changed\n", outcome.errors);
  EXPECT_EQ(std::set<std::string>{"etc"}, names_in("/virtual/one.com"));
}

TEST_P(Virtfs, treats_a_dead_link_as_an_existing_domain) {
  fs::create_symlink("/run/elsewhere", "/virtual/one.com");
  EXPECT_EQ(1, run_script("virtfs", {"-p", "ls", "one.com"}).status);
  EXPECT_FALSE(fs::exists("/run/elsewhere"));
}

TEST_P(Virtfs, makes_the_domain_in_another_leading_directory) {
  make({"-d", "/run/domains", "-p", "ls", "one.com"});
  EXPECT_TRUE(fs::exists("/run/domains/one.com/usr/bin/ls"));
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, refuses_a_leading_directory_that_a_configuration_cannot_name) {
  EXPECT_EQ("virtfs: domains: the leading directory must be an absolute path\n",
            run_script("virtfs", {"-d", "domains", "-p", "ls", "one.com"}).errors);
  EXPECT_EQ("virtfs: /run/a b: a configuration of virtuald cannot name a directory with a space\n",
            run_script("virtfs", {"-d", "/run/a b", "-p", "ls", "one.com"}).errors);
}

/// Makes a directory that belongs to uid 1000.
void make_anns(const fs::path& directory) {
  fs::create_directories(directory);
  ASSERT_EQ(0, ::chown(directory.c_str(), 1000, 1000));
}

TEST_P(Virtfs, refuses_a_group_writable_leading_directory) {
  ASSERT_EQ(0, ::chmod("/virtual", 0775));
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "busybox", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(
      "virtfs: /virtual: must be owned by root and not writable by anyone else; nothing was "
      "changed\n",
      outcome.errors);
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, makes_no_leading_directory_below_somebody_elses) {
  make_anns("/run/ann");
  for (const char* directory : {"/run/ann/new", "/run/ann/new/virtual", "/run/../run/ann/new",
                                "/tmp/new", "/run/ann/../domains"}) {
    const Outcome outcome = run_script("virtfs", {"-d", directory, "-p", "busybox", "one.com"});
    EXPECT_EQ(1, outcome.status) << directory;
    EXPECT_TRUE(outcome.errors.ends_with(
        ": must be owned by root and not writable by anyone else; nothing was changed\n"))
        << outcome.errors;
  }
  EXPECT_EQ(std::set<std::string>(), names_in("/run/ann"));
  EXPECT_EQ(std::set<std::string>(), names_in("/tmp"));
  EXPECT_FALSE(fs::exists("/run/domains"));
}

TEST_P(Virtfs, follows_the_links_of_the_leading_directory_before_it_trusts_it) {
  make_anns("/run/ann");
  fs::create_directory("/run/ann/domains");
  fs::create_directory_symlink("ann/domains", "/run/domains");
  const Outcome outcome = run_script("virtfs", {"-d", "/run/domains/", "-p", "busybox", "one.com"});
  EXPECT_EQ(
      "virtfs: /run/ann: must be owned by root and not writable by anyone else; nothing was "
      "changed\n",
      outcome.errors);
  EXPECT_EQ(std::set<std::string>(), names_in("/run/ann/domains"));
  fs::create_directory("/run/disk");
  fs::create_directory_symlink("../run/./disk", "/run/own");
  make({"-d", "/run/own", "-p", "busybox", "one.com"});
  EXPECT_TRUE(fs::exists("/run/disk/one.com/usr/bin/busybox"));
}

TEST_P(Virtfs, ends_if_links_of_the_leading_directory_form_a_loop) {
  fs::create_directory_symlink("domains", "/run/domains");
  const Outcome outcome = run_script("virtfs", {"-d", "/run/domains", "-p", "busybox", "one.com"});
  EXPECT_EQ("virtfs: /run/domains: too many symbolic links\n", outcome.errors);
}

TEST_P(Virtfs, writes_no_configuration_in_somebody_elses_directory) {
  make_anns("/run/ann");
  write_file("/run/ann/conf", "# hers\n");
  fs::create_symlink("/run/ann/conf", "/virtual/conf");
  for (const char* config : {"/run/ann/conf", "/run/ann/new", "/virtual/conf"}) {
    const Outcome outcome =
        run_script("virtfs", {"-p", "busybox", "-a", "10.0.0.1", "-f", config, "one.com"});
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ(
        "virtfs: /run/ann: must be owned by root and not writable by anyone else; nothing was "
        "changed\n",
        outcome.errors);
  }
  EXPECT_EQ(std::set<std::string>{"conf"}, names_in("/run/ann"));
  EXPECT_EQ("# hers\n", read_file("/run/ann/conf"));
  EXPECT_EQ(std::set<std::string>{"conf"}, names_in("/virtual"));
}

TEST_P(Virtfs, without_a_domain_asks_for_it_and_for_the_leading_directory) {
  Terminal terminal(script("virtfs", {"-p", "ls"}));
  ASSERT_TRUE(terminal.shows("Enter the domain name: ")) << terminal.screen();
  terminal.type("one.com\r");
  ASSERT_TRUE(terminal.shows("Enter the leading directory (Enter for /virtual): "));
  terminal.type("/run/domains\r");
  EXPECT_EQ(0, terminal.finish()) << terminal.screen();
  EXPECT_TRUE(fs::exists("/run/domains/one.com/usr/bin/ls"));
}

TEST_P(Virtfs, takes_the_default_leading_directory_for_an_empty_answer) {
  Terminal terminal(script("virtfs", {"-p", "ls"}));
  ASSERT_TRUE(terminal.shows("Enter the domain name: "));
  terminal.type("one.com\r");
  ASSERT_TRUE(terminal.shows("(Enter for /virtual): "));
  terminal.type("\r");
  EXPECT_EQ(0, terminal.finish()) << terminal.screen();
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/bin/ls"));
}

TEST_P(Virtfs, makes_nothing_without_a_domain_name) {
  Terminal terminal(script("virtfs", {"-p", "ls"}));
  ASSERT_TRUE(terminal.shows("Enter the domain name: "));
  terminal.type("\r");
  EXPECT_EQ(1, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("virtfs: no domain name: nothing was made\r\n"));
}

TEST_P(Virtfs, without_a_domain_or_a_terminal_says_so) {
  const Outcome outcome = run_script("virtfs", {"-p", "ls"});
  EXPECT_EQ(2, outcome.status);
  EXPECT_EQ("virtfs: no domain given, and no terminal to ask on", first_line(outcome.errors));
}

TEST_P(Virtfs, prints_sizes_on_a_terminal) {
  Terminal terminal(script("virtfs", {"-p", "ls", "one.com"}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_NE(terminal.screen().find("MiB"), std::string::npos);
  for (const std::string& line : testing_support::split_lines(terminal.screen())) {
    if (line.starts_with("Create ")) {
      EXPECT_TRUE(line.ends_with(" MiB\r")) << line;
    }
  }
}

/// Root's draft is not in $TMPDIR, where another user could exchange it.
TEST_P(Virtfs, prints_what_it_would_make_and_makes_nothing) {
  const std::set<std::string> temporary = names_in("/tmp");
  Command command =
      script("virtfs", {"-n", "-p", "sh", "-a", "10.0.0.1", "-f", "/virtual/conf", "one.com"});
  (*command.environment)["TMPDIR"] = "/run/none";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_TRUE(outcome.output.starts_with("domain /virtual/one.com\n")) << outcome.output;
  EXPECT_TRUE(outcome.output.ends_with("\nline /virtual/conf 10.0.0.1 /virtual/one.com\n"));
  for (const char* line : {"dir 1777 0:0 /tmp", "link /usr/bin/sh -> dash", "copy /usr/bin/dash",
                           "copy /etc/profile", "make /etc/hosts", "device /dev/null"}) {
    EXPECT_PRED2(testing_support::contains, outcome.output, "\n" + std::string(line) + "\n");
  }
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
  EXPECT_EQ(temporary, names_in("/tmp"));
}

TEST_P(Virtfs, makes_what_it_has_printed) {
  testing_support::make_writable("/etc");
  testing_support::make_writable("/usr");
  testing_support::make_writable("/var");
  fs::create_directories("/var/lib/served/queue");
  ASSERT_EQ(0, ::chown("/var/lib/served", 1, 12));
  write_file("/etc/served/conf", "x");
  ASSERT_EQ(0, ::chown("/etc/served", 1, 12));
  ASSERT_EQ(0, ::chmod("/etc/served", 02775));
  ASSERT_EQ(0, ::chmod("/etc/served/conf", 0600));
  fs::create_directories("/etc/served/open");
  ASSERT_EQ(0, ::chown("/etc/served/open", 1, 12));
  ASSERT_EQ(0, ::chmod("/etc/served/open", 0755));
  write_file("/etc/served/open/conf", "x");
  write_file("/usr/lib/served/plugin", "x");
  ASSERT_EQ(0, ::chown("/usr/lib/served", 0, 12));
  fs::create_symlink("/etc/served", "/usr/lib/served/configuration");
  write_program("/usr/bin/served", "#!/bin/sh\n");
  ASSERT_EQ(0, ::chmod("/usr/bin/served", 06711));
  const fs::path status = "/var/lib/dpkg/status";
  write_file(status, read_file(status) + "\nPackage: served\nStatus: install ok installed\n");
  write_file("/var/lib/dpkg/info/served.list",
             "/usr/bin/served\n/usr/lib/served/plugin\n/etc/served/conf\n/var/lib/served\n");
  const testing_support::LogSocket log("/virtual/log");
  expect_draft(
      script("virtfs", {"-q", "-p", "sh", "-p", "served", "-p", "passwd", "-p", "su", "one.com"}),
      "/virtual/one.com");
  EXPECT_EQ("1:12 2755", access_of("/virtual/one.com/etc/served"));
  EXPECT_EQ("0:12 0755", access_of("/virtual/one.com/etc/served/open"));
  EXPECT_EQ("1:12 0755", access_of("/virtual/one.com/var/lib/served"));
}

TEST_P(Virtfs, prints_nothing_but_errors_when_quiet_even_in_a_dry_run) {
  const Outcome outcome = run_script("virtfs", {"-nq", "-p", "sh", "one.com"});
  EXPECT_EQ("", outcome.output + outcome.errors);
  EXPECT_EQ(0, outcome.status);
}

TEST_P(Virtfs, refuses_an_unknown_option) {
  const Outcome outcome = run_script("virtfs", {"-z"});
  EXPECT_EQ(2, outcome.status);
  EXPECT_NE(outcome.errors.find("usage: virtfs [-lnq] [-d dir] [-p program]... "),
            std::string::npos);
}

TEST_P(Virtfs, prints_its_usage_on_request) {
  const Outcome outcome = run_script("virtfs", {"-h"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_TRUE(outcome.output.starts_with("usage: virtfs [-lnq] [-d dir] [-p program]... "));
}

// ---- The contents of every root.

TEST_P(Virtfs, makes_the_layout) {
  make({"-p", "busybox", "one.com"});
  const fs::path root = "/virtual/one.com";
  for (const char* name : {".",
                           "bin/.",
                           "dev",
                           "etc",
                           "etc/skel",
                           "home",
                           "lib/.",
                           "proc",
                           "sbin/.",
                           "usr",
                           "usr/bin",
                           "usr/lib",
                           "usr/lib/locale",
                           "usr/lib/terminfo",
                           "usr/lib/zoneinfo/.",
                           "usr/sbin",
                           "var",
                           "var/log",
                           "var/run/.",
                           "var/spool",
                           "var/www/master",
                           "var/www/server"}) {
    EXPECT_EQ("0:0 0755", access_of(root / name)) << name;
  }
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    EXPECT_EQ("0:0 0755", access_of(root / "home" / std::string(1, letter))) << letter;
  }
  EXPECT_EQ("0:0 1777", access_of(root / "tmp"));
  EXPECT_EQ("0:0 1777", access_of(root / "var/lock"));
  EXPECT_EQ("0:0 2755", access_of(root / "var/www/html"));
  EXPECT_EQ(0U, fs::file_size(root / "var/log/wtmp"));
  EXPECT_EQ(0U, fs::file_size(root / "var/run/utmp"));
}

TEST_P(Virtfs, makes_links_in_the_layout_that_stay_in_the_root_from_outside_too) {
  make({"-p", "busybox", "one.com"});
  const fs::path root = "/virtual/one.com";
  EXPECT_EQ("../tmp", fs::read_symlink(root / "usr/tmp"));
  EXPECT_EQ("../tmp", fs::read_symlink(root / "var/tmp"));
  EXPECT_EQ("../run", fs::read_symlink(root / "var/run"));
  EXPECT_EQ(root / "var/mail", fs::canonical(root / "usr/spool/mail"));
  EXPECT_EQ(root / "var/mail", fs::canonical(root / "var/spool/mail"));
}

TEST_P(Virtfs, gives_the_webs_directories_to_the_webmaster_if_there_is_one) {
  testing_support::make_writable("/etc");
  write_file("/etc/passwd", read_file("/etc/passwd") + "webmast:x:701:702::/:/bin/sh\n");
  write_file("/etc/group", read_file("/etc/group") + "www:x:702:\n");
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "busybox", "one.com"});
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("701:702 2755", access_of("/virtual/one.com/var/www/html"));
  EXPECT_EQ("701:702 0755", access_of("/virtual/one.com/var/www/master"));
  EXPECT_EQ("701:702 0755", access_of("/virtual/one.com/var/www/server"));
}

TEST_P(Virtfs, warns_if_the_host_lacks_a_system_group) {
  testing_support::make_writable("/etc");
  write_file("/etc/group", "root:x:0:\n");
  EXPECT_EQ(
      "virtfs: utmp: no such group on this host: using root instead\n"
      "virtfs: shadow: no such group on this host: using root instead\n",
      run_script("virtfs", {"-q", "-p", "busybox", "one.com"}).errors);
}

TEST_P(Virtfs, makes_only_harmless_devices) {
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ(
      (std::set<std::string>{"null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx"}),
      names_in("/virtual/one.com/dev"));
  EXPECT_EQ(std::vector<std::string>(),
            files_where("/virtual/one.com",
                        [](const struct stat& status) { return S_ISBLK(status.st_mode); }));
  struct stat null {};
  ASSERT_EQ(0, ::stat("/virtual/one.com/dev/null", &null));
  EXPECT_EQ(makedev(1, 3), null.st_rdev);
  EXPECT_EQ(S_IFCHR | 0666U, null.st_mode);
}

/// An isolated service gets its own terminals there.
TEST_P(Virtfs, makes_a_directory_for_terminals) {
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("0:0 0755", access_of("/virtual/one.com/dev/pts"));
  EXPECT_TRUE(fs::is_empty("/virtual/one.com/dev/pts"));
  EXPECT_EQ("pts/ptmx", fs::read_symlink("/virtual/one.com/dev/ptmx"));
}

TEST_P(Virtfs, links_the_log_socket_if_there_is_one) {
  const testing_support::LogSocket log("/virtual/log");
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ(inode_of("/virtual/log"), inode_of("/virtual/one.com/dev/log"));
}

/// All domains share one socket: a new root must not take it from the others.
TEST_P(Virtfs, leaves_the_log_socket_as_it_was) {
  const testing_support::LogSocket log("/virtual/log");
  ::chmod("/virtual/log", 0666);
  ASSERT_EQ(0, ::chown("/virtual/log", 0, 4));
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("0:4 0666", access_of("/virtual/log"));
  EXPECT_EQ("0:4 0666", access_of("/virtual/one.com/dev/log"));
}

TEST_P(Virtfs, locks_all_accounts_and_takes_no_hash) {
  testing_support::make_writable("/etc");
  const std::string hash = "$6$saltsalt$ofThisHost0123456789";
  write_file("/etc/shadow", "root:" + hash + ":19000:0:99999:7:::\n");
  write_file("/etc/passwd", "root:x:0:0:Ann Admin:/root:/bin/sh\ndaemon:" + hash +
                                ":1:1::/:/bin/false\nann:x:1000:1000::/home/ann:/bin/sh\n"
                                "nobody:x:65534:65534::/:/bin/false\n");
  write_file("/etc/group", "root:x:0:\nusers:x:100:ann,daemon\nann:x:1000:\n");
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ(
      "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\n"
      "nobody:x:65534:65534:nobody:/:/bin/false\n",
      read_file("/virtual/one.com/etc/passwd"));
  EXPECT_EQ("root:*::0:99999:7:::\ndaemon:*::0:99999:7:::\nnobody:*::0:99999:7:::\n",
            read_file("/virtual/one.com/etc/shadow"));
  EXPECT_EQ("root:x:0:\nusers:x:100:daemon\n", read_file("/virtual/one.com/etc/group"));
  EXPECT_EQ("", files_with("/virtual/one.com", hash));
}

TEST_P(Virtfs, hides_the_hashes_from_ordinary_users) {
  make({"-p", "busybox", "one.com"});
  EXPECT_TRUE(access_of("/virtual/one.com/etc/shadow").ends_with(" 0640"));
  EXPECT_TRUE(access_of("/virtual/one.com/etc/gshadow").ends_with(" 0640"));
}

std::string host_name() {
  utsname names{};
  ::uname(&names);
  return names.nodename;
}

/// Installs a package toy as dpkg would, with the program toy and /etc/toy.
void install_toy() {
  for (const char* directory : {"/usr", "/etc", "/var/lib/dpkg"}) {
    testing_support::make_writable(directory);
  }
  write_program("/usr/bin/toy", "#!/bin/sh\n");
  write_file("/etc/toy/conf", "open\n");
  write_file("/etc/toy/key", "hush-hush\n");
  ::chmod("/etc/toy/key", 0640);
  write_file("/var/lib/dpkg/info/toy.list", "/usr/bin/toy\n/etc/toy\n/etc/toy/conf\n");
  write_file("/var/lib/dpkg/status",
             read_file("/var/lib/dpkg/status") + "\nPackage: toy\nStatus: install ok installed\n");
}

TEST_P(Virtfs, takes_what_everybody_may_read_of_a_packages_configuration) {
  if (!fs::exists("/var/lib/dpkg/status")) {
    SKIP_OR_FAIL("needs dpkg");
  }
  install_toy();
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "toy", "-p", "sh", "one.com"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(testing_support::contains, outcome.errors,
               "virtfs: /etc/toy/key: not everybody may read it: left out; "
               "to add it: cp -p /etc/toy/key /virtual/one.com/etc/toy/key\n");
  EXPECT_EQ("open\n", read_file("/virtual/one.com/etc/toy/conf"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/etc/toy/key"));
}

/// A package is in that state during an upgrade, when virtuald's trigger may update the domains.
TEST_P(Virtfs, takes_the_configuration_of_a_package_with_pending_triggers) {
  if (!fs::exists("/var/lib/dpkg/status")) {
    SKIP_OR_FAIL("needs dpkg");
  }
  install_toy();
  write_file("/var/lib/dpkg/status",
             std::regex_replace(read_file("/var/lib/dpkg/status"),
                                std::regex("(Package: toy\nStatus: install ok )installed"),
                                "$1triggers-pending"));
  EXPECT_EQ(0, run_script("virtfs", {"-q", "-p", "toy", "-p", "sh", "one.com"}).status);
  EXPECT_EQ("open\n", read_file("/virtual/one.com/etc/toy/conf"));
}

/// The account of a daemon may own a directory of its package, and can exchange its contents.
TEST_P(Virtfs, takes_no_secret_that_a_packages_directory_is_exchanged_for) {
  if (!fs::exists("/var/lib/dpkg/status")) {
    SKIP_OR_FAIL("needs dpkg");
  }
  install_toy();
  write_file("/scratch/secret/file", "hush-hush\n");
  fs::permissions("/scratch/secret", fs::perms::owner_all);
  write_file("/etc/toy/inside/file", "open\n");
  fs::create_symlink("/scratch/secret", "/etc/toy/other");
  const testing_support::BackgroundProcess exchanger(testing_support::command_of(
      {testing_support::kService, "exchange", "/etc/toy/inside", "/etc/toy/other"}));
  for (int turn = 0; turn < 10; ++turn) {
    const std::string name = "turn" + std::to_string(turn);
    EXPECT_EQ(0, run_script("virtfs", {"-q", "-p", "toy", "-p", "sh", name}).status);
    EXPECT_EQ("", files_with("/virtual/" + name, "hush-hush"));
  }
  fs::remove_all("/scratch");
}

TEST_P(Virtfs, takes_helper_programs_whose_paths_a_program_contains) {
  testing_support::make_writable("/usr");
  fs::create_directories("/usr/lib/service/bin");
  fs::create_directories("/usr/libexec/service");
  write_program("/usr/bin/front", "#!/bin/sh\nexec /usr/libexec/service/second\n");
  write_program("/usr/libexec/service/second", "#!/bin/sh\n/usr/lib/service/bin/third;\n");
  write_program("/usr/lib/service/bin/third", "#!/bin/sh\n");
  write_program("/usr/lib/service/bin/other", "#!/bin/sh\n");
  make({"-p", "front", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/libexec/service/second"));
  EXPECT_TRUE(fs::exists("/virtual/one.com/usr/lib/service/bin/third"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/lib/service/bin/other"));
}

TEST_P(Virtfs, names_the_machine_after_the_domain) {
  make({"-p", "busybox", "-a", "10.10.10.129", "-f", "/virtual/conf", "-a", "2001:db8::81", "-f",
        "/virtual/conf", "one.com"});
  EXPECT_EQ("one.com\n", read_file("/virtual/one.com/etc/hostname"));
  EXPECT_EQ("one.com\n", read_file("/virtual/one.com/etc/mailname"));
  EXPECT_EQ(
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
      "10.10.10.129\tone.com " +
          host_name() + "\n2001:db8::81\tone.com " + host_name() + "\n",
      read_file("/virtual/one.com/etc/hosts"));
}

TEST_P(Virtfs, copies_the_resolvers_configuration) {
  testing_support::make_writable("/etc");
  fs::remove("/etc/resolv.conf");
  write_file("/run/resolv.conf", "nameserver 192.0.2.53\n");
  fs::create_symlink("/run/resolv.conf", "/etc/resolv.conf");
  make({"-p", "busybox", "one.com"});
  EXPECT_FALSE(fs::is_symlink("/virtual/one.com/etc/resolv.conf"));
  EXPECT_EQ("nameserver 192.0.2.53\n", read_file("/virtual/one.com/etc/resolv.conf"));
}

TEST_P(Virtfs, takes_no_credentials_of_the_environment) {
  testing_support::make_writable("/etc");
  write_file("/etc/environment",
             "PATH=/usr/bin:/bin\nhttp_proxy=http://bob:hunter2@proxy.example:3128/\n");
  make({"-p", "passwd", "one.com"});
  EXPECT_EQ("PATH=/usr/bin:/bin\n", read_file("/virtual/one.com/etc/environment"));
}

TEST_P(Virtfs, takes_no_configuration_that_only_root_can_reach) {
  testing_support::make_writable("/etc");
  write_file("/run/private/secret", "hush-hush\n");
  ASSERT_EQ(0, ::chmod("/run/private", 0700));
  for (const char* name : {"/etc/host.conf", "/etc/resolv.conf", "/etc/localtime"}) {
    fs::remove(name);
    fs::create_symlink("/run/private/secret", name);
  }
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("", files_with("/virtual/one.com", "hush-hush"));
}

TEST_P(Virtfs, makes_a_domain_that_virtuald_t_accepts) {
  make({"-p", "ls", "-a", "10.0.0.1", "-f", "/virtual/conf", "one.com"});
  const Outcome outcome =
      testing_support::run({testing_support::kVirtuald, "-t", "/virtual/conf", "ls"});
  EXPECT_EQ("/virtual/conf: entries: 1, errors: 0, warnings: 0\n", outcome.output + outcome.errors);
}

// ---- Names with characters that are special to the programs that the script uses.

const char* const kOddDirectories[] = {"/run/a,b", "/run/a&b", "/run/a\\tb", "/run/a[b",
                                       "/run/a/../a*b"};

TEST_P(Virtfs, makes_a_domain_in_a_directory_of_any_name) {
  for (const std::string directory : kOddDirectories) {
    make({"-d", directory, "-p", "ls", "-a", "10.0.0.1", "-f", directory + "/conf", "one.com"});
    EXPECT_EQ("10.0.0.1 " + directory + "/one.com\n", read_file(directory + "/conf"));
    EXPECT_TRUE(fs::exists(directory + "/one.com/etc/passwd"));
    EXPECT_EQ((std::set<std::string>{"conf", "one.com"}), names_in(directory));
    fs::remove_all(directory);
  }
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, repeats_virtualds_reason_in_a_directory_of_any_name) {
  for (const std::string directory : kOddDirectories) {
    write_file(directory + "/conf", "nonsense\n");
    const Outcome outcome = run_script(
        "virtfs",
        {"-d", directory, "-p", "busybox", "-a", "10.0.0.1", "-f", directory + "/conf", "one.com"});
    EXPECT_EQ("virtfs: " + fs::canonical(directory + "/conf").string() +
                  ": 10.0.0.1: line 1: nonsense is not an address\n",
              outcome.errors);
  }
}

TEST_P(Virtfs, takes_a_program_with_a_quote_in_its_name) {
  write_program("/run/it's", read_file("/bin/busybox"));
  make({"-p", "/run/it's", "one.com"});
  EXPECT_TRUE(fs::exists("/virtual/one.com/run/it's"));
}

// ---- The numbers of users.

/// Starts a run in its own process group.
pid_t start_group(Command command) {
  command.prepare = [] { ::setpgid(0, 0); };
  const testing_support::Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t pid = testing_support::start(command, null.get(), null.get(), null.get());
  ::setpgid(pid, pid);
  return pid;
}

/// Whether a run has begun to make the root itself.
bool root_is_being_made() {
  const auto entries = fs::directory_iterator("/virtual");
  return std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return entry.path().filename().string().starts_with(".virtfs.") &&
           fs::exists(entry.path() / "root/dev");
  });
}

class VirtfsNumbers : public Virtfs {
 protected:
  /// Makes a domain of one program with these settings.
  [[nodiscard]] Outcome make_with(const std::map<std::string, std::string>& settings,
                                  const std::vector<std::string>& arguments = {"one.com"}) const {
    Command command = script("virtfs", {"-q", "-p", "busybox"});
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    for (const auto& [name, value] : settings) {
      (*command.environment)[name] = value;
    }
    return testing_support::run(command);
  }
};

TEST_P(VirtfsNumbers, differ_from_domain_to_domain) {
  make({"-p", "useradd", "one.com"});
  make({"-p", "useradd", "two.com"});
  for (const char* domain : {"one.com", "two.com"}) {
    ASSERT_EQ(0, run_in(domain, {"useradd", "-M", "bob"}).status);
  }
  EXPECT_TRUE(testing_support::contains(read_file("/virtual/one.com/etc/passwd"),
                                        "\nbob:x:524032:524032:"));
  EXPECT_TRUE(testing_support::contains(read_file("/virtual/two.com/etc/passwd"),
                                        "\nbob:x:523776:523776:"));
}

TEST_P(VirtfsNumbers, are_in_every_file_that_sets_them) {
  testing_support::make_writable("/etc");
  write_file("/etc/adduser.conf", "# FIRST_UID=1\nFIRST_UID=1000\nDSHELL=/bin/bash\n#LAST_UID=9\n");
  make({"-p", "busybox", "one.com"});
  for (const char* name : {"UID", "GID"}) {
    EXPECT_EQ("524032", setting("one.com", "login.defs", std::string(name) + "_MIN"));
    EXPECT_EQ("524287", setting("one.com", "login.defs", std::string(name) + "_MAX"));
    EXPECT_EQ("0", setting("one.com", "login.defs", "SUB_" + std::string(name) + "_COUNT"));
    EXPECT_EQ("524032", setting("one.com", "adduser.conf", "FIRST_" + std::string(name)));
    EXPECT_EQ("524287", setting("one.com", "adduser.conf", "LAST_" + std::string(name)));
  }
  EXPECT_EQ("/bin/bash", setting("one.com", "adduser.conf", "DSHELL"));
  EXPECT_EQ("0:0 0644", access_of("/virtual/one.com/etc/login.defs"));
}

/// By default useradd gives a new system account the number before the first user's, which is
/// another domain's.
TEST_P(VirtfsNumbers, of_system_accounts_are_below_those_of_users) {
  make({"-p", "useradd", "-p", "groupadd", "one.com"});
  ASSERT_EQ(0, run_in("one.com", {"useradd", "-M", "-r", "daemon2"}).status);
  ASSERT_EQ(0, run_in("one.com", {"groupadd", "-r", "group2"}).status);
  for (const char* line : {"passwd:daemon2:x:", "group:group2:x:"}) {
    const std::string file = std::string(line).substr(0, std::string(line).find(':'));
    const std::string start = "\n" + std::string(line).substr(file.size() + 1);
    const std::string text = read_file("/virtual/one.com/etc/" + file);
    ASSERT_NE(std::string::npos, text.find(start)) << text;
    EXPECT_LT(std::stoul(text.substr(text.find(start) + start.size())), 1000U) << text;
  }
}

TEST_P(VirtfsNumbers, are_given_if_the_host_has_no_login_defs) {
  testing_support::make_writable("/etc");
  fs::remove("/etc/login.defs");
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("524032-524287", numbers_of("one.com"));
}

TEST_P(VirtfsNumbers, are_not_given_to_users_again_as_subordinate_numbers) {
  testing_support::make_writable("/etc");
  write_file("/etc/subuid", "ann:100000:65536\n");
  write_file("/etc/subgid", "ann:100000:65536\n");
  make({"-p", "useradd", "one.com"});
  const Outcome outcome = run_in("one.com", {"useradd", "-M", "bob"});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ("", read_file("/virtual/one.com/etc/subuid"));
  EXPECT_EQ("", read_file("/virtual/one.com/etc/subgid"));
}

TEST_P(VirtfsNumbers, are_not_among_those_that_the_host_has_given_away) {
  testing_support::make_writable("/etc");
  write_file("/etc/subuid", "ann:500000:24288\n");
  write_file("/etc/subgid", "ann:480000:10000\n");
  write_file("/etc/passwd", read_file("/etc/passwd") + "ann:x:479900:479500::/:/bin/sh\n");
  write_file("/etc/group", read_file("/etc/group") + "ann:x:499800:\n");
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("499456-499711", numbers_of("one.com"));  // below 500000, and without 499800
  const Outcome outcome = make_with({{"UID_RANGE", "479488-490015"}}, {"two.com"});
  EXPECT_EQ(1, outcome.status) << outcome.errors;
}

TEST_P(VirtfsNumbers, are_recorded_outside_of_the_domain) {
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("numbers:524032:524287", first_line(read_file("/virtual/.virtfs/one.com")));
  EXPECT_EQ("0:0 0700", access_of("/virtual/.virtfs"));
  write_file("/virtual/one.com/etc/login.defs", "UID_MIN 65536\nUID_MAX 524287\n");
  make({"-p", "busybox", "two.com"});
  EXPECT_EQ("523776-524031", numbers_of("two.com"));
}

TEST_P(VirtfsNumbers, are_the_same_for_a_domain_that_is_made_again) {
  make({"-p", "busybox", "one.com"});
  make({"-p", "busybox", "two.com"});
  fs::remove_all("/virtual/one.com");
  make({"-p", "busybox", "three.com"});
  EXPECT_EQ("523520-523775", numbers_of("three.com"));
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("524032-524287", numbers_of("one.com"));
}

TEST_P(VirtfsNumbers, come_back_whatever_the_caller_calls_correct) {
  make({"-q", "-p", "busybox", "one.com"});
  make({"-q", "-p", "busybox", "two.com"});
  const std::string before = numbers_of("one.com");
  fs::remove_all("/virtual/one.com");
  Command command = script("virtfs", {"-q", "-p", "busybox", "one.com"});
  (*command.environment)["POSIXLY_CORRECT"] = "1";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ(before, numbers_of("one.com"));
}

TEST_P(VirtfsNumbers, are_not_given_twice_to_domains_made_at_the_same_time) {
  const pid_t pid = start_group(script("virtfs", {"-q", "-p", "ls", "one.com"}));
  ASSERT_TRUE(testing_support::eventually(root_is_being_made));
  ::kill(-pid, SIGSTOP);
  make({"-q", "-p", "busybox", "two.com"});
  ::kill(-pid, SIGCONT);
  EXPECT_EQ(0, testing_support::wait_for(pid));
  EXPECT_EQ("524032-524287", numbers_of("one.com"));
  EXPECT_EQ("523776-524031", numbers_of("two.com"));
}

TEST_P(VirtfsNumbers, suffice_for_more_than_a_thousand_domains) {
  for (int domain = 0; domain < 1791; ++domain) {
    const int first = 524032 - domain * 256;
    const std::string name = std::to_string(domain) + ".com";
    fs::create_directory("/virtual/" + name);
    write_file("/virtual/.virtfs/" + name,
               "numbers:" + std::to_string(first) + ":" + std::to_string(first + 255) + "\n");
  }
  make({"-p", "busybox", "one.com"});
  EXPECT_EQ("65536-65791", numbers_of("one.com"));
  const Outcome outcome = make_with({}, {"two.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(
      "virtfs: two.com: no 256 consecutive numbers are free for its users in UID_RANGE "
      "65536-524287\n",
      outcome.errors);
  EXPECT_FALSE(names_in("/virtual").contains("two.com"));
}

TEST_P(VirtfsNumbers, are_taken_from_the_range_that_is_set) {
  const Outcome outcome =
      make_with({{"UID_RANGE", "1900000000-1900099999"}, {"UIDS_PER_DOMAIN", "10000"}});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ("1900090000-1900099999", numbers_of("one.com"));
}

TEST_P(VirtfsNumbers, are_not_taken_from_an_invalid_range) {
  for (const char* range : {"", "5", "a-b", "5-", "-5", "9-5", "1-2-3", "0-70000", "08-70000",
                            "1000-4294967296", "99999999999999999999-99999999999999999999"}) {
    const Outcome outcome = make_with({{"UID_RANGE", range}});
    EXPECT_EQ(*range == '\0' ? 0 : 1, outcome.status) << range;
    if (*range != '\0') {
      EXPECT_EQ("virtfs: UID_RANGE " + std::string(range) +
                    ": not a range of numbers such as 65536-524287\n",
                outcome.errors);
    }
  }
  for (const char* count : {"0", "x", "-1", "010", "458753", "99999999999999999999"}) {
    const Outcome outcome = make_with({{"UIDS_PER_DOMAIN", count}}, {"two.com"});
    EXPECT_EQ("virtfs: UIDS_PER_DOMAIN " + std::string(count) +
                  ": not a number from 1 to the size of UID_RANGE\n",
              outcome.errors);
  }
}

TEST_P(VirtfsNumbers, differ_from_those_in_other_leading_directories) {
  make({"-p", "busybox", "one.com"});
  const Outcome outcome =
      make_with({{"LEADING", "/virtual /run/disk"}}, {"-d", "/run/disk", "two.com"});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ("numbers:523776:524031", first_line(read_file("/run/disk/.virtfs/two.com")));
}

TEST_P(VirtfsNumbers, of_a_run_that_failed_are_free_again) {
  fs::create_directories("/virtual/small");
  ASSERT_EQ(0, ::mount("tmpfs", "/virtual/small", "tmpfs", 0, "mode=0755,size=2m"));
  ASSERT_EQ(1, run_script("virtfs", {"-d", "/virtual/small", "-p", "ls", "one.com"}).status);
  EXPECT_TRUE(fs::is_empty("/virtual/small/.virtfs"));
}

/// No other user must be able to hold the lock that a run waits for.
TEST_P(VirtfsNumbers, are_given_even_if_another_user_locks_the_leading_directory) {
  const testing_support::Descriptor directory(::open("/virtual", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(0, ::flock(directory.get(), LOCK_EX));
  make({"-p", "busybox", "one.com"});
}

// ---- All or nothing.

TEST_P(Virtfs, leaves_nothing_when_space_runs_out) {
  fs::create_directories("/virtual/small");
  ASSERT_EQ(0, ::mount("tmpfs", "/virtual/small", "tmpfs", 0, "mode=0755,size=2m"));
  const Outcome outcome = run_script("virtfs", {"-d", "/virtual/small", "-p", "ls", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_NE(outcome.errors.find("No space left on device"), std::string::npos);
  EXPECT_NE(outcome.errors.find("failed, so /virtual/small/one.com was not made\n"),
            std::string::npos);
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual/small"));
}

bool group_is_gone(pid_t group) {
  return ::kill(-group, 0) != 0;
}

TEST_P(Virtfs, leaves_nothing_whenever_it_is_killed) {
  const Command command = script("virtfs", {"-q", "-p", "ls", "-p", "passwd", "one.com"});
  const auto started = std::chrono::steady_clock::now();
  ASSERT_EQ(0, testing_support::run(command).status);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started);
  remove_domain("one.com");
  std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> moments(0, took.count());
  const int signals[] = {SIGTERM, SIGINT, SIGHUP};
  int killed = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const std::chrono::milliseconds moment{moments(random)};
    const pid_t pid = start_group(command);
    std::this_thread::sleep_for(moment);
    ::kill(-pid, signals[attempt % 3]);
    const int status = testing_support::wait_for(pid);
    ASSERT_TRUE(testing_support::eventually([pid] { return group_is_gone(pid); }));
    if (status == 0) {
      EXPECT_EQ(std::set<std::string>{"one.com"}, names_in("/virtual"));
      EXPECT_EQ(0, run_in("one.com", {"ls", "/etc/hostname"}).status);
      remove_domain("one.com");
    } else {
      ++killed;
      EXPECT_EQ(std::set<std::string>(), names_in("/virtual"))
          << "after " << moment.count() << " ms";
    }
  }
  EXPECT_GT(killed, 0);
}

TEST_P(Virtfs, clears_what_a_killed_run_left) {
  const pid_t pid = start_group(script("virtfs", {"-q", "-p", "ls", "one.com"}));
  ASSERT_TRUE(testing_support::eventually(root_is_being_made));
  ::kill(-pid, SIGKILL);
  testing_support::wait_for(pid);
  ASSERT_TRUE(testing_support::eventually([pid] { return group_is_gone(pid); }));
  ASSERT_TRUE(root_is_being_made());
  make({"-q", "-p", "ls", "two.com"});
  EXPECT_EQ(std::set<std::string>{"two.com"}, names_in("/virtual"));
}

TEST_P(Virtfs, leaves_alone_the_root_that_another_run_is_making) {
  const pid_t pid = start_group(script("virtfs", {"-q", "-p", "ls", "one.com"}));
  ASSERT_TRUE(testing_support::eventually(root_is_being_made));
  ::kill(-pid, SIGSTOP);
  make({"-q", "-p", "busybox", "two.com"});
  ::kill(-pid, SIGCONT);
  EXPECT_EQ(0, testing_support::wait_for(pid));
  EXPECT_EQ((std::set<std::string>{"one.com", "two.com"}), names_in("/virtual"));
}

TEST_P(Virtfs, gives_way_to_a_run_that_made_the_same_domain_first) {
  const pid_t pid = start_group(script("virtfs", {"-q", "-p", "ls", "one.com"}));
  ASSERT_TRUE(testing_support::eventually(root_is_being_made));
  ::kill(-pid, SIGSTOP);
  make({"-q", "-p", "busybox", "one.com"});
  ::kill(-pid, SIGCONT);
  EXPECT_EQ(1, testing_support::wait_for(pid));
  EXPECT_EQ(std::set<std::string>{"one.com"}, names_in("/virtual"));
  EXPECT_FALSE(fs::exists("/virtual/one.com/usr/bin/ls"));
}

TEST_P(Virtfs, follows_no_link_that_looks_like_a_leftover) {
  write_file("/run/precious/file", "kept\n");
  fs::create_symlink("/run/precious", "/virtual/.virtfs.abcdef");
  make({"-q", "-p", "busybox", "one.com"});
  EXPECT_EQ("kept\n", read_file("/run/precious/file"));
}

TEST_P(Virtfs, truncates_nothing_that_a_leftover_leads_to) {
  write_file("/run/precious", "kept\n");
  fs::create_directory("/virtual/.virtfs.abcdef");
  fs::create_symlink("/run/precious", "/virtual/.virtfs.abcdef/lock");
  make({"-q", "-p", "busybox", "one.com"});
  EXPECT_EQ("kept\n", read_file("/run/precious"));
  EXPECT_EQ(std::set<std::string>{"one.com"}, names_in("/virtual"));
}

TEST_P(Virtfs, leftover_that_cannot_be_removed_stops_no_run) {
  fs::create_directories("/virtual/.virtfs.abcdef/disk");
  ASSERT_EQ(0, ::mount("tmpfs", "/virtual/.virtfs.abcdef/disk", "tmpfs", 0, nullptr));
  const Outcome outcome = run_script("virtfs", {"-q", "-p", "busybox", "one.com"});
  ::umount("/virtual/.virtfs.abcdef/disk");
  EXPECT_EQ(0, outcome.status);
  EXPECT_NE(outcome.errors.find("virtfs: /virtual/.virtfs.abcdef: left by an interrupted run, and "
                                "cannot be removed\n"),
            std::string::npos)
      << outcome.errors;
}

/// With it, cd finds directories elsewhere.
TEST_P(Virtfs, works_in_no_directory_that_cdpath_names) {
  fs::create_directories("/run/elsewhere/home");
  Command command = script("virtfs", {"-q", "-p", "busybox", "one.com"});
  (*command.environment)["CDPATH"] = "/run/elsewhere";
  EXPECT_EQ(0, testing_support::run(command).status);
  EXPECT_TRUE(fs::is_empty("/run/elsewhere/home"));
  EXPECT_TRUE(fs::exists("/virtual/one.com/home/a"));
}

TEST_P(Virtfs, leaves_no_draft_that_nobody_reads) {
  const Command command = script("virtfs", {"-n", "-p", "busybox", "one.com"});
  std::vector<std::string> arguments = {"sh", "-c", "\"$@\" | :", "sh"};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  static_cast<void>(testing_support::run(arguments));
  EXPECT_TRUE(fs::is_empty("/tmp"));
}

// ---- The configuration.

TEST_P(Virtfs, appends_the_line_to_the_configuration) {
  write_file("/virtual/conf", "# ours\n10.0.0.1 /virtual/two.com");
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ("# ours\n10.0.0.1 /virtual/two.com\n10.0.0.2 /virtual/one.com\n",
            read_file("/virtual/conf"));
  EXPECT_EQ((std::set<std::string>{"conf", "one.com"}), names_in("/virtual"));
}

TEST_P(Virtfs, puts_the_line_before_the_default) {
  write_file("/virtual/conf", "10.0.0.1 /virtual/two.com\ndefault /\n# end\n");
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ("10.0.0.1 /virtual/two.com\n10.0.0.2 /virtual/one.com\ndefault /\n# end\n",
            read_file("/virtual/conf"));
}

TEST_P(Virtfs, makes_a_missing_configuration) {
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ("10.0.0.2 /virtual/one.com\n", read_file("/virtual/conf"));
  EXPECT_EQ("0:0 0644", access_of("/virtual/conf"));
}

TEST_P(Virtfs, appends_to_several_configurations) {
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/ftp", "-a", "fd00::2", "-f",
        "/virtual/ftp", "-a", "10.0.0.2", "-f", "/virtual/pop", "one.com"});
  EXPECT_EQ("10.0.0.2 /virtual/one.com\nfd00::2 /virtual/one.com\n", read_file("/virtual/ftp"));
  EXPECT_EQ("10.0.0.2 /virtual/one.com\n", read_file("/virtual/pop"));
}

TEST_P(Virtfs, appends_to_configurations_with_spaces_in_their_names) {
  make({"-q", "-p", "busybox", "-a", "10.0.0.1", "-f", "/virtual/conf of ftp", "-a", "10.0.0.2",
        "-f", "/virtual/conf of pop", "-a", "10.0.0.3", "-f", "/virtual/conf of ftp", "one.com"});
  EXPECT_EQ("10.0.0.1 /virtual/one.com\n10.0.0.3 /virtual/one.com\n",
            read_file("/virtual/conf of ftp"));
  EXPECT_EQ("10.0.0.2 /virtual/one.com\n", read_file("/virtual/conf of pop"));
  make({"-q", "-m", "one.com", "two.com"});
  EXPECT_EQ("10.0.0.2 /virtual/two.com\n", read_file("/virtual/conf of pop"));
  make({"-q", "-r", "two.com"});
  EXPECT_EQ("", read_file("/virtual/conf of ftp"));
  EXPECT_EQ((std::set<std::string>{"conf of ftp", "conf of pop"}), names_in("/virtual"));
}

/// The reader ends before the lines are added, as head does.
TEST_P(Virtfs, adds_all_lines_though_nobody_reads_what_it_says) {
  const Command command =
      script("virtfs", {"-p", "busybox", "-a", "10.0.0.1", "-f", "/virtual/conf.ftp", "-a",
                        "10.0.0.2", "-f", "/virtual/conf.pop", "one.com"});
  std::vector<std::string> arguments = {"sh", "-c", "\"$@\" | sed '/^Try/q'", "sh"};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  Command piped = testing_support::command_of(arguments);
  piped.environment = command.environment;
  static_cast<void>(testing_support::run(piped));
  EXPECT_EQ("10.0.0.1 /virtual/one.com\n", read_file("/virtual/conf.ftp"));
  EXPECT_EQ("10.0.0.2 /virtual/one.com\n", read_file("/virtual/conf.pop"));
}

TEST_P(Virtfs, replaces_the_configuration_by_renaming_and_keeps_its_mode) {
  write_file("/virtual/conf", "# ours\n");
  ::chmod("/virtual/conf", 0600);
  const ino_t before = inode_of("/virtual/conf");
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/conf", "one.com"});
  EXPECT_NE(inode_of("/virtual/conf"), before);
  EXPECT_EQ("0:0 0600", access_of("/virtual/conf"));
}

TEST_P(Virtfs, clears_the_copy_of_a_configuration_that_a_killed_run_left) {
  write_file("/virtual/.virtfs.conf.4194305", "# half of it");
  write_file("/virtual/.virtfs.conf.4194305.Ab3dEf", "# half of it");
  make({"-p", "busybox", "-a", "10.0.0.2", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ((std::set<std::string>{"conf", "one.com"}), names_in("/virtual"));
}

TEST_P(Virtfs, refuses_an_address_that_the_configuration_already_has) {
  write_file("/virtual/conf", "2001:DB8:0::81 /virtual/two.com\n");
  const Outcome outcome = run_script(
      "virtfs", {"-p", "busybox", "-a", "2001:db8::81", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: /virtual/conf: already has 2001:db8::81, for /virtual/two.com\n",
            outcome.errors);
  EXPECT_EQ(std::set<std::string>{"conf"}, names_in("/virtual"));
}

TEST_P(Virtfs, refuses_an_address_that_is_given_twice_for_one_configuration) {
  const Outcome outcome =
      run_script("virtfs", {"-p", "busybox", "-a", "10.0.0.1", "-f", "/virtual/conf", "-a",
                            "10.0.0.1", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, refuses_a_word_that_is_not_an_address) {
  const Outcome outcome =
      run_script("virtfs", {"-p", "busybox", "-a", "10.0.0.256", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_NE(outcome.errors.find("10.0.0.256: not an address"), std::string::npos) << outcome.errors;
  EXPECT_EQ(std::set<std::string>(), names_in("/virtual"));
}

TEST_P(Virtfs, refuses_a_configuration_that_is_broken) {
  write_file("/virtual/conf", "default /srv\nnonsense\n");
  const Outcome outcome =
      run_script("virtfs", {"-p", "busybox", "-a", "10.0.0.1", "-f", "/virtual/conf", "one.com"});
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ("virtfs: /virtual/conf: 10.0.0.1: line 2: nonsense is not an address\n",
            outcome.errors);
  EXPECT_EQ("default /srv\nnonsense\n", read_file("/virtual/conf"));
  EXPECT_EQ(std::set<std::string>{"conf"}, names_in("/virtual"));
}

TEST_P(Virtfs, takes_addresses_and_configurations_only_in_pairs) {
  EXPECT_EQ("virtfs: -a 10.0.0.1: no -f for it",
            first_line(run_script("virtfs", {"-a", "10.0.0.1", "one.com"}).errors));
  for (const std::string address : {"", "10.0.0.1 10.0.0.2"}) {
    EXPECT_EQ(
        "virtfs: -a " + address + ": not an address",
        first_line(run_script("virtfs", {"-a", address, "-f", "/virtual/conf", "one.com"}).errors));
  }
  EXPECT_EQ("virtfs: -f /virtual/conf: no -a before it",
            first_line(run_script("virtfs", {"-f", "/virtual/conf", "one.com"}).errors));
}

// ---- The whole of a host. The host is a small one, made for the test.

constexpr const char* kHash = "$6$saltsalt$hashOfTheHost0123456789";

class VirtfsWhole : public Virtfs {
 protected:
  void SetUp() override {
    Virtfs::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    const std::vector<std::string> programs = testing_support::install_programs("/run/host");
    ASSERT_EQ(0, ::sethostname("little-host", 11));
    std::vector<std::string> arguments = {"-q"};
    for (const std::string& program : programs) {
      arguments.insert(arguments.end(), {"-p", program});
    }
    for (const char* program :
         {"awk",     "cmp",      "comm",     "cut",    "dd",    "sha256sum", "busybox",
          "cat",     "chmod",    "chown",    "chroot", "cp",    "dash",      "date",
          "dirname", "du",       "env",      "find",   "flock", "grep",      "head",
          "id",      "ldconfig", "ln",       "ls",     "mkdir", "mknod",     "mktemp",
          "mv",      "passwd",   "readlink", "rm",     "sed",   "setpriv",   "sh",
          "sort",    "stat",     "su",       "uname",  "tr",    "xargs"}) {
      arguments.insert(arguments.end(), {"-p", program});
    }
    arguments.emplace_back("host");
    make(arguments);
    for (const char* directory : {"bin", "share"}) {
      fs::create_directories(host("usr/local"));
      fs::copy(std::string(testing_support::kSourceDirectory) + "/scripts/" + directory,
               host("usr/local") / directory, fs::copy_options::recursive);
    }
    // The word "host" alone is in many files.
    write_file(host("etc/hostname"), "little-host\n");
    write_file(host("etc/mailname"), "little-host\n");
    fs::create_directory(host("virtual"));
    ASSERT_EQ(0, ::mount("proc", host("proc").c_str(), "proc", 0, nullptr));
  }

  [[nodiscard]] static fs::path host(const std::string& path) {
    return fs::path("/virtual/host") / path;
  }

  /// The root of one.com, which make_whole makes.
  [[nodiscard]] static fs::path root(const std::string& path) {
    return fs::path("/virtual/host/virtual/one.com") / path;
  }

  [[nodiscard]] Command on_host(const std::string& name, std::vector<std::string> arguments) const {
    Command command = script("/usr/local/bin/" + name, arguments);
    command.arguments.insert(command.arguments.begin(), {"chroot", host("")});
    (*command.environment)["VIRTUALD"] = "/run/host/bin/virtuald";
    (*command.environment)["PATH"] = "/usr/sbin:/usr/bin";
    return command;
  }

  Outcome make_whole(std::vector<std::string> options = {}) const {
    options.emplace_back("one.com");
    Outcome outcome = testing_support::run(on_host("virtfs", options));
    EXPECT_EQ(0, outcome.status) << outcome.errors;
    return outcome;
  }

  [[nodiscard]] Outcome run_in_whole(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "one.com");
    return testing_support::run(on_host("virtexec", arguments));
  }

  /// Moves a library that ls needs to a directory of its own.
  void move_library() const {
    const Outcome found =
        testing_support::run({"find", host("usr/lib"), "-name", "libpcre2-8.so.0"});
    const fs::path library = first_line(found.output);
    if (library.empty()) {
      SKIP_OR_FAIL("ls needs no libpcre2 here");
    }
    fs::create_directories(host("usr/lib/private"));
    fs::rename(library, host("usr/lib/private/libpcre2-8.so.0"));
    write_file(host("etc/ld.so.conf"), "/usr/lib/private\n");
    ASSERT_EQ(0, testing_support::run({"chroot", host(""), "ldconfig"}).status);
  }

  /// Adds a program to the host.
  void add_program(const std::string& path, const std::string& text, mode_t mode = 0755) const {
    write_file(host(path), text);
    ASSERT_EQ(0, ::chmod(host(path).c_str(), mode));
  }
};

TEST_P(VirtfsWhole, runs_the_hosts_programs) {
  make_whole();
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
  EXPECT_EQ("42\n", run_in_whole({"awk", "BEGIN { print 6 * 7 }"}).output);
}

TEST_P(VirtfsWhole, has_the_directories_of_daemons_without_their_contents) {
  struct Place {
    const char* path;
    uid_t owner;
    gid_t group;
    mode_t mode;
  };
  constexpr uid_t kDaemon = 120;
  write_file(host("etc/passwd"),
             read_file(host("etc/passwd")) + "popd:x:120:120::/var/lib/pop/home:/bin/false\n");
  write_file(host("etc/group"), read_file(host("etc/group")) + "popd:x:120:\n");
  const std::vector<Place> places = {{"var/lib/pop/home", kDaemon, kDaemon, 0700},
                                     {"var/lib/store", kDaemon, 0, 0750},
                                     {"var/log/popd", 0, kDaemon, 02750},
                                     {"var/spool/queue", 0, 0, 0700},
                                     {"var/spool/queue/active", kDaemon, kDaemon, 01730}};
  for (const Place& place : places) {
    write_file(host(place.path) / "mail", "of the host\n");
    ASSERT_EQ(0, ::chown(host(place.path).c_str(), place.owner, place.group));
    ASSERT_EQ(0, ::chmod(host(place.path).c_str(), place.mode));
  }
  for (const char* persons : {"var/lib/bob", "var/spool/bob", "var/spool/queue/bob"}) {
    fs::create_directories(host(persons));
    ASSERT_EQ(0, ::chown(host(persons).c_str(), 1000, 1000));
  }

  make_whole();
  for (const Place& place : places) {
    struct stat status {};
    ASSERT_EQ(0, ::stat(root(place.path).c_str(), &status)) << place.path;
    EXPECT_EQ(place.owner, status.st_uid) << place.path;
    EXPECT_EQ(place.group, status.st_gid) << place.path;
    EXPECT_EQ(place.mode, status.st_mode & 07777) << place.path;
    EXPECT_FALSE(fs::exists(root(place.path) / "mail")) << place.path;
  }
  for (const char* left_out : {"var/lib/bob", "var/spool/bob", "var/spool/queue/bob"}) {
    EXPECT_FALSE(fs::exists(root(left_out))) << left_out;
  }
  EXPECT_EQ("/virtual/one.com: up to date\n",
            testing_support::run(on_host("virtfs", {"-u", "one.com"})).output);
}

TEST_P(VirtfsWhole, is_updated_as_it_was_made) {
  ASSERT_EQ(0, make_whole().status);
  Outcome outcome = testing_support::run(on_host("virtfs", {"-u", "one.com"}));
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("/virtual/one.com: up to date\n", outcome.output);
  write_program(host("usr/bin/hello"), "#!/bin/sh\necho newer\n");
  outcome = testing_support::run(on_host("virtfs", {"-u", "one.com"}));
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("Updated /virtual/one.com\n", outcome.output);
  EXPECT_EQ("newer\n", run_in_whole({"hello"}).output);
}

TEST_P(VirtfsWhole, changes_a_password) {
  make_whole();
  write_file(root("etc/passwd"),
             read_file(root("etc/passwd")) + "bob:x:1000:100::/home/b/bob:/bin/sh\n");
  write_file(root("etc/shadow"), read_file(root("etc/shadow")) + "bob:*:19000:0:99999:7:::\n");
  Command command = on_host("virtexec", {"one.com", "passwd", "bob"});
  command.input = "of domain one\nof domain one\n";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_NE(read_file(root("etc/shadow")).find("\nbob:$"), std::string::npos);
}

TEST_P(VirtfsWhole, follows_the_hosts_alternatives) {
  add_program("usr/bin/show.basic", "#!/bin/sh\necho shown\n");
  fs::create_directories(host("etc/alternatives"));
  fs::create_symlink("/usr/bin/show.basic", host("etc/alternatives/show"));
  fs::create_symlink("/etc/alternatives/show", host("usr/bin/show"));
  make_whole();
  EXPECT_EQ("shown\n", run_in_whole({"show"}).output);
}

TEST_P(VirtfsWhole, keeps_the_hosts_links_to_directories) {
  make_whole();
  for (const char* name : {"bin", "sbin", "lib"}) {
    if (fs::is_symlink(fs::path("/") / name)) {
      EXPECT_EQ(std::string("usr/") + name, fs::read_symlink(root(name)));
    }
  }
}

TEST_P(VirtfsWhole, copies_directories_of_a_host_whose_usr_is_not_merged) {
  fs::remove(host("sbin"));
  fs::create_directory(host("sbin"));
  add_program("sbin/here", "#!/bin/sh\necho here\n");
  make_whole();
  EXPECT_FALSE(fs::is_symlink(root("sbin")));
  EXPECT_EQ("here\n", run_in_whole({"/sbin/here"}).output);
}

TEST_P(VirtfsWhole, leaves_usr_local_out) {
  make_whole();
  EXPECT_FALSE(fs::exists(root("usr/local")));
}

TEST_P(VirtfsWhole, copies_libraries_from_a_directory_of_their_own) {
  move_library();
  if (IsSkipped()) {
    return;
  }
  const Outcome outcome = make_whole();
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
}

/// Plain su leaves a search path that lacks the directories for system programs.
TEST_P(VirtfsWhole, leads_the_loader_whatever_the_search_path) {
  move_library();
  Command command = on_host("virtfs", {"-q", "one.com"});
  (*command.environment)["PATH"] = "/usr/bin";
  EXPECT_EQ(0, testing_support::run(command).status);
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
}

TEST_P(VirtfsWhole, copies_libraries_whatever_dead_link_is_there) {
  fs::create_symlink("gone", host("usr/lib/dead.so"));
  write_file(host("usr/lib/living.so"), "");
  make_whole();
  EXPECT_TRUE(fs::exists(root("usr/lib/living.so")));
}

TEST_P(VirtfsWhole, has_libraries_that_a_program_finds_relative_to_itself) {
  build_origin(host("usr"));
  const Outcome outcome = make_whole();
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ("42\n", run_in_whole({"origin"}).output);
}

TEST_P(VirtfsWhole, is_made_as_the_dry_run_of_any_user_prints_it) {
  fs::permissions(host("tmp"), fs::perms(01777));
  add_program("usr/bin/mine", "#!/bin/sh\n", 0711);
  add_program("usr/bin/secret", "#!/bin/sh\n", 0700);
  add_program("usr/sbin/unix_chkpwd", "#!/bin/sh\n", 02755);
  add_program("usr/bin/game", "#!/bin/sh\n", 02755);
  write_file(host("etc/inputrc"), std::string("secret=") + kHash + "\n");
  write_file(host("usr/share/perl5/closed/Module.pm"), "1;\n");
  fs::permissions(host("usr/share/perl5/closed"), fs::perms(0555));
  expect_draft(on_host("virtfs", {"-q", "one.com"}), root(""), {"chroot", host("")});
  expect_draft(on_host("virtfs", {"-q", "-p", "ls", "-p", "game", "two.com"}),
               host("virtual/two.com"), {"chroot", host("")});
  EXPECT_TRUE(fs::is_empty(host("tmp")));
}

TEST_P(VirtfsWhole, is_printed_with_libraries_in_a_directory_of_their_own) {
  move_library();
  if (IsSkipped()) {
    return;
  }
  expect_draft(on_host("virtfs", {"-q", "one.com"}), root(""));
}

TEST_P(VirtfsWhole, names_a_program_that_would_not_start) {
  add_program("usr/bin/broken", "#!/opt/no-such-shell\n");
  const Outcome outcome = make_whole();
  EXPECT_EQ(
      "virtfs: exec /usr/bin/broken in /virtual/one.com: its interpreter "
      "/opt/no-such-shell is not there\n",
      outcome.errors);
}

TEST_P(VirtfsWhole, names_such_a_program_in_a_directory_of_any_name) {
  add_program("usr/bin/broken", "#!/opt/no-such-shell\n");
  for (const std::string directory : kOddDirectories) {
    fs::create_directories(host("run/a"));
    const Outcome outcome =
        testing_support::run(on_host("virtfs", {"-q", "-d", directory, "one.com"}));
    EXPECT_TRUE(testing_support::contains(
        outcome.errors, "virtfs: exec /usr/bin/broken in " + directory +
                            "/one.com: its interpreter /opt/no-such-shell is not there\n"))
        << outcome.errors;
  }
}

TEST_P(VirtfsWhole, takes_nothing_that_names_the_host) {
  write_file(host("etc/motd"), "Welcome to little-host!\n");
  write_file(host("etc/profile"), "PS1='little-host$ '\n");
  write_file(host("etc/profile.d/prompt.sh"), "PS1='little-host$ '\n");
  write_file(host("etc/hostname"), "little-host.example\n");
  write_file(host("etc/mailname"), "mail.example\n");
  write_file(host("etc/issue"), "mail.example\n");
  write_file(host("etc/hosts"), "127.0.1.1 little-host.example little-host\n");
  const Outcome outcome = make_whole();
  // Daemons look up the name that the kernel has, which is not a secret.
  EXPECT_EQ(root("etc/hosts").string() + "\n", files_with(root(""), "little-host"));
  EXPECT_EQ("", files_with(root(""), "mail.example"));
  EXPECT_TRUE(testing_support::contains(outcome.errors,
                                        "virtfs: etc/profile: it names this host: left out\n"))
      << outcome.errors;
}

/// A host's name may be a word of any configuration.
TEST_P(VirtfsWhole, keeps_what_programs_need_whatever_the_host_is_called) {
  const std::vector<std::string> names = {"pam.d/su",    "pam.d/login",  "pam.d/common-auth",
                                          "pam.d/other", "pam.d/passwd", "security/limits.conf",
                                          "login.defs",  "services",     "ld.so.conf"};
  for (const std::string& name : names) {
    write_file(host("etc") / name, "# auth, mail and unix\n");
  }
  for (const std::string name : {"auth", "mail.corp.example", "unix"}) {
    ASSERT_EQ(0, ::sethostname(name.c_str(), name.size()));
    make_whole();
    for (const std::string& file : names) {
      EXPECT_TRUE(fs::exists(root("etc") / file)) << file << " with " << name;
    }
    fs::remove_all(root(""));
  }
}

TEST_P(VirtfsWhole, says_what_it_leaves_out_when_quiet_too) {
  write_file(host("etc/profile"), "PS1='little-host$ '\n");
  const Outcome outcome = make_whole({"-q"});
  EXPECT_TRUE(testing_support::contains(outcome.errors,
                                        "virtfs: etc/profile: it names this host: left out\n"))
      << outcome.errors;
}

TEST_P(VirtfsWhole, takes_the_configuration_of_pam_for_ssh_and_sudo) {
  for (const char* name : {"sshd", "sudo", "sudo-i"}) {
    write_file(host("etc/pam.d") / name, "auth required pam_unix.so\n");
  }
  make_whole();
  for (const char* name : {"sshd", "sudo", "sudo-i"}) {
    EXPECT_TRUE(fs::exists(root("etc/pam.d") / name)) << name;
  }
}

TEST_P(VirtfsWhole, takes_the_files_that_pams_configuration_names) {
  write_file(host("etc/pam.d/ftp"), "auth required pam_listfile.so file=/etc/ftp-deny\n");
  write_file(host("etc/ftp-deny"), "root\n");
  make_whole();
  EXPECT_EQ("root\n", read_file(root("etc/ftp-deny")));
}

TEST_P(VirtfsWhole, takes_no_hash_of_a_password) {
  write_file(host("etc/shadow"), std::string("root:") + kHash + ":19000:0:99999:7:::\n");
  write_file(host("etc/shadow-"), std::string("root:") + kHash + ":19000:0:99999:7:::\n");
  write_file(host("etc/passwd-"), "root:x:0:0::/:/bin/sh\n");
  write_file(host("etc/inputrc"), std::string("secret=") + kHash + "\n");
  const Outcome outcome = make_whole();
  EXPECT_EQ("", files_with(root(""), kHash));
  EXPECT_FALSE(fs::exists(root("etc/passwd-")));
  EXPECT_TRUE(testing_support::contains(
      outcome.errors, "virtfs: etc/inputrc: it holds a key or a password: left out\n"))
      << outcome.errors;
}

TEST_P(VirtfsWhole, takes_no_key_and_no_secret) {
  const std::string key = "-----BEGIN PRIVATE KEY-----\nhush-hush\n";
  write_file(host("etc/ssl/certs/site.pem"), key);
  write_file(host("etc/ssl/certs/site.key"), "hush-hush\n");
  write_file(host("etc/ssl/private/site.pem"), key);
  write_file(host("etc/ssh/ssh_host_rsa_key"), key);
  write_file(host("etc/sudoers"), "bob ALL=(ALL) ALL\n");
  write_file(host("etc/machine-id"), "0123456789abcdef\n");
  write_file(host("etc/only-root.conf"), "hush-hush\n");
  ::chmod(host("etc/only-root.conf").c_str(), 0640);
  write_file(host("etc/default/only-root"), "hush-hush\n");
  ::chmod(host("etc/default/only-root").c_str(), 0600);
  write_file(host("etc/ssl/certs/ca-certificates.crt"), "-----BEGIN CERTIFICATE-----\n");
  make_whole();
  EXPECT_EQ("", files_with(root(""), "hush-hush"));
  for (const char* name : {"etc/ssh", "etc/sudoers", "etc/machine-id", "etc/ssl/private"}) {
    EXPECT_FALSE(fs::exists(root(name))) << name;
  }
  EXPECT_TRUE(fs::exists(root("etc/ssl/certs/ca-certificates.crt")));
}

TEST_P(VirtfsWhole, takes_nothing_that_only_root_can_reach) {
  write_file(host("root/secret"), "hush-hush\n");
  fs::create_symlink("/root/secret", host("etc/inputrc"));
  write_file(host("etc/terminfo/private/open"), "hush-hush\n");
  ASSERT_EQ(0, ::chmod(host("etc/terminfo/private").c_str(), 0700));
  write_file(host("usr/share/misc/private/open"), "hush-hush\n");
  ASSERT_EQ(0, ::chmod(host("usr/share/misc/private").c_str(), 0700));
  add_program("usr/bin/backup", "#!/bin/sh\npassword=hush-hush\n", 0700);
  const Outcome outcome = make_whole();
  EXPECT_EQ("", files_with(root(""), "hush-hush"));
  EXPECT_TRUE(testing_support::contains(
      outcome.errors, "virtfs: /usr/bin/backup: not everybody may read it: left out\n"))
      << outcome.errors;
}

TEST_P(VirtfsWhole, can_tell_what_everybody_may_read_without_setpriv) {
  fs::remove(host("usr/bin/setpriv"));
  write_file(host("etc/terminfo/private/open"), "hush-hush\n");
  ASSERT_EQ(0, ::chmod(host("etc/terminfo/private").c_str(), 0700));
  make_whole();
  EXPECT_EQ("", files_with(root(""), "hush-hush"));
  EXPECT_TRUE(fs::exists(root("etc/pam.d/passwd")));
}

TEST_P(VirtfsWhole, makes_nothing_if_it_cannot_tell_what_everybody_may_read) {
  fs::remove(host("usr/bin/setpriv"));
  fs::remove(host("usr/sbin/chroot"));
  Command command = on_host("virtfs", {"one.com"});
  command.arguments[0] = "/usr/sbin/chroot";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(
      "virtfs: setpriv: not found, nor a chroot that takes --userspec: cannot tell which files "
      "everybody "
      "may read\n",
      outcome.errors);
  EXPECT_FALSE(fs::exists(root("")));
}

/// virtfs tests with numbers that no user has, because nobody's files are not everybody's.
TEST_P(VirtfsWhole, takes_nothing_that_only_nobody_may_read) {
  write_file(host("etc/inputrc"), "hush-hush\n");
  ASSERT_EQ(0, ::chown(host("etc/inputrc").c_str(), 65534, 65534));
  ASSERT_EQ(0, ::chmod(host("etc/inputrc").c_str(), 0640));
  make_whole();
  EXPECT_EQ("", files_with(root(""), "hush-hush"));
}

TEST_P(VirtfsWhole, is_not_misled_by_a_name_with_a_newline) {
  write_file(host("root/secret"), "hush-hush\n");
  for (const char* name : {"etc/default/a\nb", "etc/pam.d/a\nb", "etc/a\nb", "usr/share/misc/a\nb",
                           "usr/share/misc/x\n/root/secret", "etc/pam.d/x\n/root/secret"}) {
    write_file(host(name), "hush-hush\n");
    ASSERT_EQ(0, ::chmod(host(name).c_str(), 0600));
  }
  add_program("usr/bin/a\nb", "#!/bin/sh\n", 04755);
  make_whole();
  EXPECT_EQ("", files_with(root(""), "hush-hush"));
  EXPECT_FALSE(fs::exists(root("usr/bin/a\nb")));
}

TEST_P(VirtfsWhole, takes_no_credentials_and_no_names_of_customers) {
  const std::string proxy = "http://bob:hunter2@proxy.example:3128/";
  write_file(host("etc/environment"),
             "PATH=\"/usr/bin:/bin\"\nhttps_proxy=" + proxy + "\nexport LANG=C.UTF-8\n");
  write_file(host("etc/bash.bashrc"), "export http_proxy=" + proxy + "\n");
  write_file(host("etc/profile.d/proxy.sh"), "export http_proxy=" + proxy + "\n");
  for (const char* name :
       {"etc/default/backup", "etc/msmtprc", "etc/pgpass.conf", "etc/site.p12",
        "etc/ssl/certs/site.p12", "etc/mail/authinfo", "etc/perl/site.pl", "etc/mail/virtusertable",
        "etc/vsftpd.userlist", "etc/security/site.conf", "etc/skel/.msmtprc", "etc/gitconfig"}) {
    write_file(host(name), "customer-two.example hunter2\n");
  }
  make_whole();
  EXPECT_EQ("", files_with(root(""), "hunter2"));
  EXPECT_EQ("PATH=\"/usr/bin:/bin\"\nexport LANG=C.UTF-8\n", read_file(root("etc/environment")));
}

TEST_P(VirtfsWhole, takes_the_configuration_that_programs_need) {
  const std::vector<std::string> names = {
      "etc/adduser.conf",  "etc/bash.bashrc",     "etc/default/locale",
      "etc/ftpusers",      "etc/gai.conf",        "etc/mime.types",
      "etc/pam.d/login",   "etc/profile",         "etc/security/limits.conf",
      "etc/skel/.profile", "etc/ssl/openssl.cnf", "etc/terminfo/x/site-xterm",
      "etc/vim/vimrc"};
  for (const std::string& name : names) {
    write_file(host(name), "# plain\n");
  }
  make_whole();
  for (const std::string& name : names) {
    EXPECT_TRUE(fs::exists(root(name))) << name;
  }
}

/// The authorities that the host trusts, under the names that OpenSSL looks for.
TEST_P(VirtfsWhole, takes_the_certificates_of_authorities_only) {
  write_file(host("usr/share/ca-certificates/mozilla/Root.crt"), "-----BEGIN CERTIFICATE-----\n");
  write_file(host("srv/customer/site.pem"), "-----BEGIN CERTIFICATE-----\n");
  fs::create_directories(host("etc/ssl/certs"));
  fs::create_symlink("/usr/share/ca-certificates/mozilla/Root.crt", host("etc/ssl/certs/Root.pem"));
  fs::create_symlink("Root.pem", host("etc/ssl/certs/0123abcd.0"));
  fs::create_symlink("/srv/customer/site.pem", host("etc/ssl/certs/customer.pem"));
  fs::create_symlink("customer.pem", host("etc/ssl/certs/4567abcd.0"));
  make_whole();
  EXPECT_EQ((std::set<std::string>{"Root.pem", "0123abcd.0"}), names_in(root("etc/ssl/certs")));
  EXPECT_EQ(0, run_in_whole({"cat", "/etc/ssl/certs/0123abcd.0"}).status);
}

TEST_P(VirtfsWhole, takes_no_mail_and_no_cron_jobs_of_the_host) {
  write_file(host("var/spool/cron/root"), "0 0 * * * job\n");
  write_file(host("var/mail/root"), "From ann\n");
  write_file(host("root/.ssh/id_rsa"), "key\n");
  write_file(host("home/ann/file"), "hers\n");
  make_whole();
  for (const char* name : {"var/spool/cron/root", "var/mail/root", "root/.ssh", "home/ann"}) {
    EXPECT_FALSE(fs::exists(root(name))) << name;
  }
}

TEST_P(VirtfsWhole, drops_set_user_id_bits_except_those_that_users_need) {
  add_program("usr/bin/mount", "#!/bin/sh\n", 04755);
  add_program("usr/bin/wall", "#!/bin/sh\n", 02755);
  const Outcome outcome = make_whole();
  EXPECT_EQ("0:0 0755", access_of(root("usr/bin/mount")));
  EXPECT_EQ("0:0 0755", access_of(root("usr/bin/wall")));
  EXPECT_EQ("0:0 4755", access_of(root("usr/bin/passwd")));
  EXPECT_NE(outcome.output.find("Kept set-user-id or set-group-id: /usr/bin/"), std::string::npos);
}

TEST_P(VirtfsWhole, drops_capabilities) {
  add_program("usr/bin/ping", "#!/bin/sh\n");
  const std::uint32_t bind_low_ports[] = {VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                          1U << CAP_NET_BIND_SERVICE, 0, 0, 0};
  ASSERT_EQ(0, ::setxattr(host("usr/bin/ping").c_str(), "security.capability", bind_low_ports,
                          sizeof bind_low_ports, 0));
  make_whole();
  EXPECT_EQ(-1, ::getxattr(root("usr/bin/ping").c_str(), "security.capability", nullptr, 0));
}

TEST_P(VirtfsWhole, has_nothing_in_etc_and_usr_that_others_can_change) {
  add_program("usr/bin/of-ann", "#!/bin/sh\n");
  ASSERT_EQ(0, ::chown(host("usr/bin/of-ann").c_str(), 1000, 1000));
  add_program("usr/bin/writable", "#!/bin/sh\n", 0777);
  ASSERT_EQ(0, ::chmod(host("usr/bin").c_str(), 0775));
  ASSERT_EQ(0, ::chmod(host("usr/lib").c_str(), 0777));
  make_whole();
  for (const char* directory : {"etc", "usr"}) {
    EXPECT_EQ(
        std::vector<std::string>(), files_where(root(directory), [](const struct stat& status) {
          return status.st_uid != 0 || (!S_ISLNK(status.st_mode) && (status.st_mode & 0022) != 0);
        }));
  }
}

TEST_P(VirtfsWhole, makes_hard_links_where_that_is_safe) {
  make_whole({"-l"});
  EXPECT_EQ(inode_of(host("usr/bin/ls")), inode_of(root("usr/bin/ls")));
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
}

TEST_P(VirtfsWhole, makes_hard_links_for_the_programs_asked_for) {
  make_whole({"-l", "-p", "ls"});
  EXPECT_EQ(inode_of(host("usr/bin/ls")), inode_of(root("usr/bin/ls")));
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
}

TEST_P(VirtfsWhole, links_nothing_that_somebody_else_could_change) {
  add_program("usr/bin/of-ann", "#!/bin/sh\n");
  ASSERT_EQ(0, ::chown(host("usr/bin/of-ann").c_str(), 1000, 1000));
  add_program("usr/bin/writable", "#!/bin/sh\n", 0777);
  write_file(host("etc/profile.d/plain.sh"), "# plain\n");
  make_whole({"-l"});
  for (const char* name : {"usr/bin/of-ann", "usr/bin/writable", "usr/bin/passwd", "usr/bin/su"}) {
    EXPECT_NE(inode_of(root(name)), inode_of(host(name))) << name;
  }
  EXPECT_EQ(std::vector<std::string>(), files_where(root("etc"), [](const struct stat& status) {
              return S_ISREG(status.st_mode) && status.st_nlink > 1;
            }));
}

TEST_P(VirtfsWhole, leaves_the_hosts_files_as_they_were_with_hard_links) {
  add_program("usr/bin/of-ann", "#!/bin/sh\n");
  ASSERT_EQ(0, ::chown(host("usr/bin/of-ann").c_str(), 1000, 1000));
  add_program("usr/bin/mount", "#!/bin/sh\n", 04755);
  add_program("usr/bin/writable", "#!/bin/sh\n", 0777);
  make_whole({"-l"});
  EXPECT_EQ("1000:1000 0755", access_of(host("usr/bin/of-ann")));
  EXPECT_EQ("0:0 4755", access_of(host("usr/bin/mount")));
  EXPECT_EQ("0:0 0777", access_of(host("usr/bin/writable")));
}

TEST_P(VirtfsWhole, makes_hard_links_again_when_updated) {
  add_program("usr/bin/of-ann", "#!/bin/sh\n", 04755);
  for (const char* name : {"one.com", "two.com"}) {
    ASSERT_EQ(
        0, testing_support::run(on_host("virtfs", {"-q", "-l", "-p", "ls", "-p", "of-ann", name}))
               .status);
  }
  for (const char* name : {"usr/bin/ls", "usr/bin/of-ann"}) {
    fs::copy_file(host(name), host("usr/bin/copy"));
    ASSERT_EQ(0, ::rename(host("usr/bin/copy").c_str(), host(name).c_str()));
  }
  ASSERT_EQ(0, ::chmod(host("usr/bin/of-ann").c_str(), 04755));
  const Outcome outcome = testing_support::run(on_host("virtfs", {"-u"}));
  EXPECT_EQ("Updated /virtual/one.com\nUpdated /virtual/two.com\n", outcome.output);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ(inode_of(host("usr/bin/ls")), inode_of(root("usr/bin/ls")));
  EXPECT_EQ(1U, links_of(root("usr/bin/of-ann")));
}

TEST_P(VirtfsWhole, copies_if_it_cannot_link) {
  ASSERT_EQ(0, ::mount("tmpfs", host("virtual").c_str(), "tmpfs", 0, "mode=0755"));
  const Outcome outcome = make_whole({"-l"});
  EXPECT_NE(
      outcome.errors.find("virtfs: /virtual: on a different file system from the host's programs: "
                          "copying instead of making hard links\n"),
      std::string::npos)
      << outcome.errors;
  EXPECT_EQ(1U, links_of(root("usr/bin/ls")));
  EXPECT_EQ("/etc/hostname\n", run_in_whole({"ls", "/etc/hostname"}).output);
}

TEST_P(VirtfsWhole, copies_without_option_l) {
  make_whole();
  EXPECT_EQ(1U, links_of(root("usr/bin/ls")));
}

/// Only the cp of coreutils can make them; that of busybox cannot.
class VirtfsClones : public Virtfs {};

TEST_P(VirtfsClones, asks_the_file_system_for_them) {
  if (!fs::exists("/usr/bin/strace")) {
    SKIP_OR_FAIL("needs strace");
  }
  Command command = script("virtfs", {"-q", "-p", "busybox", "one.com"});
  command.arguments.insert(command.arguments.begin(),
                           {"strace", "-f", "-o", "/run/calls", "-e", "trace=ioctl"});
  ASSERT_EQ(0, testing_support::run(command).status);
  EXPECT_NE(read_file("/run/calls").find("FICLONE"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Shells, VirtfsClones, ::testing::Values("dash"));
INSTANTIATE_SHELLS(Virtfs);
INSTANTIATE_SHELLS(VirtfsLocale);
INSTANTIATE_SHELLS(VirtfsNumbers);
INSTANTIATE_SHELLS(VirtfsWhole);

}  // namespace
