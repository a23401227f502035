// virtuald -x: what a program in a root gets from the host, what it can do to its caller, and what
// the caller sees.

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "files.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "terminal.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const std::string kRoot = "/virtual/domain1.com";
const std::string kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

class Enter : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    if (!fs::exists("/bin/busybox")) {
      SKIP_OR_FAIL("needs busybox-static");
    }
    make_root(kRoot, "domain1");
    fs::create_directories(kRoot + "/bin");
    fs::create_directories(kRoot + "/run");
    fs::copy_file("/bin/busybox", kRoot + "/bin/busybox");
    for (const char* name : {"sh", "cat", "env", "pwd", "seq", "setsid", "sleep", "stty", "yes"}) {
      fs::create_symlink("busybox", fs::path(kRoot) / "bin" / name);
    }
    write_file(kRoot + "/dev/null", "");  // the shell's background processes read it
    write_file(kRoot + "/etc/passwd",
               "daemon:x:1:1::/:/bin/false\nroot:x:0:0::/home/r:/bin/ash\n"
               "www:x:33:33::/srv:/bin/www-shell\n");
    write_file(kRoot + "/etc/group", "www:x:33:\nextra:x:44:www\n");
  }

  /// virtuald -x with these options, for this program.
  static Command entering(const Strings& options, const Strings& program) {
    Strings arguments = {kVirtuald, "-x"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(kRoot);
    arguments.insert(arguments.end(), program.begin(), program.end());
    return command_of(arguments);
  }

  static Outcome enter(const Strings& program) { return run(entering({}, program)); }

  static Outcome enter_with(const Strings& options, const Strings& program) {
    return run(entering(options, program));
  }

  /// The same as a shell command, for a terminal.
  static std::string words(const std::string& program, const std::string& options = "") {
    return std::string(kVirtuald) + " -x " + options + " " + kRoot + " " + program;
  }

  static void expect_refusal_of(const Outcome& outcome, int status, const std::string& message) {
    EXPECT_EQ("", outcome.output);
    EXPECT_EQ("virtuald: " + message + "\n", outcome.errors);
    EXPECT_EQ(status, outcome.status);
  }

  /// True while a process has `mark` on its command line.
  static bool is_running(const std::string& mark) {
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
      std::error_code gone;
      if (!fs::exists(entry.path() / "cmdline", gone)) {
        continue;
      }
      try {
        if (read_file(entry.path() / "cmdline").find(mark) != std::string::npos) {
          return true;
        }
      } catch (const std::exception&) {
        continue;  // it has ended
      }
    }
    return false;
  }

  /// The session's leader, which is the only child of virtuald.
  static pid_t leader_of(pid_t pid) {
    const std::string id = std::to_string(pid);
    return std::stoi(read_file("/proc/" + id + "/task/" + id + "/children"));
  }

  /// The state of a process as /proc shows it: R, S, T (stopped) or Z (ended).
  static char state_of(pid_t pid) {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
    return text.at(text.rfind(')') + 2);
  }
};

// How the program is started.

TEST_F(Enter, starts_the_program_in_the_top_directory_of_the_root) {
  const Outcome outcome = enter({"sh", "-c", "pwd; cat name"});
  EXPECT_EQ("/\ndomain1\n", outcome.output);
  EXPECT_EQ("", outcome.errors);
  EXPECT_EQ(0, outcome.status);
}

TEST_F(Enter, takes_a_relative_root) {
  Command command = command_of({kVirtuald, "-x", "domain1.com", "cat", "/name"});
  command.prepare = [] {
    if (::chdir("/virtual") != 0) {
      ::_exit(200);
    }
  };
  EXPECT_EQ("domain1\n", run(command).output);
}

TEST_F(Enter, passes_the_arguments_unchanged) {
  EXPECT_EQ("argument 0: service\nargument 1: -x\nargument 2: two  words\nargument 3: \n",
            enter({"service", "-x", "two  words", ""}).output);
}

TEST_F(Enter, isolates_on_request) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("domain1\n", enter_with({"-i"}, {"service"}).output);
  EXPECT_EQ("out: traces its parent\n", enter({"service", "trace"}).output);
  EXPECT_EQ("ptrace: Operation not permitted\n", enter_with({"-i"}, {"service", "trace"}).output);
}

/// A filter of system calls does not know the caller's process ID.
TEST_F(Enter, isolated_program_cannot_tune_itself_by_its_number) {
  NEEDS_REAL_ROOT();
  const Strings by_number = {"sh", "-c", "exec busybox renice -n 1 -p $$"};
  EXPECT_EQ(0, enter(by_number).status);
  EXPECT_EQ("renice: setpriority: Operation not permitted\n", enter_with({"-i"}, by_number).errors);
}

TEST_F(Enter, isolates_what_is_limited) {
  NEEDS_REAL_ROOT();
  const Outcome outcome = enter_with({"-i", "-l", "9", "-u", "www"}, {"/usr/sbin/service"});
  EXPECT_EQ("domain1\n", outcome.output);
  EXPECT_EQ("", outcome.errors);
}

TEST_F(Enter, environment_is_that_of_a_login_of_root) {
  Command command = entering({}, {"service", "environment"});
  command.environment = {{"SECRET", "of the host"},
                         {"TERM", "xterm-256color"},
                         {"PATH", "/of/the/host"},
                         {"HOME", "/root"}};
  EXPECT_EQ("TERM=xterm-256color\nHOME=/home/r\nSHELL=/bin/ash\nPATH=" + kDefaultPath +
                "\nUSER=root\nLOGNAME=root\n",
            run(command).output);
}

TEST_F(Enter, environment_is_that_of_a_login_of_the_user) {
  NEEDS_REAL_ROOT();
  write_file(kRoot + "/etc/login.defs", "ENV_SUPATH PATH=/s\nENV_PATH PATH=/usr/sbin:/bin\n");
  Command command = entering({"-u", "www"}, {"service", "environment"});
  command.environment.emplace();
  EXPECT_EQ("HOME=/srv\nSHELL=/bin/www-shell\nPATH=/usr/sbin:/bin\nUSER=www\nLOGNAME=www\n",
            run(command).output);
}

TEST_F(Enter, environment_of_a_number_is_that_of_its_user) {
  NEEDS_REAL_ROOT();
  Command command = entering({"-u", "33:1"}, {"/usr/sbin/service", "environment"});
  command.environment.emplace();
  EXPECT_EQ(
      "HOME=/srv\nSHELL=/bin/www-shell\nPATH=/usr/local/bin:/usr/bin:/bin\nUSER=www\n"
      "LOGNAME=www\n",
      run(command).output);
}

TEST_F(Enter, environment_of_an_unknown_number_has_defaults) {
  NEEDS_REAL_ROOT();
  Command command = entering({"-u", "77:77"}, {"/usr/sbin/service", "environment"});
  command.environment.emplace();
  EXPECT_EQ("HOME=/\nSHELL=/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin\nUSER=77\nLOGNAME=77\n",
            run(command).output);
}

TEST_F(Enter, invalid_terminal_type_is_left_out) {
  for (const std::string& type : {std::string("/tmp/evil"), std::string("a:tc=b"), std::string(),
                                  std::string("$(id)"), std::string(65, 'x')}) {
    Command command = entering({}, {"service", "environment"});
    command.environment = {{"TERM", type}};
    EXPECT_FALSE(contains(run(command).output, "TERM=")) << type;
  }
}

