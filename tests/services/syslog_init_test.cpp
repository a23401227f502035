// syslog.init with real loggers.

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "init_script.h"
#include "network.h"

namespace {

using namespace testing_support;

const fs::path kSocket = "/virtual/log";
const fs::path kLog = "/var/log/syslog";

bool same_inode(const fs::path& one, const fs::path& other) {
  struct stat first {};
  struct stat second {};
  return ::lstat(one.c_str(), &first) == 0 && ::lstat(other.c_str(), &second) == 0 &&
         first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

bool same_file_system(const struct stat& status, const fs::path& root) {
  struct stat other {};
  return ::stat(root.c_str(), &other) == 0 && status.st_dev == other.st_dev;
}

/// Fills the socket with messages, so that the next sender has to wait.
void fill(const fs::path& path) {
  const Descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  while (::sendto(sender.get(), "<13>full", 8, 0, reinterpret_cast<sockaddr*>(&address),
                  sizeof address) > 0) {
  }
  ASSERT_EQ(EAGAIN, errno);
}

/// Whether the text appears in the machine's log within kPatience.
bool is_logged(const std::string& text) {
  return arrives(text, kLog);
}

std::string syslogd() {
  return daemon_path("inetutils-syslogd", "/usr/sbin/syslogd");
}

/// A logger that syslog.init has not started, and that listens on `socket`.
class Logger : public BackgroundProcess {
 public:
  explicit Logger(const fs::path& socket)
      : Logger(socket, {syslogd(), "-n", "--no-klog", "-p", socket, "-P", "/run/other", "-f",
                        "/etc/syslog.conf"}) {}

  Logger(const fs::path& socket, const std::vector<std::string>& arguments)
      : BackgroundProcess(command_of(arguments)) {
    if (!eventually([&] { return fs::is_socket(socket); })) {
      throw std::runtime_error("nobody listens on " + socket.string() + ": " + log());
    }
  }
};

class SyslogInit : public InitScriptTest {
 protected:
  SyslogInit() : InitScriptTest("syslog.init") {}

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitScriptTest::SetUp());
    if (IsSkipped()) {
      return;
    }
    NEEDS_PACKAGES("inetutils-syslogd");
    ASSERT_EQ(0, ::mount("tmpfs", "/var/log", "tmpfs", 0, "mode=0755"));
    for (const char* name : {"/dev/log", "/dev/log.before-virtuald"}) {
      fs::remove(name);
    }
    write_file("/etc/syslog.conf", "*.*\t/var/log/syslog\n");
    settings()["SYSLOGD"] = syslogd();
    settings()["SYSLOGD_OPTS"] = "--no-klog";
    for (const char* name : {"domain1.com", "domain2.com", "domain3.com"}) {
      make_domain(name);
    }
  }

  void TearDown() override {
    if (IsSkipped()) {
      return;
    }
    for (const char* leading : {"/virtual", "/virtual2"}) {
      if (fs::exists(leading)) {
        static_cast<void>(init("stop", {{"VIRTUAL", leading}}));
      }
    }
    ::umount2("/var/log", MNT_DETACH);
  }

  /// Sends a line to the log from inside the domain, as its programs do.
  static void log_from(const std::string& domain, const std::string& text) {
    ASSERT_EQ(0, run({"chroot", "/virtual/" + domain, "/bin/logger", text}).status);
  }

  /// Puts the domain's own logger into it, for PER_DOMAIN=yes.
  static void give_logger(const fs::path& root) {
    fs::copy_file(syslogd(), root / "usr/sbin/syslogd");
    for (const fs::path& library : libraries_of(syslogd())) {
      const fs::path inside = root / library.relative_path();
      fs::create_directories(inside.parent_path());
      fs::copy_file(fs::canonical(library), inside);
    }
    write_file(root / "etc/syslog.conf", "*.*\t/var/log/syslog\n");
  }

  Command script_with_settings(const std::string& argument) {
    Command command = script("syslog.init", {argument});
    for (const auto& [name, value] : settings()) {
      (*command.environment)[name] = value;
    }
    return command;
  }

  void use_logger_of_each_domain() {
    settings()["PER_DOMAIN"] = "yes";
    settings()["SYSLOGD"] = "syslogd";
  }

  /// Runs start with a broken domain2.com, and expects that it is named and that the others are
  /// heard.
  void expect_refused(const std::string& message) {
    const Outcome outcome = init("start");
    expect_error(outcome, message);
    EXPECT_PRED2(ends_with, outcome.output,
                 "syslog.init: domain1.com: heard\nsyslog.init: domain3.com: heard\n");
  }
};

INSTANTIATE_SHELLS(SyslogInit);

// ---- start -----------------------------------------------------------------

TEST_P(SyslogInit, start_says_who_listens_and_that_each_domain_is_heard) {
  const Outcome outcome = init("start");
  ASSERT_EQ(0, outcome.status) << outcome.errors;
  ASSERT_EQ(1u, processes_of("syslogd").size());
  EXPECT_EQ("syslog.init: started: syslogd (process " + std::to_string(processes_of("syslogd")[0]) +
                ") listens on /virtual/log\n"
                "syslog.init: domain1.com: heard\n"
                "syslog.init: domain2.com: heard\n"
                "syslog.init: domain3.com: heard\n",
            outcome.output);
  EXPECT_EQ("", outcome.errors);
}

TEST_P(SyslogInit, start_makes_dev_log_a_link_to_the_socket) {
  ASSERT_EQ(0, init("start").status);
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, start_makes_a_hard_link_in_every_domain) {
  ASSERT_EQ(0, init("start").status);
  for (const char* name : {"domain1.com", "domain2.com", "domain3.com"}) {
    EXPECT_TRUE(same_inode(kSocket, fs::path("/virtual") / name / "dev/log")) << name;
  }
}

TEST_P(SyslogInit, start_connects_each_domain_and_the_host_to_the_log) {
  ASSERT_EQ(0, init("start").status);
  log_from("domain1.com", "one from inside");
  log_from("domain2.com", "two from inside");
  log_from("domain3.com", "three from inside");
  ASSERT_EQ(0, run({"logger", "from the host"}).status);
  EXPECT_TRUE(is_logged("one from inside"));
  EXPECT_TRUE(is_logged("two from inside"));
  EXPECT_TRUE(is_logged("three from inside"));
  EXPECT_TRUE(is_logged("from the host"));
}

