// sendmail.init with the real sendmail and exim.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "init_script.h"

namespace {

using namespace testing_support;

const fs::path kOne = "/virtual/domain1.com";
const fs::path kTwo = "/virtual/domain2.com";

std::string number(pid_t pid) {
  return "(process " + std::to_string(pid) + ")";
}

class SendmailInit : public InitScriptTest {
 protected:
  SendmailInit() : InitScriptTest("sendmail.init") {}

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitScriptTest::SetUp());
    if (IsSkipped()) {
      return;
    }
    NEEDS_PACKAGES("sendmail-bin", "sendmail-cf", "m4");
    static const bool prepared = (prepare_host(), true);
    static_cast<void>(prepared);
    link_sendmail();
    configure("/", "host.example", sample());
    make_mail_domain("domain1.com");
    make_mail_domain("domain2.com");
  }

  void TearDown() override {
    if (!IsSkipped()) {
      static_cast<void>(init("stop"));
    }
  }

  static void prepare_host() {
    overlay("/usr", {"sendmail-bin", "sendmail-cf", "m4"});
    make_writable("/var");
    write_file("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host.example\n");
  }

  /// Makes the link of Debian's alternatives, which another package may have removed.
  static void link_sendmail() {
    fs::remove("/usr/sbin/sendmail");
    fs::create_symlink("../libexec/sendmail/sendmail", "/usr/sbin/sendmail");
  }

  /// The sample of a domain's sendmail.mc.
  static std::string sample() {
    return read_file(std::string(kSourceDirectory) + "/conf/samples/sendmail.mc");
  }

  /// Makes sendmail.cf and the queue below `root` from a sendmail.mc of domain1.com.
  static void configure(const fs::path& root, const std::string& domain, const std::string& mc) {
    write_file(root / "etc/mail/sendmail.cf", sendmail_cf(mc, domain));
    write_file(root / "etc/mail/service.switch", "hosts files\naliases files\n");
    fs::create_directories(root / "var/spool/mqueue");
    ASSERT_EQ(0, ::chmod((root / "var/spool/mqueue").c_str(), 0700));
  }

  /// A domain as virtfs makes it, with bob in it.
  void make_mail_domain(const std::string& domain) {
    const Outcome outcome = run_script(
        "virtfs",
        {"-q", "-p", "sendmail", "-p", "/usr/libexec/sendmail/mail.local", "-p", "logger", domain});
    ASSERT_EQ(0, outcome.status) << outcome.errors;
    const fs::path root = fs::path("/virtual") / domain;
    add_bob(root);
    fs::copy_file("/etc/hosts", root / "etc/hosts", fs::copy_options::overwrite_existing);
    write_file(root / "etc/nsswitch.conf", "hosts: files\n");
    ASSERT_NO_FATAL_FAILURE(configure(root, domain, sample()));
  }

  static void add_bob(const fs::path& root) {
    write_file(root / "etc/passwd",
               read_file(root / "etc/passwd") + "bob:x:1001:1001:Bob:/:/bin/sh\n");
    write_file(root / "etc/group", read_file(root / "etc/group") + "bob:x:1001:\n");
  }

  /// Passes a message to the mail program of a domain, with `options`.
  static void send(const fs::path& root, const std::vector<std::string>& options,
                   const std::string& to, const std::string& text) {
    Command mail = command_of({"chroot", root, "sendmail"});
    mail.arguments.insert(mail.arguments.end(), options.begin(), options.end());
    mail.arguments.insert(mail.arguments.end(), {"-f", "bob@" + root.filename().string(), to});
    mail.input = "Subject: test\n\n" + text + "\n";
    const Outcome outcome = run(mail);
    ASSERT_EQ(0, outcome.status) << outcome.output << outcome.errors;
  }

  static fs::path spool_of_bob(const fs::path& root) { return root / "var/mail/bob"; }

  static pid_t runner(const fs::path& root) { return processes_of("sendmail", root).at(0); }

  static bool nothing_is_left(const fs::path& root) {
    return eventually([&] { return processes_of("sendmail", root).empty(); });
  }
};