TEST_F(Enter, search_path_is_the_last_of_login_defs) {
  write_file(kRoot + "/etc/login.defs",
             "# ENV_SUPATH PATH=/comment\nENV_SUPATH PATH=/first\nENV_PATH PATH=/x\n"
             "ENV_SUPATHS PATH=/y\n \tENV_SUPATH\t \"PATH=/usr/sbin:/bin\" \t\nENV_SUPATH\n");
  EXPECT_TRUE(contains(enter({"service", "environment"}).output, "\nPATH=/usr/sbin:/bin\n"));
}

TEST_F(Enter, search_path_needs_no_prefix) {
  write_file(kRoot + "/etc/login.defs", "ENV_SUPATH /usr/sbin");
  EXPECT_TRUE(contains(enter({"service", "environment"}).output, "\nPATH=/usr/sbin\n"));
}

/// The domain's search path must not affect the host.
TEST_F(Enter, search_path_of_the_root_is_not_used_outside) {
  write_file(kRoot + "/etc/login.defs", "ENV_SUPATH PATH=" + kRoot + "/x\n");
  for (const char* name : {"env", "sh", "setsid", "chroot", "virtuald"}) {
    write_program(fs::path(kRoot) / "x" / name, "#!/bin/sh\necho out >/run/escaped\n");
  }
  expect_refusal_of(
      enter({"sh"}), 127,
      "exec sh in " + kRoot + ": No such file or directory on the path " + kRoot + "/x");
  EXPECT_FALSE(fs::exists("/run/escaped"));
}

class Nonsense : public Enter {
 protected:
  /// Expects the defaults, without delay, whatever the files are.
  static void expect_defaults() {
    Command command = entering({}, {"service", "environment"});
    command.environment.emplace();
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = run(command);
    EXPECT_EQ("HOME=/\nSHELL=/bin/sh\nPATH=" + kDefaultPath + "\nUSER=root\nLOGNAME=root\n",
              outcome.output);
    EXPECT_EQ("", outcome.errors);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  }

  static void write_both(const std::string& passwd, const std::string& login_defs) {
    write_file(kRoot + "/etc/passwd", passwd);
    write_file(kRoot + "/etc/login.defs", login_defs);
  }
};

TEST_F(Nonsense, missing_files) {
  fs::remove_all(kRoot + "/etc");
  expect_defaults();
}

TEST_F(Nonsense, fifos) {
  for (const char* name : {"/etc/passwd", "/etc/login.defs"}) {
    fs::remove(kRoot + name);
    ASSERT_EQ(0, ::mkfifo((kRoot + name).c_str(), 0644));
  }
  expect_defaults();
}

TEST_F(Nonsense, directories) {
  for (const char* name : {"/etc/passwd", "/etc/login.defs"}) {
    fs::remove(kRoot + name);
    fs::create_directory(kRoot + name);
  }
  expect_defaults();
}

TEST_F(Nonsense, files_of_a_terabyte) {
  write_both("", "# a line\n");
  fs::resize_file(kRoot + "/etc/passwd", std::uintmax_t{1} << 40);
  fs::resize_file(kRoot + "/etc/login.defs", std::uintmax_t{1} << 40);
  expect_defaults();
}

TEST_F(Nonsense, more_lines_than_anybody_needs) {
  const std::string many(std::size_t{5} * 1024 * 1024, '\n');
  write_both(many + "root:x:0:0::/late:/late\n", many + "ENV_SUPATH PATH=/late\n");
  expect_defaults();
}

TEST_F(Nonsense, links_to_the_hosts_files) {
  write_file("/tmp/passwd", "root:x:0:0::/of/the/host:/of/the/host\n");
  write_file("/tmp/login.defs", "ENV_SUPATH PATH=/of/the/host\n");
  for (const char* name : {"passwd", "login.defs"}) {
    fs::remove(kRoot + "/etc/" + name);
    fs::create_symlink(std::string("/tmp/") + name, kRoot + "/etc/" + name);
  }
  expect_defaults();
}

TEST_F(Nonsense, absurd_entries) {
  write_both("root:x:0\n:x:0:0::relative:\n", "ENV_SUPATH PATH=\nENV_SUPATH \"\n");
  expect_defaults();
}

TEST_F(Nonsense, values_that_do_not_fit) {
  const std::string much = "/" + std::string(5000, 'a');
  write_both("root:x:0:0::" + much + ":" + much + "\n", "ENV_SUPATH PATH=" + much + "\n");
  expect_defaults();
}

TEST_F(Nonsense, values_with_a_nul) {
  const std::string value("/a\0b", 4);
  write_both("root:x:0:0::" + value + ":" + value + "\n", "ENV_SUPATH PATH=" + value + "\n");
  expect_defaults();
}

// What the program inherits from the process that started virtuald.

TEST_F(Enter, no_other_descriptor_reaches_the_program) {
  Command command = entering({}, {"service", "descriptors"});
  command.prepare = [] {
    const int root = ::open("/", O_RDONLY | O_DIRECTORY);
    for (const int number : {3, 4, 9, 17, 100}) {
      ::dup2(root, number);
    }
  };
  EXPECT_EQ("descriptors 0 1 2\n", run(command).output);
}

TEST_F(Enter, inherited_directory_does_not_lead_out) {
  Command command = entering({}, {"service", "leave", "17"});
  command.prepare = [] { ::dup2(::open("/", O_RDONLY | O_DIRECTORY), 17); };
  EXPECT_EQ("fchdir: Bad file descriptor\n", run(command).output);
}

TEST_F(Enter, signals_and_umask_are_clean) {
  Command command = entering({}, {"sh", "-c", "service signals; service ignored; umask"});
  command.prepare = [] {
    for (int signal = 1; signal < SIGRTMAX; ++signal) {
      ::signal(signal, SIG_IGN);
    }
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::umask(0);
  };
  EXPECT_EQ("ignored blocked\nignored\n0022\n", run(command).output);
}

void join_groups() {
  const gid_t groups[] = {0, 5, 44, 1000};
  if (::setgroups(4, groups) != 0 || ::setgid(1000) != 0) {
    ::_exit(200);
  }
}

TEST_F(Enter, groups_of_the_caller_are_dropped) {
  NEEDS_REAL_ROOT();
  Command command = entering({}, {"service", "identity"});
  command.prepare = join_groups;
  EXPECT_EQ("uid 0 euid 0 gid 0 egid 0 groups\n", run(command).output);
}

TEST_F(Enter, becomes_the_user_with_the_roots_groups) {
  NEEDS_REAL_ROOT();
  Command command = entering({"-u", "www"}, {"/usr/sbin/service", "identity"});
  command.prepare = join_groups;
  EXPECT_EQ("uid 33 euid 33 gid 33 egid 33 groups 44\n", run(command).output);
}

/// Reports whether a program can open the terminal that it might type on.
constexpr const char* kOpenTerminal = "if (: >/dev/tty); then echo reached; else echo cut off; fi";

/// Gives the root a dev/tty, the controlling terminal of a process.
void bind_terminal() {
  write_file(kRoot + "/dev/tty", "");
  ASSERT_EQ(0, run({"mount", "--bind", "/dev/tty", kRoot + "/dev/tty"}).status);
}