TEST_P(SyslogInit, start_tests_a_domain_without_a_logger_with_the_hosts) {
  fs::remove("/virtual/domain2.com/bin/logger");
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_TRUE(is_logged("from (domain2.com): heard"));
}

TEST_P(SyslogInit, start_reports_a_domain_that_cannot_send_a_message) {
  fs::remove("/virtual/domain2.com/bin/logger");
  ASSERT_EQ(0, ::mount("/dev/null", "/usr/bin/logger", nullptr, MS_BIND, nullptr));
  const Outcome outcome = init("start");
  ::umount2("/usr/bin/logger", MNT_DETACH);
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output,
               "syslog.init: domain1.com: heard\n"
               "syslog.init: domain2.com: linked; no logger to send a message with\n"
               "syslog.init: domain3.com: heard\n");
}

TEST_P(SyslogInit, start_tests_domains_even_if_the_host_has_only_busyboxs_logger) {
  ASSERT_EQ(0, ::mount("/bin/busybox", "/usr/bin/logger", nullptr, MS_BIND, nullptr));
  const Outcome outcome = init("start");
  ::umount2("/usr/bin/logger", MNT_DETACH);
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_TRUE(is_logged("from (/): heard"));
  EXPECT_TRUE(is_logged("from (domain2.com): heard"));
}

TEST_P(SyslogInit, second_start_says_that_it_runs) {
  ASSERT_EQ(0, init("start").status);
  const std::vector<pid_t> before = processes_of("syslogd");
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(contains, outcome.output,
               "syslog.init: already running: syslogd (process " + std::to_string(before.at(0)) +
                   ") listens on ");
  EXPECT_EQ(before, processes_of("syslogd"));
}

TEST_P(SyslogInit, start_without_a_logger_says_what_to_install) {
  expect_error(init("start", {{"SYSLOGD", "no-such-syslogd"}}),
               "no-such-syslogd: not found in /: install a logger there that takes -p SOCKET, "
               "or set SYSLOGD");
  EXPECT_FALSE(fs::exists(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, start_with_a_logger_that_fails_repeats_what_it_said) {
  const Outcome outcome = init("start", {{"SYSLOGD_OPTS", "--no-such-option"}});
  EXPECT_EQ(1, outcome.status);
  EXPECT_PRED2(contains, outcome.errors, " in /: does not listen on /virtual/log: ");
  EXPECT_PRED2(contains, outcome.errors, "unrecognized option '--no-such-option'");
  EXPECT_FALSE(fs::exists(fs::symlink_status("/dev/log")));
}

/// The logger would run without a socket.
TEST_P(SyslogInit, start_refuses_a_leading_directory_whose_path_is_too_long_for_a_socket) {
  const std::string leading = "/scratch/" + std::string(95, 'x');
  fs::create_directory(leading);
  expect_error(init("start", {{"VIRTUAL", leading}}),
               leading +
                   "/log: longer than 107 bytes, the most for a socket: use a shorter leading "
                   "directory");
  EXPECT_TRUE(processes_of("syslogd").empty());
  const std::string shorter = leading.substr(0, 103);
  fs::create_directory(shorter);
  EXPECT_EQ(0, init("start", {{"VIRTUAL", shorter}}).status);
  EXPECT_EQ(0, init("stop", {{"VIRTUAL", shorter}}).status);
}

/// The logger runs, but cannot make the socket.
TEST_P(SyslogInit, start_leaves_no_logger_that_does_not_listen) {
  fs::create_symlink("/run/of/another", "/dev/log");
  fs::create_directory(kSocket);
  EXPECT_PRED2(contains, init("start").errors, " in /: does not listen on /virtual/log: ");
  EXPECT_TRUE(processes_of("syslogd").empty());
  EXPECT_TRUE(fs::is_empty("/run/virtuald/syslog/virtual"));
  EXPECT_EQ("/run/of/another", fs::read_symlink("/dev/log"));
  fs::remove(kSocket);
}

TEST_P(SyslogInit, start_with_the_wrong_logfile_says_to_set_it) {
  expect_error(init("start", {{"LOGFILE", "/var/log/elsewhere"}}),
               "/var/log/elsewhere: the host's own message did not arrive there: the logger "
               "hangs, or LOGFILE must be set to where it writes");
}

TEST_P(SyslogInit, start_starts_klogd_if_it_exists_and_stop_ends_it) {
  fs::create_symlink("/bin/busybox", "/scratch/klogd");
  const std::string path = std::string("/scratch:") + std::getenv("PATH");
  const auto klogd_runs = [] {
    for (const pid_t pid : processes_of("busybox")) {
      if (read_file("/proc/" + std::to_string(pid) + "/comm") == "klogd\n") {
        return true;
      }
    }
    return false;
  };
  ASSERT_EQ(0, init("start", {{"PATH", path}}).status);
  EXPECT_TRUE(eventually(klogd_runs));
  ASSERT_EQ(0, init("stop").status);
  EXPECT_FALSE(klogd_runs());
}

// ---- Hostile users and domains ----------------------------------------------

/// A command that the host's user 1234 runs after `prepare`.
Command of_user(const std::function<void()>& prepare,
                const std::vector<std::string>& arguments = {"sleep", "60"}) {
  Command command = command_of(arguments);
  command.prepare = [prepare] {
    if (::setgroups(0, nullptr) != 0 || ::setgid(1234) != 0 || ::setuid(1234) != 0) {
      ::_exit(200);
    }
    prepare();
  };
  return command;
}

/// Binds a socket whose name has a second line, which claims that another socket of this process,
/// with its real inode, is bound to /virtual/log.
void forge_line() {
  const int other = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  struct stat status {};
  ::fstat(other, &status);
  const std::string name = "\n0: 2 0 0 1 1 " + std::to_string(status.st_ino) + " /virtual/log";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 2);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int forger = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (::bind(forger, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    ::_exit(201);
  }
}

TEST_P(SyslogInit, user_who_forges_a_line_of_the_kernel_is_not_taken_for_the_logger) {
  const BackgroundProcess poser(of_user(forge_line));
  ASSERT_TRUE(eventually([] { return contains(read_file("/proc/net/unix"), " 1 1 "); }));
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "syslog.init: started: syslogd (process ");
}

TEST_P(SyslogInit, process_in_a_user_namespace_is_not_taken_for_the_logger) {
  const BackgroundProcess poser(of_user(
      [] {}, {"unshare", "-Ur", "--mount", "sh", "-c",
              "mount -t tmpfs none /virtual && exec \"$@\"", "sh", syslogd(), "-n", "--no-klog",
              "-p", "/virtual/log", "-P", "/virtual/pid", "-f", "/etc/syslog.conf"}));
  ASSERT_TRUE(eventually([] { return contains(read_file("/proc/net/unix"), " /virtual/log\n"); }));
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "syslog.init: started: syslogd (process ");
}