INSTANTIATE_SHELLS(SendmailInit);

// ---- start -----------------------------------------------------------------

TEST_P(SendmailInit, start_starts_a_queue_runner_on_the_host_and_in_each_domain) {
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_EQ("sendmail.init: host: started: sendmail " + number(runner("/")) +
                "\n"
                "sendmail.init: domain1.com: started: sendmail " +
                number(runner(kOne)) +
                "\n"
                "sendmail.init: domain2.com: started: sendmail " +
                number(runner(kTwo)) + "\n",
            outcome.output);
}

TEST_P(SendmailInit, queued_messages_of_two_domains_are_delivered_each_to_its_own_bob) {
  send(kOne, {"-odq"}, "bob@domain1.com", "for the one bob");
  send(kTwo, {"-odq"}, "bob@domain2.com", "for the other bob");
  ASSERT_FALSE(fs::exists(spool_of_bob(kOne)));
  ASSERT_EQ(0, init("start").status);
  EXPECT_TRUE(arrives("for the one bob", spool_of_bob(kOne)));
  EXPECT_TRUE(arrives("for the other bob", spool_of_bob(kTwo)));
  EXPECT_PRED2(lacks, read_file(spool_of_bob(kOne)), "for the other bob");
}

TEST_P(SendmailInit, second_start_says_that_they_run) {
  ASSERT_EQ(0, init("start").status);
  const pid_t before = runner(kOne);
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(contains, outcome.output,
               "sendmail.init: domain1.com: already running: sendmail " + number(before) + "\n");
  EXPECT_EQ(1u, processes_of("sendmail", kOne).size());
}

TEST_P(SendmailInit, failed_runner_is_named_and_the_others_start) {
  fs::remove(kOne / "etc/mail/sendmail.cf");
  expect_error(init("start"),
               "domain1.com: /usr/sbin/sendmail -q1h: does not run (status 72): "
               "/etc/mail/sendmail.cf: line 0: cannot open: No such file or directory");
  // The process that started the queue runner may not have ended yet.
  EXPECT_TRUE(eventually([] { return processes_of("sendmail", kTwo).size() == 1; }));
  const Outcome status = init("status");
  EXPECT_EQ(1, status.status);
  EXPECT_EQ("sendmail.init: domain1.com: no queue runner\n", status.errors);
}

TEST_P(SendmailInit, domain_without_sendmail_is_skipped_and_named) {
  make_domain("domain3.com");
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("status");
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(contains, outcome.output,
               "sendmail.init: domain3.com: no sendmail or exim: skipped\n");
}

TEST_P(SendmailInit, link_to_the_hosts_programs_in_a_domain_is_not_followed) {
  const fs::path root = make_domain("domain3.com");
  fs::remove(root / "usr/sbin");
  fs::create_symlink("/usr/sbin", root / "usr/sbin");
  ASSERT_EQ(0, init("start").status);
  EXPECT_PRED2(contains, init("status").output,
               "sendmail.init: domain3.com: no sendmail or exim: skipped\n");
}

TEST_P(SendmailInit, host_without_sendmail_is_skipped) {
  for (const char* name : {"sendmail", "exim4", "exim"}) {
    fs::remove(fs::path("/usr/sbin") / name);
  }
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "sendmail.init: host: no sendmail or exim: skipped\n");
}

TEST_P(SendmailInit, queue_sets_the_interval) {
  ASSERT_EQ(0, init("start", {{"QUEUE", "15m"}}).status);
  EXPECT_TRUE(eventually([] {
    return contains(read_file("/proc/" + std::to_string(runner(kOne)) + "/cmdline"),
                    "Queue runner@00:15:00 for /var/spool/mqueue");
  }));
}

// ---- status ----------------------------------------------------------------

TEST_P(SendmailInit, status_is_3_when_none_runs) {
  EXPECT_EQ(3, init("status").status);
}