TEST_F(Enter, controlling_terminal_that_is_on_no_descriptor_does_not_reach_the_program) {
  NEEDS_REAL_ROOT();
  bind_terminal();
  Command command = entering({}, {"sh", "-c", kOpenTerminal});
  command.arguments.insert(
      command.arguments.begin(),
      {"sh", "-c", "\"$@\" </dev/null >/run/said 2>/dev/null; cat /run/said", "sh"});
  Terminal terminal(command);
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("cut off\r\n", terminal.screen());
}

TEST_F(Enter, streams_are_the_callers) {
  Command command = entering({}, {"sh", "-c", "cat; echo error >&2"});
  command.input = "first\nlast";
  const Outcome outcome = run(command);
  EXPECT_EQ("first\nlast", outcome.output);
  EXPECT_EQ("error\n", outcome.errors);
}

/// The reader of a pipe must wait for the program only.
TEST_F(Enter, pipe_that_the_program_closes_is_closed) {
  int ends[2];
  ASSERT_EQ(0, ::pipe2(ends, O_CLOEXEC));
  const Descriptor reader(ends[0]);
  const pid_t pid = start(entering({}, {"sh", "-c", "exec >&- 2>&-; sleep 1000"}), -1, ends[1], -1);
  ::close(ends[1]);
  EXPECT_EQ("", receive_all(reader.get()));
  EXPECT_NE('Z', state_of(pid));
  ::kill(pid, SIGTERM);
  EXPECT_EQ(128 + SIGTERM, wait_for(pid));
}

TEST_F(Enter, program_ends_if_its_pipe_is_no_longer_read) {
  EXPECT_EQ("y\n", run({"sh", "-c", words("yes") + " | head -n 1"}).output);
  EXPECT_FALSE(is_running("yes"));
}

// How the program ends.

TEST_F(Enter, exit_status_is_the_programs) {
  EXPECT_EQ(7, enter({"sh", "-c", "exit 7"}).status);
}

TEST_F(Enter, dies_of_the_programs_signal) {
  EXPECT_EQ(128 + SIGKILL, enter({"sh", "-c", "kill -KILL $$"}).status);
  EXPECT_EQ(128 + SIGUSR1, enter({"sh", "-c", "kill -USR1 $$"}).status);
}

TEST_F(Enter, leaves_no_core_dump_of_virtuald) {
  Command command = entering({}, {"sh", "-c", "ulimit -c 0; kill -SEGV $$"});
  command.prepare = [] {
    const rlimit much = {RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CORE, &much);
    static_cast<void>(::chdir("/tmp"));
  };
  const pid_t pid = start(command, -1, -1, -1);
  int status = 0;
  ASSERT_EQ(pid, ::waitpid(pid, &status, 0));
  EXPECT_EQ(SIGSEGV, WTERMSIG(status));
  EXPECT_FALSE(WCOREDUMP(status));
}

/// Such a process does not die of a signal that it sends itself.
TEST_F(Enter, reports_a_signal_by_its_status_as_the_first_process_of_a_namespace) {
  Command command = entering({}, {"sh", "-c", "kill -TERM $$"});
  command.arguments.insert(command.arguments.begin(), {"unshare", "--fork", "--pid"});
  EXPECT_EQ(128 + SIGTERM, run(command).status);
}

TEST_F(Enter, does_not_wait_for_a_background_process) {
  const Outcome outcome =
      enter({"sh", "-c", "setsid sleep 1001 </dev/null >/dev/null 2>&1 & echo started"});
  EXPECT_EQ("started\n", outcome.output);
  EXPECT_EQ(0, outcome.status);
}

TEST_F(Enter, says_why_the_program_does_not_start) {
  expect_refusal_of(
      enter({"nothing"}), 127,
      "exec nothing in " + kRoot + ": No such file or directory on the path " + kDefaultPath);
  expect_refusal_of(enter({"/name"}), 126, "exec /name in " + kRoot + ": Permission denied");
}

TEST_F(Enter, refuses_a_root_that_somebody_else_could_change) {
  ASSERT_EQ(0, ::chmod(kRoot.c_str(), 0777));
  const std::string reason = kRoot +
                             ": owned by uid 0, mode 0777: a root must be owned by root and not "
                             "writable by anyone else (-w only "
                             "warns)";
  expect_refusal_of(enter({"service"}), 125, reason);
  const Outcome warned = enter_with({"-w"}, {"service"});
  EXPECT_EQ("domain1\n", warned.output);
  EXPECT_EQ("virtuald: " + reason + "\n", warned.errors);
}

TEST_F(Enter, refuses_a_missing_root) {
  expect_refusal_of(run({kVirtuald, "-x", "/virtual/none", "service"}), 125,
                    "chroot /virtual/none: No such file or directory");
}

TEST_F(Enter, refuses_invalid_users) {
  expect_refusal_of(enter_with({"-u", ""}, {"service"}), 125, "-u : an empty name");
  expect_refusal_of(enter_with({"-u", "none"}, {"service"}), 125,
                    kRoot + "/etc/passwd: no user none");
}

TEST_F(Enter, refuses_a_wrong_command_line) {
  expect_refusal_of(run({kVirtuald, "-x", kRoot}), 125,
                    "-x takes a root and a program to run in it");
  expect_refusal_of(enter_with({"-a", "x"}, {"service"}), 125, "-a cannot be combined with -x");
  expect_refusal_of(run({kVirtuald, "-l", "1", "/virtual/conf", "service"}), 125,
                    "-b and -l need -x");
  expect_refusal_of(run({kVirtuald, "-b", "/virtual/conf", "service"}), 125, "-b and -l need -x");
  expect_refusal_of(enter_with({"-b", "-l", "1"}, {"service"}), 125,
                    "-b and -l cannot be combined");
  for (const char* seconds : {"", "0", "-1", "1s", "86401", "99999999999"}) {
    expect_refusal_of(enter_with({"-l", seconds}, {"service"}), 125,
                      "-l " + std::string(seconds) + ": not a number of seconds, 1 to 86400");
  }
}

TEST_F(Enter, refuses_a_caller_other_than_root) {
  NEEDS_REAL_ROOT();
  Command command = entering({}, {"service"});
  command.prepare = [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      ::_exit(200);
    }
  };
  expect_refusal_of(
      run(command), 125,
      "chroot " + kRoot + ": Operation not permitted (virtuald must be started as root)");
}

class EnterFaults : public Enter {
 protected:
  void SetUp() override {
    Enter::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    NEEDS_STRACE();
  }

  static Outcome enter_with_fault(const std::string& fault, const Strings& options = {}) {
    Command command = entering(options, {"service"});
    command.arguments.insert(command.arguments.begin(),
                             {"strace", "-f", "-o", "/tmp/trace", "-e", "inject=" + fault});
    return run(command);
  }
};

TEST_F(EnterFaults, no_process) {
  expect_refusal_of(enter_with_fault("pipe2:error=EMFILE"), 125,
                    "fork of a session: " + reason_of(EMFILE));
  expect_refusal_of(enter_with_fault("setsid:error=EPERM"), 125,
                    "fork of a session: Operation not permitted");
  expect_refusal_of(enter_with_fault("setsid:error=EPERM", {"-b"}), 125,
                    "fork of a session: Operation not permitted");
}