TEST_P(SyslogInit, unkillable_program_of_a_domain_delays_nothing) {
  fs::remove("/virtual/domain2.com/bin/logger");
  write_program("/virtual/domain2.com/bin/logger",
                "#!/bin/sh\ntrap '' TERM HUP INT\nwhile :; do sleep 1; done\n");
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;  // the host's logger sends the message instead
  EXPECT_PRED2(contains, outcome.output, "syslog.init: domain3.com: heard\n");
}

TEST_P(SyslogInit, marks_differ_by_domain_and_are_on_no_command_line) {
  for (const char* name : {"domain1.com", "domain2.com"}) {
    const fs::path root = fs::path("/virtual") / name;
    fs::remove(root / "bin/logger");
    fs::create_symlink("busybox", root / "bin/cat");
    write_program(root / "bin/logger",
                  "#!/bin/sh\necho \"$@\" >/run/arguments\ncat >/run/input\nexit 1\n");
    fs::permissions(root / "run", fs::perms::all);  // it runs as nobody
  }
  ASSERT_EQ(0, init("start").status);  // the host's logger sends the message instead
  const std::string one = read_file("/virtual/domain1.com/run/input");
  const std::string other = read_file("/virtual/domain2.com/run/input");
  EXPECT_EQ("-t syslog.init\n", read_file("/virtual/domain1.com/run/arguments"));
  ASSERT_PRED2(ends_with, one, " from (domain1.com): heard\n");
  ASSERT_PRED2(ends_with, other, " from (domain2.com): heard\n");
  EXPECT_NE(one.substr(0, one.find(" from")), other.substr(0, other.find(" from")));
}

/// One domain's logger sends a second message, which claims to be from the other domain.
TEST_P(SyslogInit, domain_cannot_answer_for_another) {
  for (const char* name : {"domain1.com", "domain2.com"}) {
    const fs::path root = fs::path("/virtual") / name;
    fs::remove(root / "bin/logger");
    fs::create_symlink("busybox", root / "bin/sed");
  }
  write_program("/virtual/domain1.com/bin/logger",
                "#!/bin/sh\ntext=$(echo \"$* $(/bin/busybox cat)\" | sed 's/.*check/check/')\n"
                "/bin/busybox logger -t \"$2\" \"$text\"\n"
                "/bin/busybox logger -t \"$2\" \"$(echo \"$text\" | sed s/domain1/domain2/)\"\n");
  write_program("/virtual/domain2.com/bin/logger", "#!/bin/sh\n:\n");
  const Outcome outcome = init("start");
  EXPECT_PRED2(contains, outcome.output, "syslog.init: domain1.com: heard\n");
  EXPECT_PRED2(contains, outcome.errors, "syslog.init: domain2.com: cut off: ");
}