TEST_P(SendmailInit, status_is_0_and_names_each_process) {
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("status");
  EXPECT_EQ(0, outcome.status);
  EXPECT_PRED2(
      contains, outcome.output,
      "sendmail.init: domain2.com: sendmail " + number(runner(kTwo)) + " runs the queue\n");
}

TEST_P(SendmailInit, status_knows_a_queue_runner_whose_program_has_been_upgraded) {
  ASSERT_EQ(0, init("start").status);
  const fs::path program = kOne / "usr/libexec/sendmail/sendmail";
  fs::copy_file(program, program.string() + ".new");
  fs::rename(program.string() + ".new", program);
  EXPECT_EQ(0, init("status").status);
}

TEST_P(SendmailInit, status_ignores_pid_files_of_domains) {
  ASSERT_EQ(0, init("start").status);
  ASSERT_TRUE(kill_now(runner(kOne)));
  write_file(kOne / "run/sendmail.pid", std::to_string(runner(kTwo)) + "\n");
  EXPECT_EQ(1, init("status").status);
}

TEST_P(SendmailInit, status_ignores_a_mailer_that_root_does_not_own) {
  fs::copy_file("/bin/sleep", kOne / "tmp/sendmail");
  ASSERT_EQ(0, ::chown((kOne / "tmp/sendmail").c_str(), 1001, 1001));
  Command forgery = command_of({"sendmail -q1h", "60"});
  forgery.program = "/tmp/sendmail";
  forgery.prepare = [] {
    if (::chroot(kOne.c_str()) != 0 || ::setuid(1001) != 0) {
      ::_exit(1);
    }
  };
  const BackgroundProcess forged(forgery);
  ASSERT_TRUE(eventually([] { return processes_of("sendmail", kOne).size() == 1; }));
  EXPECT_EQ(3, init("status").status);
  ASSERT_EQ(0, init("start").status);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(is_running(forged.pid()));
}

/// The program belongs to root, like the real one, but is a copy of sleep.
TEST_P(SendmailInit, users_process_is_not_taken_for_the_hosts_queue_runner) {
  fs::copy_file("/bin/sleep", "/scratch/sendmail");
  Command poser = command_of({"sendmail -q1h", "60"});
  poser.program = "/scratch/sendmail";
  poser.prepare = [] {
    if (::setgid(1234) != 0 || ::setuid(1234) != 0) {
      ::_exit(1);
    }
  };
  const BackgroundProcess posing(poser);
  ASSERT_TRUE(eventually([] { return processes_of("sendmail").size() == 1; }));
  const Outcome outcome = init("start");
  EXPECT_PRED2(contains, outcome.output, "sendmail.init: host: started: sendmail ");
  EXPECT_TRUE(is_running(posing.pid()));
}

// ---- stop ------------------------------------------------------------------

TEST_P(SendmailInit, stop_leaves_no_process) {
  ASSERT_EQ(0, init("start").status);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(nothing_is_left("/"));
  EXPECT_TRUE(nothing_is_left(kOne));
  EXPECT_TRUE(nothing_is_left(kTwo));
}

TEST_P(SendmailInit, second_stop_says_that_nothing_runs) {
  expect_line(init("stop"), 0, "not running");
}

TEST_P(SendmailInit, stop_ignores_pid_files_of_domains) {
  ASSERT_EQ(0, init("start").status);
  const BackgroundProcess bystander(command_of({"sleep", "60"}));
  write_file(kOne / "run/sendmail.pid", std::to_string(bystander.pid()) + "\n");
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(is_running(bystander.pid()));
  EXPECT_TRUE(nothing_is_left(kOne));
}

TEST_P(SendmailInit, stop_spares_domains_in_another_leading_directory) {
  ASSERT_EQ(0, init("start").status);
  fs::create_directory("/virtual2");
  EXPECT_EQ(0, init("stop", {{"VIRTUAL", "/virtual2"}}).status);
  EXPECT_EQ(1u, processes_of("sendmail", kOne).size());
  EXPECT_EQ(1u, processes_of("sendmail", "/").size());
}