/// virtuald executes another program for -x.
TEST_F(EnterFaults, no_program_beside_virtuald) {
  EXPECT_EQ("domain1\n", enter_with_fault("readlink,readlinkat:error=ENOENT:when=1").output);
  const Outcome outcome = enter_with_fault("execve:error=ENOENT:when=1");
  EXPECT_TRUE(outcome.errors.starts_with("virtuald: exec /")) << outcome.errors;
  EXPECT_TRUE(outcome.errors.ends_with(": No such file or directory\n")) << outcome.errors;
  EXPECT_EQ(125, outcome.status);
}

TEST_F(EnterFaults, program_beside_virtuald_does_nothing_else) {
  expect_refusal_of(run({kByHand, "-V"}), 125, "this program handles only -x and -t: run virtuald");
  expect_refusal_of(run({kByHand, "-Y"}), 125, "unknown option -Y (virtuald -h shows the usage)");
}

TEST_F(EnterFaults, groups_that_cannot_be_dropped) {
  expect_refusal_of(enter_with_fault("setgid:error=EPERM"), 125,
                    "setgroups for uid 0: Operation not permitted");
}

/// -l never works without one.
TEST_F(EnterFaults, no_process_namespace) {
  expect_refusal_of(enter_with_fault("unshare:error=EPERM", {"-l", "5"}), 125,
                    "unshare (-l needs a process namespace): Operation not permitted");
  expect_refusal_of(enter_with_fault("setrlimit,prlimit64:error=EPERM", {"-l", "5"}), 125,
                    "setrlimit for -l: Operation not permitted");
  expect_refusal_of(enter_with_fault("pipe2:error=EMFILE", {"-l", "5"}), 125,
                    "pipe for -l: " + reason_of(EMFILE));
}

// Signals.

class EnterSignals : public Enter {
 protected:
  /// A program that reports when it is ready, in its own job, so that only it is stopped.
  struct Job : BackgroundProcess {
    explicit Job(Command command, bool has_shell = true)
        : BackgroundProcess([&command, has_shell] {
            const std::function<void()> before = command.prepare;
            command.prepare = [before, has_shell] {
              if (has_shell) {
                ::setpgid(0, 0);
              } else {
                ::setsid();
              }
              if (before) {
                before();
              }
            };
            return command;
          }()) {}

    [[nodiscard]] bool says(const std::string& text) const {
      return eventually([this, &text] { return contains(log(), text); });
    }
    [[nodiscard]] bool is_stopped() const {
      return eventually([this] { return state_of(pid()) == 'T'; });
    }
  };

  static Command waiting(const std::string& traps) {
    return entering({}, {"sh", "-c", traps + "; echo ready; while :; do sleep 1; done"});
  }
};

TEST_F(EnterSignals, sent_to_virtuald_reach_the_program) {
  const std::map<std::string, int> signals = {
      {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"TERM", SIGTERM},
      {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"ALRM", SIGALRM}};
  for (const auto& [name, number] : signals) {
    Job job(waiting("trap 'echo got " + name + "; exit 9' " + name));
    ASSERT_TRUE(job.says("ready"));
    ::kill(job.pid(), number);
    EXPECT_TRUE(job.says("got " + name)) << name;
    EXPECT_EQ(9, job.stop());
  }
}

TEST_F(EnterSignals, that_kill_the_program_kill_virtuald_too) {
  Job job(waiting(":"));
  ASSERT_TRUE(job.says("ready"));
  EXPECT_EQ(128 + SIGTERM, job.stop());
}

TEST_F(EnterSignals, ignored_from_the_start_do_not_reach_the_program) {
  Command command = waiting(":");
  command.prepare = [] { ::signal(SIGHUP, SIG_IGN); };
  Job job(command);
  ASSERT_TRUE(job.says("ready"));
  ::kill(job.pid(), SIGHUP);
  EXPECT_EQ(128 + SIGTERM, job.stop());
}

TEST_F(EnterSignals, stop_and_continue_both) {
  Job job(waiting("trap 'echo goes on' CONT"));
  ASSERT_TRUE(job.says("ready"));
  ::kill(job.pid(), SIGTSTP);
  ASSERT_TRUE(job.is_stopped());
  EXPECT_EQ("ready\n", job.log());
  ::kill(job.pid(), SIGCONT);
  EXPECT_TRUE(job.says("goes on"));
  EXPECT_EQ(128 + SIGTERM, job.stop());
}

/// Without a shell, nobody could continue it.
TEST_F(EnterSignals, do_not_stop_virtuald_without_a_shell) {
  Job job(waiting("trap 'echo goes on' CONT"), false);
  ASSERT_TRUE(job.says("ready"));
  ::kill(job.pid(), SIGTSTP);
  EXPECT_TRUE(job.says("goes on"));
  EXPECT_EQ(128 + SIGTERM, job.stop());
}

TEST_F(EnterSignals, program_is_hung_up_when_virtuald_is_killed) {
  Job job(waiting("trap 'echo hung up; exit' HUP"));
  ASSERT_TRUE(job.says("ready"));
  ::kill(job.pid(), SIGKILL);
  EXPECT_TRUE(job.says("hung up"));
}

TEST_F(EnterSignals, session_leader_of_a_killed_virtuald_ends_with_the_program) {
  const std::string mark = "until the file";
  Job job(entering(
      {}, {"sh", "-c",
           "trap '' HUP; : " + mark + "; echo ready; until test -e /run/go; do sleep 0.1; done"}));
  ASSERT_TRUE(job.says("ready"));
  ::kill(job.pid(), SIGKILL);
  job.stop();
  EXPECT_TRUE(is_running(mark));
  write_file(kRoot + "/run/go", "");
  EXPECT_TRUE(eventually([&mark] { return !is_running(mark); }));
}

TEST_F(EnterSignals, virtuald_ends_when_the_session_leader_is_killed) {
  Job job(waiting("trap 'exit' HUP"));
  ASSERT_TRUE(job.says("ready"));
  ::kill(leader_of(job.pid()), SIGKILL);
  EXPECT_TRUE(eventually([&job] { return state_of(job.pid()) == 'Z'; }));
  EXPECT_EQ(128 + SIGKILL, job.stop());
}

// Programs that must end (-l).

class EnterBounds : public Enter {};

TEST_F(EnterBounds, status_and_output_are_the_programs) {
  const Outcome outcome = enter_with({"-l", "9"}, {"sh", "-c", "echo out; echo err >&2; exit 5"});
  EXPECT_EQ("out\n", outcome.output);
  EXPECT_EQ("err\n", outcome.errors);
  EXPECT_EQ(5, outcome.status);
}

TEST_F(EnterBounds, program_that_ignores_signals_is_killed) {
  const Outcome outcome = enter_with(
      {"-l", "1"}, {"sh", "-c", "trap '' TERM HUP INT; echo begun; while :; do sleep 1002; done"});
  EXPECT_EQ("begun\n", outcome.output);
  EXPECT_EQ("virtuald: sh in " + kRoot + ": killed because it did not end within 1 s\n",
            outcome.errors);
  EXPECT_EQ(124, outcome.status);
  EXPECT_FALSE(is_running("1002"));
}