TEST_P(SyslogInit, endless_help_of_a_logger_fills_no_disk) {
  fs::remove("/virtual/domain2.com/usr/sbin/syslogd");
  write_program("/virtual/domain2.com/usr/sbin/syslogd",
                "#!/bin/sh\nwhile :; do echo and so on; done\n");
  use_logger_of_each_domain();
  BackgroundProcess starting(script_with_settings("start"));
  std::uintmax_t size = 0;
  while (is_running(starting.pid())) {
    std::error_code gone;
    for (const char* file : {"output", "domain/domain2.com"}) {
      const std::uintmax_t now =
          fs::file_size(fs::path("/run/virtuald/syslog/virtual") / file, gone);
      size = std::max(size, gone ? 0 : now);
    }
  }
  EXPECT_EQ(1, starting.stop());
  EXPECT_LT(size, 100'000U);
}

TEST_P(SyslogInit, logger_of_a_domain_gets_no_descriptor_or_environment_of_the_host) {
  give_logger("/virtual/domain2.com");
  use_logger_of_each_domain();
  Command command = script_with_settings("start");
  (*command.environment)["SECRET"] = "of the host";
  command.prepare = [] { ::dup2(STDERR_FILENO, 17); };
  static_cast<void>(run(command));
  const fs::path process =
      "/proc/" + std::to_string(processes_of("syslogd", "/virtual/domain2.com").at(0));
  for (const fs::directory_entry& entry : fs::directory_iterator(process / "fd")) {
    struct stat status {};
    ASSERT_EQ(0, ::stat(entry.path().c_str(), &status));
    EXPECT_TRUE(S_ISSOCK(status.st_mode) || same_file_system(status, "/virtual/domain2.com"))
        << entry.path() << fs::read_symlink(entry.path());
  }
  EXPECT_PRED2(lacks, read_file(process / "environ"), "of the host");
  EXPECT_NE(fs::read_symlink("/proc/self/ns/mnt"), fs::read_symlink(process / "ns/mnt"));
}

TEST_P(SyslogInit, isolate_no_uses_a_plain_chroot_and_warns) {
  give_logger("/virtual/domain2.com");
  use_logger_of_each_domain();
  settings()["ISOLATE"] = "no";
  const Outcome outcome = init("start");
  EXPECT_PRED2(contains, outcome.errors,
               "syslog.init: not isolated (ISOLATE=no): user 0 of a domain can leave it\n");
  const pid_t pid = processes_of("syslogd", "/virtual/domain2.com").at(0);
  EXPECT_EQ(fs::read_symlink("/proc/self/ns/mnt"),
            fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/mnt"));
  EXPECT_EQ("/virtual/domain2.com", fs::read_symlink("/proc/" + std::to_string(pid) + "/root"));
}

/// As in a container that forbids namespaces.
TEST_P(SyslogInit, isolate_no_needs_no_namespace) {
  settings()["ISOLATE"] = "no";
  Command command = script_with_settings("start");
  command.arguments.insert(command.arguments.begin(),
                           {"setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"});
  const Outcome outcome = run(command);
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "syslog.init: domain2.com: heard\n");
}

TEST_P(SyslogInit, logger_that_cannot_be_ended_is_killed) {
  fs::remove("/virtual/domain2.com/usr/sbin/syslogd");
  give_logger("/virtual/domain2.com");
  use_logger_of_each_domain();
  static_cast<void>(init("start"));
  const pid_t pid = processes_of("syslogd", "/virtual/domain2.com").at(0);
  ::kill(pid, SIGSTOP);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_FALSE(is_running(pid));
}

/// A domain keeps exchanging its dev for a link to a directory of the host.
TEST_P(SyslogInit, dev_that_keeps_being_exchanged_for_a_link_is_not_followed) {
  fs::create_directory("/scratch/target");
  write_file("/scratch/target/log", "kept");
  fs::create_symlink("/scratch/target", "/virtual/domain2.com/other");
  const Descriptor dev(::open("/virtual/domain2.com/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const BackgroundProcess exchanger(
      command_of({kService, "exchange", "/virtual/domain2.com/dev", "/virtual/domain2.com/other"}));
  for (int turn = 0; turn < 5; ++turn) {
    static_cast<void>(init("start"));
    const Outcome outcome = init("status");
    EXPECT_PRED2(lacks, outcome.errors, "not set");
    EXPECT_PRED2(contains, outcome.output, "syslog.init: domain3.com: heard\n");
    EXPECT_EQ("kept", read_file("/scratch/target/log"));
    ::unlinkat(dev.get(), "log", 0);
  }
}

/// The same at the worst moment: after all checks, right before the link is made. (busybox has ln
/// built in, and does not start this one.)
TEST_P(SyslogInit, dev_that_is_exchanged_before_the_link_is_made_is_not_followed) {
  fs::create_directory("/scratch/target");
  fs::create_directory("/scratch/bin");
  write_file("/scratch/target/log", "kept");
  write_program(
      "/scratch/bin/ln",
      "#!/bin/sh\ncase $* in *log*) mv -T /virtual/domain2.com/dev /virtual/domain2.com/was && "
      "/bin/ln -s /scratch/target /virtual/domain2.com/dev ;; esac\nexec /bin/ln \"$@\"\n");
  fs::remove_all("/virtual/domain1.com");
  fs::remove_all("/virtual/domain3.com");
  static_cast<void>(init(
      "start", {{"PATH", std::string("/scratch/bin:") + std::getenv("PATH")}, {"DEV_LOG", "no"}}));
  EXPECT_EQ("kept", read_file("/scratch/target/log"));
}

// ---- Domains that cannot be linked -----------------------------------------

TEST_P(SyslogInit, dev_that_is_a_link_is_refused) {
  fs::remove_all("/virtual/domain2.com/dev");
  fs::create_directory("/scratch/target");
  fs::create_symlink("/scratch/target", "/virtual/domain2.com/dev");
  expect_refused("/virtual/domain2.com/dev: not a directory: no log socket made there");
  EXPECT_TRUE(fs::is_empty("/scratch/target"));
}

TEST_P(SyslogInit, dev_that_root_does_not_own_is_refused) {
  ASSERT_EQ(0, ::chown("/virtual/domain2.com/dev", 1001, 0));
  expect_refused("/virtual/domain2.com/dev: not owned by root: no log socket made there");
}

TEST_P(SyslogInit, world_writable_dev_is_refused) {
  ASSERT_EQ(0, ::chmod("/virtual/domain2.com/dev", 0777));
  expect_refused(
      "/virtual/domain2.com/dev: writable by users other than root: no log socket made there");
}

TEST_P(SyslogInit, dev_that_is_the_hosts_is_refused) {
  ASSERT_EQ(0, ::mount("/dev", "/virtual/domain2.com/dev", nullptr, MS_BIND, nullptr));
  expect_refused("/virtual/domain2.com/dev: the /dev of the host: no log socket made there");
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
  ASSERT_EQ(0, ::umount2("/virtual/domain2.com/dev", MNT_DETACH));
}

TEST_P(SyslogInit, dev_log_that_is_a_directory_is_refused) {
  fs::create_directory("/virtual/domain2.com/dev/log");
  expect_refused("/virtual/domain2.com/dev/log: a directory: no log socket made there");
}

TEST_P(SyslogInit, dev_log_that_is_a_link_is_replaced_and_not_followed) {
  write_file("/scratch/target", "kept");
  fs::create_symlink("/scratch/target", "/virtual/domain2.com/dev/log");
  EXPECT_EQ(0, init("start").status);
  EXPECT_TRUE(same_inode(kSocket, "/virtual/domain2.com/dev/log"));
  EXPECT_EQ("kept", read_file("/scratch/target"));
}

TEST_P(SyslogInit, domain_on_another_file_system_is_named_with_the_remedy) {
  ASSERT_EQ(0, ::mount("tmpfs", "/virtual/domain2.com", "tmpfs", 0, "mode=0755"));
  fs::create_directory("/virtual/domain2.com/dev");
  expect_refused(
      "/virtual/domain2.com/dev/log: on a different file system from /virtual/log: domains on "
      "another disk need a leading directory and a logger there, one per disk: "
      "VIRTUAL=/that/disk syslog.init start");
  ASSERT_EQ(0, ::umount2("/virtual/domain2.com", MNT_DETACH));
}

TEST_P(SyslogInit, domains_own_logger_is_not_cut_off) {
  give_logger("/virtual/domain2.com");
  const Logger own(
      "/virtual/domain2.com/dev/log",
      {"chroot", "/virtual/domain2.com", "/usr/sbin/syslogd", "-n", "--no-klog", "-p", "/dev/log"});
  expect_refused("/virtual/domain2.com/dev/log: syslogd (process " + std::to_string(own.pid()) +
                 ") listens there: stop it, or set PER_DOMAIN=yes");
  log_from("domain2.com", "to its own");
  EXPECT_TRUE(arrives("to its own", "/virtual/domain2.com/var/log/syslog"));
}

// ---- status ----------------------------------------------------------------

TEST_P(SyslogInit, status_is_3_before_start) {
  expect_line(init("status"), 3, "not running: nobody listens on /virtual/log");
}

TEST_P(SyslogInit, status_is_0_when_all_is_well) {
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("status");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ("", outcome.errors);
}

TEST_P(SyslogInit, status_finds_its_messages_in_a_log_with_nul_bytes) {
  write_file(kLog, std::string(10, '\0') + "\n");
  EXPECT_EQ(0, init("start").status);
}

TEST_P(SyslogInit, status_is_3_when_the_logger_was_killed) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_TRUE(kill_now(processes_of("syslogd").at(0)));
  EXPECT_EQ(3, init("status").status);
}

TEST_P(SyslogInit, start_after_the_logger_was_killed_repairs_everything) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_TRUE(kill_now(processes_of("syslogd").at(0)));
  EXPECT_EQ(0, init("start").status);
  EXPECT_EQ(0, init("status").status);
}