TEST_P(SendmailInit, stop_spares_the_hosts_own_mail_daemon) {
  ASSERT_EQ(0, run({"/usr/sbin/sendmail", "-q30m"}).status);
  ASSERT_TRUE(eventually([] { return processes_of("sendmail").size() == 1; }));
  const pid_t own = runner("/");
  ASSERT_EQ(0, init("start").status);
  const Outcome outcome = init("stop");
  EXPECT_PRED2(contains, outcome.output,
               "sendmail.init: host: sendmail " + number(own) + ": not started here, left alone\n");
  EXPECT_TRUE(is_running(own));
  ::kill(own, SIGTERM);
  EXPECT_TRUE(nothing_is_left("/"));
}

TEST_P(SendmailInit, stop_spares_a_session_that_inetd_has_started) {
  const BackgroundProcess session(
      command_of({"sh", "-c", "sleep 60 | chroot /virtual/domain1.com /usr/sbin/sendmail -bs"}));
  ASSERT_TRUE(eventually([] { return !processes_of("sendmail", kOne).empty(); }));
  const pid_t pid = runner(kOne);
  EXPECT_EQ(3, init("status").status);
  ASSERT_EQ(0, init("start").status);
  ASSERT_EQ(0, init("stop").status);
  EXPECT_EQ(std::vector<pid_t>{pid}, processes_of("sendmail", kOne));
  ::kill(pid, SIGTERM);
}

/// A queue runner ends while stop looks at it, and a process of the host gets its pid.
TEST_P(SendmailInit, stop_spares_a_process_that_got_the_pid_of_a_queue_runner) {
  ASSERT_EQ(0, init("start").status);
  const pid_t pid = runner(kOne);
  fs::copy(fs::path(kSourceDirectory) / "scripts", "/scratch/scripts", fs::copy_options::recursive);
  const fs::path copy = "/scratch/scripts/bin/sendmail.init";
  std::string text = read_file(copy);
  text.replace(text.find("\nruns_queue()"), 13, "\nreally_runs_queue()");
  text.replace(text.find("\nmain \"$@\""), 10, R"sh(
runs_queue() {
  really_runs_queue "$1" || return
  [ "${1#/proc/}" = "$PID" ] || return 0
  kill -KILL "$PID"
  while [ -e "/proc/$PID" ]; do sleep 0.1; done
  echo "$((PID - 1))" >/proc/sys/kernel/ns_last_pid
  /scratch/bystander 60 >/dev/null 2>&1 </dev/null &
}
main "$@"
)sh");
  write_file(copy, text);
  fs::copy_file("/bin/sleep", "/scratch/bystander");
  Command command = script(copy, {"stop"});
  (*command.environment)["PID"] = std::to_string(pid);
  EXPECT_EQ(0, run(command).status);
  EXPECT_EQ(std::vector<pid_t>{pid}, processes_of("bystander"));
  EXPECT_TRUE(kill_now(pid));
}