TEST_F(EnterBounds, process_that_forked_twice_and_closed_its_pipes_is_killed) {
  const Outcome outcome =
      enter_with({"-l", "9"}, {"sh", "-c",
                               "(setsid sh -c 'trap \"\" TERM HUP; exec <&- >&- 2>&-; sleep 1003' "
                               "&); sleep 0.2; echo done"});
  EXPECT_EQ("done\n", outcome.output);
  EXPECT_EQ(0, outcome.status);
  EXPECT_FALSE(is_running("1003"));
}

TEST_F(EnterBounds, orphan_that_ends_is_not_taken_for_the_program) {
  EXPECT_EQ(3, enter_with({"-l", "9"}, {"sh", "-c", "(sleep 0.1 &); sleep 0.5; exit 3"}).status);
}

TEST_F(EnterBounds, process_that_holds_the_pipes_is_not_waited_for) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(0, enter_with({"-l", "15"}, {"sh", "-c", "trap '' HUP; sleep 1004 & :"}).status);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(EnterBounds, endless_output_is_cut_off) {
  const Outcome outcome = enter_with({"-l", "9"}, {"yes"});
  EXPECT_EQ(16384U, outcome.output.size());
  EXPECT_EQ(128 + SIGPIPE, outcome.status);
  EXPECT_EQ(16384U, enter_with({"-l", "9"}, {"sh", "-c", "exec yes >&2"}).errors.size());
}

TEST_F(EnterBounds, output_that_cannot_be_written_is_an_error) {
  const Outcome outcome =
      run({"sh", "-c", words("sh -c 'echo out; echo err >&2'", "-l 9") + " >/dev/full"});
  EXPECT_EQ("virtuald: write standard output: " + reason_of(ENOSPC) + "\nerr\n", outcome.errors);
  EXPECT_EQ(125, outcome.status);
}

TEST_F(EnterBounds, output_written_just_before_the_end_is_passed_on) {
  const Outcome outcome = enter_with({"-l", "9"}, {"seq", "1", "3000"});
  EXPECT_TRUE(outcome.output.ends_with("\n2999\n3000\n"));
}

TEST_F(EnterBounds, no_pipe_of_the_host_reaches_the_program) {
  fs::create_directory(kRoot + "/proc");
  ASSERT_EQ(0, ::mount("proc", (kRoot + "/proc").c_str(), "proc", 0, nullptr));
  Command command = command_of(
      {"sh", "-c",
       "readlink /proc/self/fd/0; " +
           words("sh -c 'cat; service descriptors; exec busybox readlink /proc/self/fd/0'",
                 "-l 9")});
  command.input = "a secret\n";
  const Strings lines = split_lines(run(command).output);
  ::umount((kRoot + "/proc").c_str());
  ASSERT_EQ(4U, lines.size());
  EXPECT_EQ("a secret", lines[1]);
  EXPECT_EQ("descriptors 0 1 2", lines[2]);
  EXPECT_TRUE(lines[3].starts_with("pipe:[")) << lines[3];
  EXPECT_NE(lines[0], lines[3]);
}

TEST_F(EnterBounds, file_on_standard_input_does_not_reach_the_program) {
  write_file("/tmp/own", "of the host");
  Command command = entering({"-l", "9"}, {"cat"});
  command.prepare = [] { ::dup2(::open("/tmp/own", O_RDONLY | O_CLOEXEC), STDIN_FILENO); };
  EXPECT_EQ("", run(command).output);
}

TEST_F(EnterBounds, input_is_bounded) {
  Command command = entering({"-l", "9"}, {"cat"});
  command.input = std::string(4096, 'x');
  EXPECT_EQ(command.input, run(command).output);
  command.input = std::string(4097, 'x');
  expect_refusal_of(run(command), 125,
                    "standard input: longer than 4096 bytes, the most that -l passes on");
}

/// Another process that has the same pipe may have made it so.
TEST_F(EnterBounds, input_that_does_not_block_is_read_to_its_end) {
  Command command = entering({"-l", "9"}, {"cat"});
  command.prepare = [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      ::_exit(200);
    }
    if (::fork() == 0) {
      ::usleep(300'000);
      ::_exit(::write(ends[1], "late\n", 5) == 5 ? 0 : 1);
    }
    ::dup2(ends[0], STDIN_FILENO);
  };
  EXPECT_EQ("late\n", run(command).output);
}

TEST_F(EnterBounds, input_without_end_is_not_waited_for) {
  ASSERT_EQ(0, ::mkfifo("/run/input", 0600));
  Command command = entering({"-l", "1"}, {"cat"});
  command.prepare = [] { ::dup2(::open("/run/input", O_RDWR | O_CLOEXEC), STDIN_FILENO); };
  expect_refusal_of(run(command), 125, "standard input: did not end within 1 s");
}

TEST_F(EnterBounds, input_that_cannot_be_read_is_an_error) {
  Command command = entering({"-l", "9"}, {"cat"});
  command.prepare = [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      ::_exit(200);
    }
    ::dup2(ends[1], STDIN_FILENO);  // which cannot be read
    ::close(ends[0]);
  };
  expect_refusal_of(run(command), 125, "read standard input: " + reason_of(EBADF));
}