TEST_P(SyslogInit, status_names_the_domain_whose_link_is_dead) {
  ASSERT_EQ(0, init("start").status);
  {
    const Logger other("/scratch/dead");
    fs::create_hard_link("/scratch/dead", "/virtual/domain2.com/dev/new");
  }
  fs::rename("/virtual/domain2.com/dev/new", "/virtual/domain2.com/dev/log");
  const Outcome outcome = init("status");
  expect_error(outcome,
               "domain2.com: cut off: /virtual/domain2.com/dev/log is not the socket of the "
               "logger: reload links it again, or says why not");
  EXPECT_PRED2(lacks, outcome.output, "domain2.com");
}

TEST_P(SyslogInit, status_names_a_domain_whose_messages_get_lost_despite_its_link) {
  ASSERT_EQ(0, init("start").status);
  fs::remove("/virtual/domain2.com/bin/logger");
  write_file("/virtual/domain2.com/bin/logger", "#!/bin/sh\nexit 0\n");
  ASSERT_EQ(0, ::chmod("/virtual/domain2.com/bin/logger", 0755));
  expect_error(init("status"),
               "domain2.com: cut off: its message did not arrive in /var/log/syslog "
               "/var/log/messages");
}

TEST_P(SyslogInit, status_changes_nothing) {
  ASSERT_EQ(0, init("start").status);
  fs::remove("/virtual/domain2.com/dev/log");
  EXPECT_EQ(1, init("status").status);
  EXPECT_FALSE(fs::exists("/virtual/domain2.com/dev/log"));
}

TEST_P(SyslogInit, status_says_that_the_host_is_cut_off) {
  ASSERT_EQ(0, init("start").status);
  fs::remove("/dev/log");
  expect_error(init("status"),
               "/dev/log: no longer leads to /virtual/log: the host is cut off: restart "
               "makes the link again");
  EXPECT_EQ(0, init("restart").status);
  EXPECT_EQ(0, init("status").status);
}

TEST_P(SyslogInit, status_of_a_hung_logger_ends) {
  ASSERT_EQ(0, init("start").status);
  const pid_t pid = processes_of("syslogd").at(0);
  ::kill(pid, SIGSTOP);
  fill(kSocket);
  const Outcome outcome = init("status");
  ::kill(pid, SIGCONT);
  EXPECT_EQ(1, outcome.status);
  EXPECT_EQ(
      "syslog.init: /var/log/syslog /var/log/messages: the host's own message did not arrive "
      "there: the logger hangs, or LOGFILE must be set to where it writes\n",
      outcome.errors);
}

// ---- restart and reload ----------------------------------------------------

TEST_P(SyslogInit, restart_leaves_no_domain_cut_off) {
  ASSERT_EQ(0, init("start").status);
  const std::vector<pid_t> before = processes_of("syslogd");
  EXPECT_EQ(0, init("restart").status);
  EXPECT_NE(before, processes_of("syslogd"));
  log_from("domain1.com", "one after it");
  log_from("domain2.com", "two after it");
  log_from("domain3.com", "three after it");
  EXPECT_TRUE(is_logged("one after it"));
  EXPECT_TRUE(is_logged("two after it"));
  EXPECT_TRUE(is_logged("three after it"));
}

TEST_P(SyslogInit, reload_relinks_domains_after_another_program_restarted_the_logger) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_TRUE(kill_now(processes_of("syslogd").at(0)));
  fs::remove(kSocket);
  const Logger other(kSocket);
  ASSERT_EQ(1, init("status").status);
  EXPECT_EQ(0, init("reload").status);
  EXPECT_EQ(0, init("status").status);
}

TEST_P(SyslogInit, reload_makes_the_logger_read_its_configuration) {
  ASSERT_EQ(0, init("start").status);
  write_file("/etc/syslog.conf", "*.*\t/var/log/messages\n");
  EXPECT_EQ(0, init("reload").status);
  log_from("domain1.com", "to the new file");
  EXPECT_TRUE(arrives("to the new file", "/var/log/messages"));
}

TEST_P(SyslogInit, sighup_from_another_program_cuts_no_domain_off) {
  ASSERT_EQ(0, init("start").status);
  ::kill(processes_of("syslogd").at(0), SIGHUP);
  EXPECT_EQ(0, init("status").status);
}

TEST_P(SyslogInit, reload_fails_when_nothing_runs) {
  expect_line(init("reload"), 1, "not running: nobody listens on /virtual/log");
}

TEST_P(SyslogInit, domain_made_by_virtfs_is_heard_at_once) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_EQ(0, run_script("virtfs", {"-q", "-p", "logger", "domain4.com"}).status);
  const Outcome outcome = init("status");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "domain4.com: heard\n");
}

// ---- stop ------------------------------------------------------------------

TEST_P(SyslogInit, stop_leaves_no_process_and_no_socket) {
  ASSERT_EQ(0, init("start").status);
  expect_line(init("stop"), 0, "stopped");
  EXPECT_TRUE(processes_of("syslogd").empty());
  EXPECT_FALSE(fs::exists(kSocket));
}

TEST_P(SyslogInit, second_stop_says_that_nothing_runs) {
  expect_line(init("stop"), 0, "not running");
}