TEST_P(SendmailInit, stop_that_was_killed_can_be_run_again) {
  const BackgroundProcess slow(command_of(
      {"sh", "-c", "trap 'echo signalled' TERM; echo ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(eventually([&slow] { return slow.log() == "ready\n"; }));
  const std::string pid = std::to_string(slow.pid());
  const fs::path note = "/run/virtuald/sendmail/virtual/host";
  const std::string status = read_file("/proc/" + pid + "/stat");
  std::istringstream fields(status.substr(status.rfind(')') + 2));
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  write_file(note, pid + " " + words.at(19) + "\n");  // when it was started
  BackgroundProcess stopping(script("sendmail.init", {"stop"}));
  ASSERT_TRUE(eventually([&slow] { return contains(slow.log(), "signalled"); }));
  ::kill(stopping.pid(), SIGKILL);
  stopping.stop();
  EXPECT_EQ(0, init("stop").status);
  EXPECT_FALSE(is_running(slow.pid()));
  EXPECT_FALSE(fs::exists(note));
}

TEST_P(SendmailInit, runners_of_domains_get_no_descriptor_or_namespace_of_the_host) {
  Command command = script("sendmail.init", {"start"});
  command.prepare = [] { ::dup2(STDERR_FILENO, 17); };
  ASSERT_EQ(0, run(command).status);
  const fs::path process = "/proc/" + std::to_string(runner(kOne));
  struct stat own {};
  ASSERT_EQ(0, ::stat((kOne / "dev/null").c_str(), &own));
  for (const fs::directory_entry& entry : fs::directory_iterator(process / "fd")) {
    struct stat status {};
    ASSERT_EQ(0, ::stat(entry.path().c_str(), &status));
    EXPECT_TRUE(S_ISSOCK(status.st_mode) || status.st_dev == own.st_dev)
        << fs::read_symlink(entry.path());
    EXPECT_NE("17", entry.path().filename());
  }
  EXPECT_NE(fs::read_symlink("/proc/self/ns/mnt"), fs::read_symlink(process / "ns/mnt"));
}

TEST_P(SendmailInit, hung_mailer_delays_no_other_domain) {
  fs::remove(kOne / "usr/sbin/sendmail");
  fs::copy_file("/bin/busybox", kOne / "bin/busybox", fs::copy_options::skip_existing);
  write_program(kOne / "usr/sbin/sendmail",
                "#!/bin/busybox sh\ntrap '' TERM HUP INT\n/bin/busybox sleep 300\n");
  const BackgroundProcess starting(script("sendmail.init", {"start"}));
  EXPECT_TRUE(eventually([] { return processes_of("sendmail", kTwo).size() == 1; }));
}

TEST_P(SendmailInit, restart_starts_them_again) {
  ASSERT_EQ(0, init("start").status);
  const pid_t before = runner(kOne);
  EXPECT_EQ(0, init("restart").status);
  EXPECT_NE(before, runner(kOne));
  EXPECT_EQ(0, init("status").status);
}

// ---- exim ------------------------------------------------------------------

class EximInit : public SendmailInit {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(SendmailInit::SetUp());
    if (IsSkipped()) {
      return;
    }
    NEEDS_PACKAGES("exim4-daemon-light");
    overlay("/usr", {"exim4-daemon-light"});
    link_sendmail();
    const Outcome outcome = run_script("virtfs", {"-q", "-p", "exim4", "domain3.com"});
    ASSERT_EQ(0, outcome.status) << outcome.errors;
    add_bob(kRoot);
    write_file(kRoot / "etc/passwd",
               read_file(kRoot / "etc/passwd") + "Debian-exim:x:1002:1002::/:/bin/false\n");
    write_file(kRoot / "etc/group", read_file(kRoot / "etc/group") + "Debian-exim:x:1002:\n");
    fs::create_directories(kRoot / "var/spool/exim4");
    ASSERT_EQ(0, ::chown((kRoot / "var/spool/exim4").c_str(), 1002, 1002));
    ASSERT_EQ(0, ::chmod((kRoot / "usr/sbin/exim4").c_str(), 04755));
    write_file(kRoot / "etc/exim4/exim4.conf",
               "primary_hostname = domain3.com\n"
               "domainlist local_domains = domain3.com\n"
               "log_file_path = syslog\n"
               "spool_directory = /var/spool/exim4\n"
               "exim_user = Debian-exim\nexim_group = Debian-exim\n"
               "never_users =\n"
               "begin routers\n"
               "local:\n  driver = accept\n  domains = +local_domains\n"
               "  check_local_user\n  transport = spool\n"
               "begin transports\n"
               "spool:\n  driver = appendfile\n  file = /var/mail/$local_part_data\n"
               "  user = $local_part_data\n  group = mail\n");
  }

  void TearDown() override {
    SendmailInit::TearDown();
    ::umount2("/usr", MNT_DETACH);
  }

  static inline const fs::path kRoot = "/virtual/domain3.com";
};

INSTANTIATE_SHELLS(EximInit);

TEST_P(EximInit, queue_runner_of_exim_delivers_and_stops) {
  Command mail =
      command_of({"chroot", kRoot, "exim4", "-odq", "-f", "bob@domain3.com", "bob@domain3.com"});
  mail.input = "Subject: test\n\nby exim\n";
  ASSERT_EQ(0, run(mail).status);
  const Outcome outcome = init("start");
  EXPECT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_PRED2(contains, outcome.output, "sendmail.init: domain3.com: started: exim4 (process ");
  EXPECT_TRUE(arrives("by exim", spool_of_bob(kRoot)));
  EXPECT_EQ(0, init("status").status);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(eventually([] { return processes_of("exim4", kRoot).empty(); }));
}

TEST_P(EximInit, exim_called_sendmail_is_recognised) {
  fs::create_symlink("exim4", kRoot / "usr/sbin/sendmail");
  EXPECT_EQ(0, init("start").status);
  EXPECT_EQ(0, init("status").status);
  EXPECT_EQ(0, init("stop").status);
  EXPECT_TRUE(eventually([] { return processes_of("exim4", kRoot).empty(); }));
}

// ---- Both scripts ----------------------------------------------------------

TEST_P(SendmailInit, both_scripts_together_lose_no_message_of_any_domain) {
  NEEDS_PACKAGES("inetutils-syslogd");
  settings()["SYSLOGD"] = daemon_path("inetutils-syslogd", "/usr/sbin/syslogd");
  settings()["SYSLOGD_OPTS"] = "--no-klog";
  write_file("/etc/syslog.conf", "*.*\t/var/log/syslog\n");
  fs::remove("/var/log/syslog");
  send(kOne, {"-odq"}, "bob@domain1.com", "for the one bob");
  send(kTwo, {"-odq"}, "bob@domain2.com", "for the other bob");

  EXPECT_EQ(0, init_by("syslog.init", "start").status);
  EXPECT_EQ(0, init("start").status);
  const pid_t one = runner(kOne);
  const pid_t two = runner(kTwo);
  // With their pids, because syslogd replaces identical lines with "last message repeated".
  EXPECT_EQ(0, run_script("virtexec", {"-a", "logger", "-i", "hello"}).status);
  EXPECT_EQ(0, init_by("syslog.init", "status").status);
  EXPECT_EQ(0, init_by("syslog.init", "restart").status);
  EXPECT_EQ(0, run_script("virtexec", {"-a", "logger", "-i", "again"}).status);

  const auto times_logged = [](const std::string& text) {
    const std::vector<std::string> lines = split_lines(read_file("/var/log/syslog"));
    return std::count_if(lines.begin(), lines.end(),
                         [&text](const std::string& line) { return line.ends_with(": " + text); });
  };
  EXPECT_TRUE(eventually([&] { return times_logged("again") == 2; }));
  EXPECT_EQ(2, times_logged("hello"));
  EXPECT_EQ(one, runner(kOne));
  EXPECT_EQ(two, runner(kTwo));
  EXPECT_TRUE(arrives("for the one bob", spool_of_bob(kOne)));
  EXPECT_TRUE(arrives("for the other bob", spool_of_bob(kTwo)));
  EXPECT_EQ(0, init_by("syslog.init", "stop").status);
}

// ---- Usage -----------------------------------------------------------------

class SendmailInitUsage : public InitScriptTest {
 protected:
  SendmailInitUsage() : InitScriptTest("sendmail.init") {}
};

INSTANTIATE_SHELLS(SendmailInitUsage);

TEST_P(SendmailInitUsage, wrong_usage_exits_with_2) {
  expect_2_for_wrong_usage();
}

TEST_P(SendmailInitUsage, help_is_printed_on_standard_output) {
  expect_usage("usage: sendmail.init start | stop | restart | status\n");
}

TEST_P(SendmailInitUsage, queue_that_is_not_an_interval_is_refused) {
  for (const char* value : {"-bd", "often", "15"}) {
    const Outcome outcome = init("start", {{"QUEUE", value}});
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ(
        "sendmail.init: QUEUE: not an interval such as 1h or 15m: " + std::string(value) + "\n",
        outcome.errors);
  }
}

TEST_P(SendmailInitUsage, user_other_than_root_is_refused) {
  expect_refusal_of_another_user();
}

}  // namespace