TEST_F(EnterBounds, terminal_does_not_reach_the_program) {
  Terminal terminal(entering(
      {"-l", "9"}, {"sh", "-c", "test -t 0 || test -t 1 || test -t 2 || echo no terminal"}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("no terminal\r\n", terminal.screen());
}

TEST_F(EnterBounds, resources_are_limited) {
  EXPECT_EQ("0\n4\n1048576\n128\n", enter_with({"-l", "4"}, {"sh", "-c",
                                                             "ulimit -c; ulimit -t; ulimit -v; "
                                                             "ulimit -f"})
                                        .output);
  const Outcome outcome = enter_with({"-l", "9"}, {"sh", "-c", "yes >/run/much; echo after"});
  EXPECT_EQ("after\n", outcome.output);
  EXPECT_EQ(65536U, fs::file_size(kRoot + "/run/much"));
}

TEST_F(EnterBounds, program_that_stops_itself_is_killed_in_time) {
  EXPECT_EQ(124, enter_with({"-l", "1"}, {"sh", "-c", "kill -STOP $$"}).status);
}

TEST_F(EnterBounds, signals_reach_the_program) {
  BackgroundProcess process(
      entering({"-l", "15"},
               {"sh", "-c", "trap 'exit 9' TERM; : >/run/ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(eventually([] { return fs::exists(kRoot + "/run/ready"); }));
  EXPECT_EQ(9, process.stop());
}

TEST_F(EnterBounds, no_process_is_left_when_virtuald_is_killed) {
  BackgroundProcess process(
      entering({"-l", "15"}, {"sh", "-c", "trap '' HUP TERM; : >/run/ready; sleep 1005"}));
  ASSERT_TRUE(eventually([] { return fs::exists(kRoot + "/run/ready"); }));
  ::kill(process.pid(), SIGKILL);
  EXPECT_TRUE(eventually([] { return !is_running("1005"); }));
}

TEST_F(EnterBounds, user_can_be_chosen) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("uid 33 euid 33 gid 33 egid 33 groups 44\n",
            enter_with({"-l", "9", "-u", "www"}, {"/usr/sbin/service", "identity"}).output);
}

// Programs that keep running (-b).

class EnterToStay : public Enter {
 protected:
  void SetUp() override {
    Enter::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    NEEDS_REAL_ROOT();
    fs::remove(kRoot + "/dev/null");
    ASSERT_EQ(0, ::mknod((kRoot + "/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)));
  }

  /// Runs `script` with -b, and returns the output that it writes to a file in the root.
  static std::string report_of(const std::string& script, Command command) {
    command.arguments.insert(command.arguments.end(), {"sh", "-c", script + " >/run/report"});
    EXPECT_EQ(0, run(command).status);
    return read_file(kRoot + "/run/report");
  }

  static Command staying(const Strings& options = {}) {
    Strings all = {"-b"};
    all.insert(all.end(), options.begin(), options.end());
    return entering(all, {});
  }
};

TEST_F(EnterToStay, virtuald_becomes_the_program) {
  BackgroundProcess process(entering({"-b"}, {"sh", "-c", ": >/run/ready; exec sleep 1006"}));
  ASSERT_TRUE(eventually([] { return fs::exists(kRoot + "/run/ready"); }));
  EXPECT_TRUE(eventually([&process] {
    return contains(read_file("/proc/" + std::to_string(process.pid()) + "/cmdline"), "1006");
  }));
  EXPECT_EQ(process.pid(), ::getsid(process.pid()));
}

TEST_F(EnterToStay, descriptors_are_the_null_device_of_the_root) {
  BackgroundProcess process(entering({"-b"}, {"sh", "-c", ": >/run/ready; exec sleep 1007"}));
  ASSERT_TRUE(eventually([] { return fs::exists(kRoot + "/run/ready"); }));
  struct stat own {};
  ASSERT_EQ(0, ::stat((kRoot + "/dev/null").c_str(), &own));
  const std::string directory = "/proc/" + std::to_string(process.pid()) + "/fd/";
  for (const char* descriptor : {"0", "1", "2"}) {
    struct stat status {};
    ASSERT_EQ(0, ::stat((directory + descriptor).c_str(), &status));
    EXPECT_EQ(own.st_ino, status.st_ino) << descriptor;
    EXPECT_EQ(own.st_dev, status.st_dev) << descriptor;
  }
}

TEST_F(EnterToStay, no_other_descriptor_is_open) {
  Command command = staying();
  command.prepare = [] { ::dup2(STDERR_FILENO, 17); };
  // The report is on descriptor 1; ash keeps the previous one on 10 or above, and exec closes it.
  EXPECT_EQ("descriptors 0 1 2\n", report_of("exec service descriptors", command));
}

TEST_F(EnterToStay, environment_umask_and_signals_are_clean) {
  Command command = staying();
  command.environment = {{std::string("SECRET"), "of the host"}};
  command.prepare = [] {
    ::umask(0);
    static_cast<void>(::signal(SIGTERM, SIG_IGN));
  };
  EXPECT_EQ("0022\n", report_of("(umask; env | grep SECRET || :)", command));
  command.arguments.insert(command.arguments.end(), {"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(128 + SIGTERM, run(command).status);
}

TEST_F(EnterToStay, isolates_on_request) {
  EXPECT_EQ("ptrace: Operation not permitted\n", report_of("service trace", staying({"-i"})));
}

TEST_F(EnterToStay, exit_status_is_the_programs) {
  EXPECT_EQ(7, enter_with({"-b"}, {"sh", "-c", "exit 7"}).status);
}

/// A shell with job control makes virtuald the leader of a process group.
TEST_F(EnterToStay, virtuald_that_leads_a_process_group_waits_for_the_program) {
  Command command = entering({"-b"}, {"sh", "-c", "exit 7"});
  command.prepare = [] { ::setpgid(0, 0); };
  EXPECT_EQ(7, run(command).status);
  command = entering({"-b"}, {"sh", "-c", "kill -KILL $$"});
  command.prepare = [] {
    ::setpgid(0, 0);
    static_cast<void>(::signal(SIGCHLD, SIG_IGN));
  };
  EXPECT_EQ(128 + SIGKILL, run(command).status);
}

TEST_F(EnterToStay, terminal_does_not_reach_the_program) {
  Terminal terminal(entering({"-b"}, {"sh", "-c",
                                      "(test -t 0 || test -t 1 || test -t 2 || cat </dev/tty || "
                                      "echo no terminal) >/run/report"}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("", terminal.screen());
  EXPECT_EQ("no terminal\n", read_file(kRoot + "/run/report"));
}

TEST_F(EnterToStay, errors_are_reported_outside) {
  expect_refusal_of(
      enter_with({"-b"}, {"none"}), 127,
      "exec none in " + kRoot + ": No such file or directory on the path " + kDefaultPath);
  write_file(kRoot + "/bin/broken", "");
  ASSERT_EQ(0, ::chmod((kRoot + "/bin/broken").c_str(), 0644));
  EXPECT_EQ(126, enter_with({"-b"}, {"/bin/broken"}).status);
}

/// The domain may have put any file there.
TEST_F(EnterToStay, other_file_as_null_device_is_refused) {
  const std::string null = kRoot + "/dev/null";
  const std::string refusal = "dev/null in " + kRoot + ": not the null device, which -b needs";
  fs::remove(null);
  expect_refusal_of(enter_with({"-b"}, {"service"}), 125,
                    "open dev/null in " + kRoot + ": " + reason_of(ENOENT));
  write_file(null, "");
  expect_refusal_of(enter_with({"-b"}, {"service"}), 125, refusal);
  fs::remove(null);
  ASSERT_EQ(0, ::mkfifo(null.c_str(), 0666));
  expect_refusal_of(enter_with({"-b"}, {"service"}), 125, refusal);
  fs::remove(null);
  ASSERT_EQ(0, ::mknod(null.c_str(), S_IFCHR | 0666, makedev(1, 5)));
  expect_refusal_of(enter_with({"-b"}, {"service"}), 125, refusal);
}

// Terminals.

class EnterTerminal : public Enter {
 protected:
  static Command on_terminal(const std::string& script) {
    return entering({}, {"sh", "-c", script});
  }

  /// A shell with job control, for typed lines.
  static Command shell() {
    Command command = command_of({"dash", "-i"});
    command.environment = {{"PS1", "$ "}, {"PATH", kDefaultPath}, {"TERM", "dumb"}};
    return command;
  }

  static bool same(const termios& one, const termios& other) {
    return one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag &&
           one.c_cflag == other.c_cflag && one.c_lflag == other.c_lflag &&
           std::memcmp(one.c_cc, other.c_cc, sizeof one.c_cc) == 0;
  }

  static bool is_raw(const Terminal& terminal) { return (terminal.modes().c_lflag & ICANON) == 0; }
};

/// The counterpart of the next test: in a chroot that shares the terminal, the attack works.
TEST_F(EnterTerminal, program_in_a_plain_chroot_types_on_the_callers) {
  NEEDS_REAL_ROOT();
  Terminal terminal(
      command_of({"sh", "-c",
                  "chroot " + kRoot +
                      " /usr/sbin/service inject 'evil\n'; read -r line; echo \"got $line\""}));
  ASSERT_TRUE(terminal.shows("got evil")) << terminal.screen();
}

TEST_F(EnterTerminal, program_cannot_type_on_the_callers) {
  Terminal terminal(command_of(
      {"sh", "-c",
       words("service inject 'evil\n'") + "; echo ended; read -r line; echo \"got $line\""}));
  ASSERT_TRUE(terminal.shows("ended")) << terminal.screen();
  terminal.type("mine\r");
  ASSERT_TRUE(terminal.shows("got mine")) << terminal.screen();
}

TEST_F(EnterTerminal, is_on_the_programs_descriptors_0_to_2) {
  Terminal terminal(on_terminal("test -t 0 && test -t 1 && test -t 2 && service descriptors"));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("descriptors 0 1 2\r\n", terminal.screen());
}

TEST_F(EnterTerminal, program_controls_its_own) {
  NEEDS_REAL_ROOT();
  bind_terminal();
  Terminal terminal(on_terminal("read -r line </dev/tty; echo \"got $line\""));
  terminal.type("word\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("got word\r\n")) << terminal.screen();
}

TEST_F(EnterTerminal, is_there_in_an_isolated_root) {
  NEEDS_REAL_ROOT();
  fs::create_directories(kRoot + "/dev/pts");
  Terminal terminal(
      entering({"-i"}, {"sh", "-c", "stty -echo; echo ready; read -r x; echo \"got $x\""}));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("word\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "got word")) << terminal.screen();
}

TEST_F(EnterTerminal, exit_status_and_signal_are_the_programs) {
  EXPECT_EQ(7, Terminal(on_terminal("exit 7")).finish());
  EXPECT_EQ(128 + SIGKILL, Terminal(on_terminal("kill -KILL $$")).finish());
}

TEST_F(EnterTerminal, messages_of_a_program_that_does_not_start_are_shown) {
  Terminal terminal(entering({}, {"nothing"}));
  EXPECT_EQ(127, terminal.finish());
  EXPECT_TRUE(terminal.screen().starts_with("virtuald: exec nothing in ")) << terminal.screen();
}

TEST_F(EnterTerminal, raw_keys_reach_the_program) {
  Terminal terminal(on_terminal("stty raw -echo; echo ready; exec cat"));
  ASSERT_TRUE(terminal.shows("ready"));
  EXPECT_TRUE(is_raw(terminal));
  terminal.type("\x03\x1a\x1c\x11\x13");
  EXPECT_TRUE(terminal.shows("\x03\x1a\x1c\x11\x13")) << terminal.screen();
}

TEST_F(EnterTerminal, modes_are_those_of_the_callers) {
  Command command = command_of({"sh", "-c", "stty erase x -ixon; " + words("stty -a")});
  Terminal terminal(command);
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "erase = x;")) << terminal.screen();
  EXPECT_TRUE(contains(terminal.screen(), "-ixon")) << terminal.screen();
}

TEST_F(EnterTerminal, modes_of_the_callers_are_restored) {
  for (const char* script : {"stty raw -echo; stty erase x", "stty raw; kill -KILL $$"}) {
    Terminal terminal(
        command_of({"sh", "-c",
                    "echo before; read -r go; " + words(std::string("sh -c '") + script + "'") +
                        "; echo after; read -r go"}));
    ASSERT_TRUE(terminal.shows("before"));
    const termios before = terminal.modes();
    terminal.type("\r");
    ASSERT_TRUE(terminal.shows("after")) << terminal.screen();
    EXPECT_TRUE(same(before, terminal.modes())) << script;
    terminal.type("\r");
    terminal.finish();
  }
}

TEST_F(EnterTerminal, modes_of_the_callers_are_restored_after_a_signal) {
  Terminal terminal(shell());
  ASSERT_TRUE(terminal.shows("$ "));
  const termios before = terminal.modes();
  terminal.type("(exec " + words("sh -c 'stty raw; echo rea\"\"dy; sleep 1006'") +
                "); echo status $?\r");
  ASSERT_TRUE(terminal.shows("ready")) << terminal.screen();
  ASSERT_TRUE(is_raw(terminal));
  ::kill(leader_of(terminal.pid()), SIGTERM);
  ASSERT_TRUE(terminal.shows("status 143")) << terminal.screen();
  EXPECT_TRUE(same(before, terminal.modes()));
}

TEST_F(EnterTerminal, window_has_the_callers_size) {
  Terminal terminal(
      on_terminal("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.1; done"));
  ASSERT_TRUE(terminal.shows("24 80\r\n")) << terminal.screen();
  terminal.resize(50, 132);
  EXPECT_TRUE(terminal.shows("50 132\r\n")) << terminal.screen();
  EXPECT_EQ(0, terminal.finish());
}

TEST_F(EnterTerminal, interrupt_key_interrupts_the_program) {
  Terminal terminal(
      on_terminal("trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 1; done"));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("\x03");
  EXPECT_EQ(4, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "caught")) << terminal.screen();
}

TEST_F(EnterTerminal, interrupt_key_kills_both) {
  Terminal terminal(on_terminal("echo ready; exec sleep 1007"));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("\x03");
  EXPECT_EQ(128 + SIGINT, terminal.finish());
}

TEST_F(EnterTerminal, suspend_key_suspends_both) {
  Terminal terminal(shell());
  ASSERT_TRUE(terminal.shows("$ "));
  const termios before = terminal.modes();
  terminal.type(words("sh -c 'stty -echo; echo be\"\"gun; read -r x; echo \"read $x\"'") + "\r");
  ASSERT_TRUE(terminal.shows("begun")) << terminal.screen();
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.shows("$ ")) << terminal.screen();
  EXPECT_TRUE(same(before, terminal.modes()));
  terminal.type("echo be\"\"tween\r");
  ASSERT_TRUE(terminal.shows("between")) << terminal.screen();
  terminal.type("fg\r");
  ASSERT_TRUE(eventually([&terminal] { return is_raw(terminal); }));
  terminal.type("word\r");
  ASSERT_TRUE(terminal.shows("read word")) << terminal.screen();
  ASSERT_TRUE(terminal.shows("$ "));
  EXPECT_TRUE(same(before, terminal.modes()));
}

TEST_F(EnterTerminal, suspended_program_continues_in_the_background) {
  Terminal terminal(shell());
  ASSERT_TRUE(terminal.shows("$ "));
  terminal.type(
      words("sh -c 'echo be\"\"gun; sleep 1; echo run\"\"ning; read -r x; echo \"read $x\"'") +
      "\r");
  ASSERT_TRUE(terminal.shows("begun")) << terminal.screen();
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.shows("$ ")) << terminal.screen();
  terminal.type("bg\r");
  ASSERT_TRUE(terminal.shows("running")) << terminal.screen();
  terminal.type("echo mi\"\"ne\r");
  ASSERT_TRUE(terminal.shows("mine")) << terminal.screen();
  EXPECT_FALSE(is_raw(terminal));
  terminal.type("fg\r");
  ASSERT_TRUE(eventually([&terminal] { return is_raw(terminal); }));
  terminal.type("word\r");
  ASSERT_TRUE(terminal.shows("read word")) << terminal.screen();
}

TEST_F(EnterTerminal, suspend_key_without_a_shell_does_nothing) {
  Terminal terminal(
      on_terminal("trap 'echo goes on; exit 6' CONT; echo ready; while :; do sleep 0.1; done"));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("\x1a");
  EXPECT_EQ(6, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "goes on")) << terminal.screen();
}

TEST_F(EnterTerminal, background_job_leaves_the_terminal_alone_until_it_is_in_the_foreground) {
  Terminal terminal(shell());
  ASSERT_TRUE(terminal.shows("$ "));
  const termios before = terminal.modes();
  terminal.type(words("sh -c 'echo be\"\"gun; read -r x; echo \"read $x\"'") + " &\r");
  ASSERT_TRUE(terminal.shows("begun")) << terminal.screen();
  terminal.type("echo mi\"\"ne\r");
  ASSERT_TRUE(terminal.shows("mine")) << terminal.screen();
  EXPECT_TRUE(same(before, terminal.modes()));
  terminal.type("fg\r");
  ASSERT_TRUE(eventually([&terminal] { return is_raw(terminal); }));
  terminal.type("word\r");
  ASSERT_TRUE(terminal.shows("read word")) << terminal.screen();
}

TEST_F(EnterTerminal, background_job_runs_to_its_end) {
  Terminal terminal(shell());
  ASSERT_TRUE(terminal.shows("$ "));
  terminal.type(words("sh -c 'echo from the back\"\"ground'") + " & wait $!; echo status $?\r");
  ASSERT_TRUE(terminal.shows("from the background")) << terminal.screen();
  ASSERT_TRUE(terminal.shows("status 0")) << terminal.screen();
}

TEST_F(EnterTerminal, pipe_on_standard_input_reaches_the_program) {
  Terminal terminal(command_of({"sh", "-c", "echo for the program | " + words("cat")}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("for the program\r\n", terminal.screen());
}

TEST_F(EnterTerminal, program_with_a_pipe_on_standard_input_reads_keys_too) {
  NEEDS_REAL_ROOT();
  bind_terminal();
  Terminal terminal(
      command_of({"sh", "-c",
                  "echo piped | " + words("sh -c 'stty -echo </dev/tty; echo ready; read -r key "
                                          "</dev/tty; echo \"$key $(cat)\"'")}));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.type("key\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "key piped")) << terminal.screen();
}

TEST_F(EnterTerminal, redirected_input_and_output_reach_the_program) {
  write_file("/run/in", "from the file\n");
  Terminal terminal(command_of({"sh", "-c", words("cat") + " </run/in >/run/out; cat /run/out"}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("from the file\r\n", terminal.screen());
}

TEST_F(EnterTerminal, program_with_a_file_for_its_errors_reads_keys) {
  Terminal terminal(
      command_of({"sh", "-c", words("sh -c 'read -r key; echo \"got $key\"'") + " 2>/run/errors"}));
  terminal.type("word\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(contains(terminal.screen(), "got word")) << terminal.screen();
}

/// As in `virtexec ... | less`.
TEST_F(EnterTerminal, keys_are_left_to_the_reader_of_a_pipe) {
  Terminal terminal(command_of({"sh", "-c",
                                words("sh -c 'echo first; sleep 3'") +
                                    " | { read -r line; echo \"$line, ready\"; read -r "
                                    "key </dev/tty; echo \"got $key\"; }"}));
  ASSERT_TRUE(terminal.shows("first, ready")) << terminal.screen();
  EXPECT_FALSE(is_raw(terminal));
  terminal.type("key\r");
  ASSERT_TRUE(terminal.shows("got key")) << terminal.screen();
}

TEST_F(EnterTerminal, hang_up_hangs_the_program_up) {
  Terminal terminal(
      on_terminal("trap ': >/run/hup; exit' HUP; echo ready; while :; do sleep 0.1; done"));
  ASSERT_TRUE(terminal.shows("ready"));
  terminal.hang_up();
  EXPECT_TRUE(eventually([] { return fs::exists(kRoot + "/run/hup"); }));
  EXPECT_TRUE(eventually([&terminal] { return state_of(terminal.pid()) == 'Z'; }));
}

TEST_F(EnterTerminal, program_is_hung_up_when_virtuald_is_killed) {
  Terminal terminal(
      on_terminal("trap ': >/run/hup; exit' HUP; echo ready; while :; do sleep 0.1; done"));
  ASSERT_TRUE(terminal.shows("ready"));
  ::kill(terminal.pid(), SIGKILL);
  EXPECT_TRUE(eventually([] { return fs::exists(kRoot + "/run/hup"); }));
}

TEST_F(EnterTerminal, background_process_that_keeps_the_terminal_delays_nobody) {
  Terminal terminal(on_terminal("trap '' HUP; sleep 1008 & echo done; exit 3"));
  EXPECT_EQ(3, terminal.finish());
  EXPECT_EQ("done\r\n", terminal.screen());
}

TEST_F(EnterTerminal, background_process_that_writes_endlessly_delays_nobody) {
  Terminal terminal(on_terminal("trap '' HUP; yes & sleep 0.2; exit 3"));
  EXPECT_EQ(3, terminal.finish());
}

/// A program that wrote its output and ended before any of it could be shown.
class EnterSlowTerminal : public EnterTerminal {
 protected:
  void start_and_end() {
    terminal_ = std::make_unique<Terminal>(
        on_terminal("echo ready; read -r go; seq 1 1900; : >/run/written"));
    ASSERT_TRUE(terminal_->shows("ready\r\n"));
    terminal_->stop_output(true);
    terminal_->type("\r");
    ASSERT_TRUE(eventually([] { return fs::exists(kRoot + "/run/written"); }));
    const pid_t leader = leader_of(terminal_->pid());
    const std::string id = std::to_string(leader);
    const std::string children = "/proc/" + id + "/task/" + id + "/children";
    ASSERT_TRUE(eventually([&children] { return read_file(children).empty(); }));
  }

  std::unique_ptr<Terminal> terminal_;
};

TEST_F(EnterSlowTerminal, shows_all_that_was_written) {
  start_and_end();
  terminal_->resize(50, 132);
  terminal_->stop_output(false);
  EXPECT_EQ(0, terminal_->finish());
  std::string expected = "ready\r\n\r\n";
  for (int number = 1; number <= 1900; ++number) {
    expected += std::to_string(number) + "\r\n";
  }
  EXPECT_EQ(expected, terminal_->screen());
}

TEST_F(EnterSlowTerminal, is_not_waited_for_after_a_signal) {
  start_and_end();
  EXPECT_TRUE(eventually([this] {
    // The first may arrive before virtuald knows that the program has ended.
    ::kill(terminal_->pid(), SIGTERM);
    return state_of(terminal_->pid()) == 'Z';
  }));
}

TEST_F(EnterSlowTerminal, is_not_waited_for_when_it_is_gone) {
  start_and_end();
  terminal_->hang_up();
  EXPECT_TRUE(eventually([this] { return state_of(terminal_->pid()) == 'Z'; }));
}

TEST_F(EnterSlowTerminal, leaves_no_process_when_virtuald_is_killed) {
  start_and_end();
  const pid_t leader = leader_of(terminal_->pid());
  ::kill(terminal_->pid(), SIGKILL);
  EXPECT_TRUE(eventually([leader] { return ::kill(leader, 0) != 0; }));
}

TEST_F(EnterTerminal, refuses_without_pseudo_terminals) {
  Terminal terminal(
      command_of({"sh", "-c", "mv /dev/ptmx /dev/was; " + words("service") + "; echo status $?"}));
  terminal.finish();
  EXPECT_EQ("virtuald: open /dev/ptmx: No such file or directory\r\nstatus 125\r\n",
            terminal.screen());
}

}  // namespace
}  // namespace testing_support