TEST_P(SyslogInit, stop_leaves_no_dev_log_where_there_was_none) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_EQ(0, init("stop").status);
  EXPECT_FALSE(fs::exists(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, stop_puts_a_link_back_at_dev_log) {
  fs::create_symlink("/run/systemd/journal/dev-log", "/dev/log");
  ASSERT_EQ(0, init("start").status);
  ASSERT_EQ(kSocket, fs::read_symlink("/dev/log"));
  ASSERT_EQ(0, init("stop").status);
  EXPECT_EQ("/run/systemd/journal/dev-log", fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, stop_puts_a_dead_socket_back_at_dev_log) {
  {
    const Logger other("/scratch/dead");
    fs::create_hard_link("/scratch/dead", "/dev/log");
  }
  ASSERT_EQ(0, init("start").status);
  ASSERT_EQ(0, init("stop").status);
  EXPECT_TRUE(fs::is_socket(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, stop_leaves_a_dev_log_that_another_program_has_made_since) {
  ASSERT_EQ(0, init("start").status);
  fs::remove("/dev/log");
  const Logger other("/dev/log");
  const Outcome outcome = init("stop");
  EXPECT_EQ("syslog.init: /dev/log: recreated by another program since start: left as it is\n",
            outcome.errors);
  EXPECT_TRUE(fs::is_socket(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, stop_spares_a_logger_that_start_did_not_start) {
  const Logger other(kSocket);
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("stop");
  EXPECT_EQ("syslog.init: syslogd (process " + std::to_string(other.pid()) +
                ") listens on /virtual/log: not started here, left alone\n"
                "syslog.init: not running\n",
            outcome.output);
  EXPECT_TRUE(is_running(other.pid()));
}

TEST_P(SyslogInit, stop_spares_a_process_that_now_has_the_pid_of_the_logger) {
  ASSERT_EQ(0, init("start").status);
  const BackgroundProcess bystander(command_of({"sleep", "60"}));
  const fs::path note = "/run/virtuald/syslog/virtual/logger";
  const std::string before = read_file(note);
  write_file(note, std::to_string(bystander.pid()) + before.substr(before.find(' ')));
  ASSERT_EQ(0, init("stop").status);
  EXPECT_TRUE(is_running(bystander.pid()));
  write_file(note, before);
}

/// klogd may end before start has seen when it began.
TEST_P(SyslogInit, stop_passes_over_a_process_that_ended_before_its_birth_was_noted) {
  ASSERT_EQ(0, init("start").status);
  write_file("/run/virtuald/syslog/virtual/klogd", "99999999 \n");
  expect_line(init("stop"), 0, "stopped");
}

// ---- Another logger on the host --------------------------------------------

TEST_P(SyslogInit, start_leaves_a_dev_log_on_which_another_logger_listens) {
  const Logger other("/dev/log");
  expect_error(init("start"),
               "/dev/log: syslogd (process " + std::to_string(other.pid()) +
                   ") listens there: set DEV_LOG=no in /etc/default/virtuald to leave it alone and "
                   "log for the domains only, or have rsyslog do both with the sample "
                   "virtuald-rsyslog.conf and SYSLOGD=none");
  EXPECT_TRUE(fs::is_socket(fs::symlink_status("/dev/log")));
  EXPECT_EQ(std::vector<pid_t>{other.pid()}, processes_of("syslogd"));
}

TEST_P(SyslogInit, start_finds_another_logger_behind_a_link_like_journalds) {
  fs::create_directories("/run/systemd/journal");
  const Logger other("/run/systemd/journal/dev-log");
  fs::create_symlink("/run/systemd/journal/dev-log", "/dev/log");
  const Outcome outcome = init("start");
  EXPECT_EQ(1, outcome.status);
  EXPECT_PRED2(contains, outcome.errors, "/dev/log: syslogd (process ");
  EXPECT_EQ("/run/systemd/journal/dev-log", fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, start_leaves_a_dev_log_that_cannot_be_moved_aside) {
  write_file("/dev/log", "");
  write_file("/scratch/outside", "");
  ASSERT_EQ(0, ::mount("/scratch/outside", "/dev/log", nullptr, MS_BIND, nullptr));
  const Outcome outcome = init("start");
  EXPECT_EQ(1, outcome.status);
  EXPECT_PRED2(ends_with, outcome.errors,
               "syslog.init: /dev/log: cannot be moved aside: set DEV_LOG=no in "
               "/etc/default/virtuald to leave it alone\n");
  EXPECT_EQ(0, ::umount2("/dev/log", MNT_DETACH));
  EXPECT_TRUE(processes_of("syslogd").empty());
}

TEST_P(SyslogInit, logger_inside_a_domain_is_not_taken_for_the_owner_of_dev_log) {
  give_logger("/virtual/domain2.com");
  const Logger own(
      "/virtual/domain2.com/dev/log",
      {"chroot", "/virtual/domain2.com", "/usr/sbin/syslogd", "-n", "--no-klog", "-p", "/dev/log"});
  EXPECT_EQ(1, init("start").status);
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, dev_log_no_leaves_the_hosts_logger_in_place) {
  const Logger other("/dev/log");
  const Outcome outcome = init("start", {{"DEV_LOG", "no"}});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_TRUE(fs::is_socket(fs::symlink_status("/dev/log")));
  ASSERT_EQ(0, init("stop", {{"DEV_LOG", "no"}}).status);
  EXPECT_TRUE(fs::is_socket(fs::symlink_status("/dev/log")));
  EXPECT_EQ(std::vector<pid_t>{other.pid()}, processes_of("syslogd"));
}

// ---- Other loggers ---------------------------------------------------------

TEST_P(SyslogInit, busybox_serves_one_leading_directory) {
  fs::create_symlink("/bin/busybox", "/scratch/syslogd");
  settings()["SYSLOGD"] = "/scratch/syslogd";
  settings().erase("SYSLOGD_OPTS");
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ(0, init("restart").status);
  EXPECT_EQ(0, init("status").status);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(processes_of("busybox").empty() || std::string(GetParam()) == "busybox");
}

TEST_P(SyslogInit, busybox_cannot_leave_dev_log_alone) {
  fs::create_symlink("/bin/busybox", "/scratch/syslogd");
  settings()["SYSLOGD"] = "/scratch/syslogd";
  expect_error(init("start", {{"DEV_LOG", "no"}}),
               "/scratch/syslogd: busybox listens on /dev/log only, which does not lead to "
               "/virtual/log: set SYSLOGD to a logger that takes -p SOCKET");
}

/// rsyslog with the sample of conf/, as in /etc/rsyslog.d. If `domain` is not empty, the sample's
/// line for the socket of a single domain is enabled for it.
class Rsyslog : public Logger {
 public:
  explicit Rsyslog(const std::string& domain = "") : Logger(kSocket, command(domain)) {}

 private:
  static std::vector<std::string> command(const std::string& domain) {
    fs::remove("/run/rsyslog.pid");
    std::string sample =
        read_file(std::string(kSourceDirectory) + "/conf/samples/virtuald-rsyslog.conf.in");
    if (!domain.empty()) {
      const std::regex line("#(input.*)example\\.com(.*)example\\.com");
      EXPECT_TRUE(std::regex_search(sample, line));
      sample = std::regex_replace(sample, line, "$1" + domain + "$2" + domain);
    }
    write_file("/scratch/virtuald-rsyslog.conf", sample);
    write_file("/scratch/rsyslog.conf",
               "module(load=\"imuxsock\" SysSock.Use=\"off\")\n"
               "include(file=\"/scratch/virtuald-rsyslog.conf\")\n"
               "*.* /var/log/syslog\n");
    fs::path modules;
    for (const auto& entry : fs::recursive_directory_iterator(daemon_path("rsyslog", "/usr/lib"))) {
      if (entry.path().filename() == "imuxsock.so") {
        modules = entry.path().parent_path();
      }
    }
    return {daemon_path("rsyslog", "/usr/sbin/rsyslogd"),
            "-n",
            "-i",
            "/run/rsyslog.pid",
            "-f",
            "/scratch/rsyslog.conf",
            "-M",
            modules};
  }
};

TEST_P(SyslogInit, rsyslog_with_the_sample_hears_all_domains) {
  NEEDS_PACKAGES("rsyslog");
  settings()["SYSLOGD"] = "none";
  const Rsyslog rsyslog;
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  log_from("domain2.com", "for rsyslog");
  EXPECT_TRUE(is_logged("for rsyslog"));
}

TEST_P(SyslogInit, rsyslog_with_the_sample_names_the_domain) {
  NEEDS_PACKAGES("rsyslog");
  settings()["SYSLOGD"] = "none";
  fs::create_directory("/virtual/.log");
  fs::permissions("/virtual/.log", fs::perms::owner_all);
  const Rsyslog rsyslog("domain2.com");
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_TRUE(same_inode("/virtual/.log/domain2.com", "/virtual/domain2.com/dev/log"));
  EXPECT_TRUE(same_inode(kSocket, "/virtual/domain1.com/dev/log"));
  log_from("domain2.com", "of the second");
  log_from("domain1.com", "of the first");
  EXPECT_TRUE(arrives("of the second", "/var/log/virtual/domain2.com.log"));
  EXPECT_TRUE(is_logged("of the second"));
  EXPECT_TRUE(is_logged("of the first"));
  EXPECT_TRUE(std::regex_search(read_file(kLog), std::regex(" domain2\\.com [^\n]*of the second")));
  EXPECT_PRED2(lacks, read_file("/var/log/virtual/domain2.com.log"), "of the first");
  EXPECT_EQ(0, init("status").status);
  const Outcome made = run_script("virtfs", {"-q", "-p", "sh", "domain4.com"});
  EXPECT_EQ(0, made.status) << made.errors;
  EXPECT_TRUE(same_inode(kSocket, "/virtual/domain4.com/dev/log"));
}

TEST_P(SyslogInit, restart_of_rsyslog_is_reported_by_status_and_repaired_by_reload) {
  NEEDS_PACKAGES("rsyslog");
  settings()["SYSLOGD"] = "none";
  {
    const Rsyslog first;
    ASSERT_EQ(0, init("start").status);
  }
  ASSERT_TRUE(eventually([] { return !fs::exists(kSocket); }));
  const Rsyslog second;
  EXPECT_EQ(1, init("status").status);
  EXPECT_EQ(0, init("reload").status);
  EXPECT_EQ(0, init("status").status);
  EXPECT_TRUE(is_running(second.pid()));
}

TEST_P(SyslogInit, syslogd_none_without_a_listener_says_what_to_do) {
  expect_error(init("start", {{"SYSLOGD", "none"}}),
               "/virtual/log: nobody listens there: add the input of the sample "
               "virtuald-rsyslog.conf to rsyslog and restart it first");
}

TEST_P(SyslogInit, rsyslogd_as_syslogd_says_what_to_do) {
  NEEDS_PACKAGES("rsyslog");
  const std::string program = daemon_path("rsyslog", "/usr/sbin/rsyslogd");
  expect_error(init("start", {{"SYSLOGD", program}}),
               program +
                   ": has no option -p: add the input of the sample virtuald-rsyslog.conf to "
                   "rsyslog, and set SYSLOGD=none");
}

// ---- One logger for each domain --------------------------------------------

TEST_P(SyslogInit, per_domain_writes_to_the_domains_own_log) {
  for (const char* name : {"domain1.com", "domain2.com", "domain3.com"}) {
    give_logger(fs::path("/virtual") / name);
  }
  use_logger_of_each_domain();
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  log_from("domain1.com", "of domain1.com alone");
  EXPECT_TRUE(arrives("of domain1.com alone", "/virtual/domain1.com/var/log/syslog"));
  EXPECT_PRED2(lacks, read_file("/virtual/domain2.com/var/log/syslog"), "of domain1.com alone");
  EXPECT_FALSE(fs::exists(kLog));
  EXPECT_FALSE(fs::exists(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, per_domain_names_a_domain_without_a_logger_and_starts_the_rest) {
  give_logger("/virtual/domain1.com");
  give_logger("/virtual/domain3.com");
  use_logger_of_each_domain();
  expect_error(init("start"),
               "syslogd: not found in /virtual/domain2.com: install a logger there that takes -p "
               "SOCKET, or set SYSLOGD");
  EXPECT_EQ(1u, processes_of("syslogd", "/virtual/domain1.com").size());
  EXPECT_EQ(1u, processes_of("syslogd", "/virtual/domain3.com").size());
  EXPECT_EQ(1, init("status").status);
}

TEST_P(SyslogInit, per_domain_status_is_3_when_no_domain_has_a_logger) {
  EXPECT_EQ(3, init("status", {{"PER_DOMAIN", "yes"}}).status);
}

TEST_P(SyslogInit, per_domain_stop_ignores_pid_files_of_domains) {
  give_logger("/virtual/domain1.com");
  use_logger_of_each_domain();
  static_cast<void>(init("start"));
  const BackgroundProcess bystander(command_of({"sleep", "60"}));
  for (const char* name : {"syslog.pid", "syslogd.pid"}) {
    write_file(fs::path("/virtual/domain1.com/run") / name, std::to_string(bystander.pid()) + "\n");
  }
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(is_running(bystander.pid()));
  EXPECT_TRUE(processes_of("syslogd", "/virtual/domain1.com").empty());
}

TEST_P(SyslogInit, per_domain_log_that_is_a_link_is_not_read) {
  give_logger("/virtual/domain1.com");
  use_logger_of_each_domain();
  write_file("/virtual/domain1.com/etc/syslog.conf", "*.*\t/var/log/real\n");
  fs::create_symlink("real", "/virtual/domain1.com/var/log/syslog");
  const Outcome outcome = init("start");
  EXPECT_PRED2(contains, outcome.errors, "domain1.com: cut off: its message did not arrive in ");
  EXPECT_TRUE(arrives("from (domain1.com): heard", "/virtual/domain1.com/var/log/real"));
}

/// A domain keeps exchanging its log for a FIFO.
TEST_P(SyslogInit, per_domain_log_that_becomes_a_fifo_delays_nothing) {
  give_logger("/virtual/domain1.com");
  give_logger("/virtual/domain2.com");
  use_logger_of_each_domain();
  static_cast<void>(init("start"));
  ASSERT_EQ(0, ::mkfifo("/virtual/domain1.com/var/log/fifo", 0600));
  const BackgroundProcess exchanger(
      command_of({kService, "exchange", "/virtual/domain1.com/var/log/syslog",
                  "/virtual/domain1.com/var/log/fifo"}));
  for (int turn = 0; turn < 5; ++turn) {
    EXPECT_PRED2(contains, init("status").output, "domain2.com: heard\n");
  }
}

TEST_P(SyslogInit, per_domain_sparse_log_is_read_at_its_end) {
  give_logger("/virtual/domain1.com");
  use_logger_of_each_domain();
  const Descriptor log(
      ::open("/virtual/domain1.com/var/log/syslog", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_EQ(0, ::ftruncate(log.get(), off_t{1} << 40));
  EXPECT_PRED2(contains, init("start").output, "domain1.com: heard\n");
}

TEST_P(SyslogInit, per_domain_log_behind_a_link_out_of_the_domain_is_not_read) {
  give_logger("/virtual/domain1.com");
  use_logger_of_each_domain();
  fs::create_directory("/virtual/domain1.com/scratch");
  fs::remove("/virtual/domain1.com/var/log");
  fs::create_symlink("/scratch", "/virtual/domain1.com/var/log");
  ASSERT_EQ(0, ::mount("/virtual/domain1.com/scratch", "/scratch", nullptr, MS_BIND, nullptr));
  const Outcome outcome = init("start");
  EXPECT_PRED2(contains, outcome.errors, "domain1.com: cut off: its message did not arrive in ");
  EXPECT_TRUE(arrives("from (domain1.com): heard", "/scratch/syslog"));
  ::umount2("/scratch", MNT_DETACH);
}

// ---- Several disks ---------------------------------------------------------

TEST_P(SyslogInit, second_leading_directory_has_its_own_logger) {
  fs::create_directory("/virtual2");
  ASSERT_EQ(0, ::mount("tmpfs", "/virtual2", "tmpfs", 0, "mode=0755"));
  make_domain("domain9.com", "/virtual2");
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("start", {{"VIRTUAL", "/virtual2"}});
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "/dev/log: still leads to /virtual/log\n");
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
  EXPECT_NE(read_file("/run/virtuald/syslog/virtual/logger.pid"),
            read_file("/run/virtuald/syslog/virtual2/logger.pid"));
  ASSERT_EQ(0, init("stop", {{"VIRTUAL", "/virtual2"}}).status);
  EXPECT_EQ(0, init("status").status);
  ::umount2("/virtual2", MNT_DETACH);
}

// ---- Settings and usage ----------------------------------------------------

TEST_P(SyslogInit, settings_come_from_the_default_file) {
  write_file("/etc/default/virtuald", "DEV_LOG=no\n");
  ASSERT_EQ(0, init("start").status);
  EXPECT_FALSE(fs::exists(fs::symlink_status("/dev/log")));
}

TEST_P(SyslogInit, environment_overrides_the_default_file) {
  write_file("/etc/default/virtuald", "DEV_LOG=no\nVIRTUAL=/nowhere\n");
  ASSERT_EQ(0, init("start", {{"DEV_LOG", "yes"}, {"VIRTUAL", "/virtual"}}).status);
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, sample_of_the_default_file_changes_nothing) {
  fs::copy_file(std::string(kSourceDirectory) + "/conf/default/virtuald", "/etc/default/virtuald");
  EXPECT_EQ(0, init("start").status);
  EXPECT_EQ(kSocket, fs::read_symlink("/dev/log"));
}

TEST_P(SyslogInit, works_through_a_link_in_etc_init_d) {
  fs::create_directories("/etc/init.d");
  fs::remove("/etc/init.d/syslog.init");
  fs::create_symlink(std::string(kSourceDirectory) + "/scripts/bin/syslog.init",
                     "/etc/init.d/syslog.init");
  expect_line(run_script("/etc/init.d/syslog.init", {"status"}), 3,
              "not running: nobody listens on /virtual/log");
}

TEST_P(SyslogInit, variables_that_change_ls_and_cd_change_nothing) {
  ASSERT_EQ(0, init("start").status);
  EXPECT_EQ(0, init("status", {{"QUOTING_STYLE", "c"}}).status);
  Command command = script_with_settings("status");
  (*command.environment)["VIRTUAL"] = "virtual";
  (*command.environment)["CDPATH"] = "/";
  command.prepare = [] { static_cast<void>(::chdir("/")); };
  EXPECT_EQ(0, run(command).status);
}

TEST_P(SyslogInit, setting_that_is_neither_yes_nor_no_is_refused) {
  expect_error(init("start", {{"DEV_LOG", "maybe"}}), "DEV_LOG: neither yes nor no: maybe");
}

TEST_P(SyslogInit, missing_leading_directory_is_named) {
  expect_error(init("start", {{"VIRTUAL", "/nowhere"}}), "/nowhere: no such leading directory");
}

TEST_P(SyslogInit, wrong_usage_exits_with_2) {
  expect_2_for_wrong_usage();
}

TEST_P(SyslogInit, help_is_printed_on_standard_output) {
  expect_usage("usage: syslog.init start | stop | restart | reload | ");
}

TEST_P(SyslogInit, user_other_than_root_is_refused) {
  expect_refusal_of_another_user();
}

}  // namespace
