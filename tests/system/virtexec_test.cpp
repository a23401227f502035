// virtexec, in roots that contain only busybox.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
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
using testing_support::Terminal;
using testing_support::write_file;
using testing_support::write_program;

constexpr const char* kMenuHelp = "in which domain";

/// A root with a shell and its commands.
void make_root(const fs::path& root) {
  fs::create_directories(root / "bin");
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* name : {"sh", "cat", "echo", "env", "hostname", "pwd", "sleep", "tty"}) {
    fs::create_symlink("busybox", root / "bin" / name);
  }
  write_file(root / "etc/passwd", "daemon:x:1:1::/:/bin/false\nroot:x:0:0:root:/home/r:/bin/sh\n");
  write_file(root / "name", root.filename().string() + "\n");
}

class Virtexec : public testing_support::ShellTest {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    if (!fs::exists("/bin/busybox")) {
      SKIP_OR_FAIL("needs busybox-static");
    }
    make_root("/virtual/one.com");
    make_root("/virtual/two.com");
  }

  /// virtexec, called through a link of this name.
  [[nodiscard]] Command linked(const std::string& name,
                               const std::vector<std::string>& arguments = {}) const {
    const fs::path link = fs::path("/tmp") / name;
    if (!fs::exists(link)) {
      fs::create_symlink(std::string(testing_support::kSourceDirectory) + "/scripts/bin/virtexec",
                         link);
    }
    Command command = script(link, arguments);
    (*command.environment)["TERM"] = "xterm";
    command.environment->erase("VIRTUAL_DOMAIN");
    return command;
  }

  /// The same without dialog: only the programs that virtexec needs are on PATH.
  [[nodiscard]] Command linked_without_dialog(const std::string& name,
                                              const std::vector<std::string>& arguments) const {
    Command command = linked(name, arguments);
    fs::create_directories("/tmp/bin");
    for (const char* program : {"busybox", "chroot", "dash", "dirname", "env", "id", "readlink"}) {
      const Outcome found =
          testing_support::run({"sh", "-c", std::string("command -v ") + program});
      fs::create_symlink(found.output.substr(0, found.output.find('\n')),
                         fs::path("/tmp/bin") / program);
    }
    (*command.environment)["PATH"] = "/tmp/bin";
    return command;
  }
};

TEST_P(Virtexec, passes_the_arguments_unchanged) {
  const Outcome outcome =
      run_script("virtexec", {"one.com", "sh", "-c", "for a; do echo \"[$a]\"; done", "sh",
                              "two  words", "*", "'\"`$HOME\\", "two\nlines", "", "-a", "--"});
  EXPECT_EQ("[two  words]\n[*]\n['\"`$HOME\\]\n[two\nlines]\n[]\n[-a]\n[--]\n", outcome.output);
}

TEST_P(Virtexec, passes_the_arguments_through_a_link) {
  Command command = linked("virtecho", {"-a", "two  words", "*"});
  (*command.environment)["VIRTUAL_DOMAIN"] = "one.com";
  EXPECT_EQ("-a two  words *\n", testing_support::run(command).output);
}

TEST_P(Virtexec, gives_the_program_the_callers_standard_input) {
  Command command = script("virtexec", {"one.com", "cat"});
  command.input = "first\nlast";
  EXPECT_EQ("first\nlast", testing_support::run(command).output);
}

TEST_P(Virtexec, keeps_standard_output_and_error_apart) {
  const Outcome outcome = run_script("virtexec", {"one.com", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_EQ("out\n", outcome.output);
  EXPECT_EQ("err\n", outcome.errors);
}

TEST_P(Virtexec, starts_in_the_roots_top_directory) {
  EXPECT_EQ("/\ntwo.com\n",
            run_script("virtexec", {"two.com", "sh", "-c", "pwd; cat name"}).output);
}

TEST_P(Virtexec, exits_with_the_status_of_the_program) {
  EXPECT_EQ(7, run_script("virtexec", {"one.com", "sh", "-c", "exit 7"}).status);
}

TEST_P(Virtexec, dies_of_the_signal_that_the_program_died_of) {
  EXPECT_EQ(128 + 9, run_script("virtexec", {"one.com", "sh", "-c", "kill -9 $$"}).status);
}

TEST_P(Virtexec, says_which_program_the_root_lacks) {
  const Outcome outcome = run_script("virtexec", {"one.com", "smbstatus"});
  EXPECT_EQ(127, outcome.status);
  EXPECT_EQ(
      "virtuald: exec smbstatus in /virtual/one.com: No such file or directory on the path "
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
      outcome.errors);
}

TEST_P(Virtexec, exits_with_126_if_the_program_cannot_be_started) {
  EXPECT_EQ(126, run_script("virtexec", {"one.com", "/name"}).status);
}

TEST_P(Virtexec, finds_a_program_behind_a_link_that_is_valid_only_in_the_root) {
  write_program("/virtual/one.com/bin/show", "#!/bin/sh\necho shown\n");
  fs::create_directories("/virtual/one.com/etc/alternatives");
  fs::create_symlink("/bin/show", "/virtual/one.com/etc/alternatives/show-name");
  fs::create_symlink("/etc/alternatives/show-name", "/virtual/one.com/bin/show-name");
  EXPECT_EQ("shown\n", run_script("virtexec", {"one.com", "show-name"}).output);
}

TEST_P(Virtexec, refuses_a_missing_domain) {
  const Outcome outcome = run_script("virtexec", {"three.com", "echo"});
  EXPECT_EQ(125, outcome.status);
  EXPECT_EQ("virtexec: /virtual/three.com: no such domain\n", outcome.errors);
}

TEST_P(Virtexec, refuses_a_domain_outside_of_the_leading_directory) {
  for (const char* name : {"../tmp", "one.com/bin", "..", ".", "lost+found"}) {
    const Outcome outcome = run_script("virtexec", {name, "echo"});
    EXPECT_EQ(125, outcome.status);
    EXPECT_EQ("virtexec: " + std::string(name) + ": not the name of a domain\n", outcome.errors);
  }
}

TEST_P(Virtexec, without_arguments_asks_for_a_domain_or_a_link) {
  const Outcome outcome = run_script("virtexec");
  EXPECT_EQ(2, outcome.status);
  EXPECT_EQ(
      "virtexec: no arguments: give a domain and a program, or call it through a link named "
      "virtPROGRAM",
      testing_support::split_lines(outcome.errors).at(0));
}

TEST_P(Virtexec, fails_without_a_program) {
  EXPECT_EQ(2, run_script("virtexec", {"one.com"}).status);
  EXPECT_EQ(2, run_script("virtexec", {"-a"}).status);
}

TEST_P(Virtexec, refuses_a_link_that_names_no_program) {
  const Outcome outcome = testing_support::run(linked("execute"));
  EXPECT_EQ(2, outcome.status);
  EXPECT_EQ("execute: unknown name: a link to virtexec must be named virtPROGRAM\n",
            outcome.errors);
}

TEST_P(Virtexec, prints_its_usage_on_request) {
  const Outcome outcome = run_script("virtexec", {"-h"});
  EXPECT_EQ(0, outcome.status);
  EXPECT_EQ("", outcome.errors);
  EXPECT_TRUE(outcome.output.starts_with("usage: virtexec domain program [argument ...]\n"));
}

TEST_P(Virtexec, refuses_a_user_other_than_root) {
  NEEDS_REAL_ROOT();
  Command command = script("virtexec", {"one.com", "echo"});
  command.prepare = [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      ::_exit(99);
    }
  };
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(125, outcome.status);
  EXPECT_EQ("virtexec: not root: only root can use chroot\n", outcome.errors);
}

TEST_P(Virtexec, leaves_the_hosts_environment_behind) {
  Command command = script("virtexec", {"one.com", "env"});
  (*command.environment)["SECRET"] = "of the host";
  (*command.environment)["LD_PRELOAD"] = "";
  (*command.environment)["TERM"] = "vt100";
  EXPECT_EQ(
      "TERM=vt100\nHOME=/home/r\nSHELL=/bin/sh\n"
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
      "USER=root\nLOGNAME=root\n",
      testing_support::run(command).output);
}

TEST_P(Virtexec, takes_the_path_from_the_roots_login_defs) {
  write_file("/virtual/one.com/etc/login.defs",
             "# no comment\nENV_PATH PATH=/x\nENV_SUPATH\tPATH=/bin:/sbin\n");
  EXPECT_EQ("/bin:/sbin\n", run_script("virtexec", {"one.com", "sh", "-c", "echo $PATH"}).output);
}

/// Nothing in the domain determines what runs outside it, as root on the host.
TEST_P(Virtexec, runs_nothing_of_the_domain_on_the_host) {
  write_file("/virtual/one.com/etc/login.defs", "ENV_SUPATH PATH=/virtual/one.com/x:/bin\n");
  for (const char* name : {"setsid", "chroot", "env"}) {
    write_program(fs::path("/virtual/one.com/x") / name,
                  "#!/bin/sh\necho out >/run/escaped\nexec \"$@\"\n");
  }
  EXPECT_EQ("inside\n", run_script("virtexec", {"one.com", "sh", "-c", "echo inside"}).output);
  EXPECT_FALSE(fs::exists("/run/escaped"));
}

TEST_P(Virtexec, starts_programs_whatever_search_path_the_domain_has) {
  write_file("/virtual/one.com/etc/login.defs", "ENV_SUPATH PATH=/nowhere\n");
  const Outcome outcome = run_script("virtexec", {"one.com", "/bin/sh", "-c", "echo inside"});
  EXPECT_EQ("inside\n", outcome.output);
  EXPECT_EQ("", outcome.errors);
}

TEST_P(Virtexec, follows_no_link_from_the_root_to_the_hosts_files) {
  write_file("/tmp/login.defs", "ENV_SUPATH PATH=/of/the/host\n");
  fs::create_symlink("/tmp/login.defs", "/virtual/one.com/etc/login.defs");
  EXPECT_EQ("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
            run_script("virtexec", {"one.com", "sh", "-c", "echo $PATH"}).output);
}

TEST_P(Virtexec, waits_for_no_file_of_the_domain) {
  fs::remove("/virtual/one.com/etc/passwd");
  ASSERT_EQ(0, ::mkfifo("/virtual/one.com/etc/passwd", 0644));
  write_file("/virtual/two.com/etc/login.defs", "");
  fs::resize_file("/virtual/two.com/etc/login.defs", std::uintmax_t{1} << 40);
  EXPECT_EQ("one.com\ntwo.com\n", run_script("virtexec", {"-a", "cat", "/name"}).output);
}

TEST_P(Virtexec, isolates_the_program) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ("one.com\n", run_script("virtexec", {"one.com", "hostname"}).output);
}

TEST_P(Virtexec, warns_when_it_does_not_isolate) {
  Command command = script("virtexec", {"one.com", "cat", "/name"});
  (*command.environment)["ISOLATE"] = "no";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ("one.com\n", outcome.output);
  EXPECT_EQ("virtexec: /virtual/one.com: not isolated (ISOLATE=no): user 0 there can leave it\n",
            outcome.errors);
}

TEST_P(Virtexec, refuses_a_domain_that_somebody_else_could_change) {
  ASSERT_EQ(0, ::chmod("/virtual/one.com", 0777));
  const Outcome outcome = run_script("virtexec", {"one.com", "cat", "/name"});
  EXPECT_EQ("", outcome.output);
  EXPECT_EQ(125, outcome.status);
}

TEST_P(Virtexec, passes_signals_on_to_the_program) {
  testing_support::BackgroundProcess process(script(
      "virtexec",
      {"one.com", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(testing_support::eventually([&process] { return process.log() == "ready\n"; }));
  EXPECT_EQ(9, process.stop());
}

TEST_P(Virtexec, passes_no_descriptor_of_the_host) {
  Command command = script("virtexec", {"one.com", "/service", "descriptors"});
  fs::copy_file(testing_support::kService, "/virtual/one.com/service");
  command.prepare = [] {
    const int root = ::open("/", O_RDONLY | O_DIRECTORY);
    for (const int descriptor : {3, 9, 10, 17, 255}) {
      ::dup2(root, descriptor);
    }
  };
  EXPECT_EQ("descriptors 0 1 2\n", testing_support::run(command).output);
}

TEST_P(Virtexec, passes_no_descriptor_of_its_own_to_any_domain) {
  for (const char* root : {"/virtual/one.com", "/virtual/two.com"}) {
    fs::copy_file(testing_support::kService, std::string(root) + "/service");
  }
  EXPECT_EQ("descriptors 0 1 2\ndescriptors 0 1 2\n",
            run_script("virtexec", {"-a", "/service", "descriptors"}).output);
}

TEST_P(Virtexec, runs_the_program_in_every_domain) {
  EXPECT_EQ("one.com\ntwo.com\n", run_script("virtexec", {"-a", "cat", "/name"}).output);
}

TEST_P(Virtexec, skips_entries_that_are_not_domains) {
  fs::create_directories("/virtual/lost+found");
  fs::create_directories("/virtual/.hidden");
  write_file("/virtual/conf.ftp", "");
  fs::create_symlink("nowhere", "/virtual/dangling");
  fs::create_symlink("one.com", "/virtual/alias.com");
  EXPECT_EQ("one.com\ntwo.com\n", run_script("virtexec", {"-a", "cat", "/name"}).output);
}

TEST_P(Virtexec, runs_once_in_a_domain_that_two_links_lead_to) {
  make_root("/run/elsewhere.com");
  fs::create_symlink("/run/elsewhere.com", "/virtual/a.com");
  fs::create_symlink("/run/elsewhere.com", "/virtual/b.com");
  EXPECT_EQ("one.com\ntwo.com\nelsewhere.com\n",
            run_script("virtexec", {"-a", "cat", "/name"}).output);
}

TEST_P(Virtexec, tries_all_domains_and_exits_with_the_first_failure) {
  make_root("/virtual/three.com");
  const Outcome outcome = run_script(
      "virtexec",
      {"-a", "sh", "-c",
       "read -r name </name; echo $name; case $name in one.com) exit 0 ;; t*e.com) exit 3 ;; "
       "two.com) exit 4 ;; esac"});
  EXPECT_EQ("one.com\nthree.com\ntwo.com\n", outcome.output);
  EXPECT_EQ(3, outcome.status);
}

TEST_P(Virtexec, leaves_input_that_one_domain_does_not_read_to_the_next) {
  Command command = script("virtexec", {"-a", "sh", "-c", "read -r line; echo \"$line\""});
  command.input = "for one\nfor two\n";
  EXPECT_EQ("for one\nfor two\n", testing_support::run(command).output);
}

TEST_P(Virtexec, prints_a_heading_for_each_domain_on_a_terminal) {
  Terminal terminal(script("virtexec", {"-a", "cat", "/name"}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("==> one.com <==\r\none.com\r\n==> two.com <==\r\ntwo.com\r\n", terminal.screen());
}

TEST_P(Virtexec, interrupt_key_ends_the_whole_run) {
  Terminal terminal(script("virtexec", {"-a", "sh", "-c", "cat /name; exec sleep 1009"}));
  ASSERT_TRUE(terminal.shows("<==\r\none.com\r\n")) << terminal.screen();
  terminal.type("\x03");
  EXPECT_EQ(130, terminal.finish());
  EXPECT_FALSE(testing_support::contains(terminal.screen(), "two.com")) << terminal.screen();
}

TEST_P(Virtexec, interrupt_key_sets_the_status_after_a_failure_too) {
  Terminal terminal(
      script("virtexec", {"-a", "sh", "-c",
                          "read -r name </name; echo \"in $name\"; test $name = two.com || exit 3; "
                          "exec sleep 1009"}));
  ASSERT_TRUE(terminal.shows("in two.com\r\n")) << terminal.screen();
  terminal.type("\x03");
  EXPECT_EQ(130, terminal.finish());
}

TEST_P(Virtexec, says_when_there_are_no_domains) {
  Command command = script("virtexec", {"-a", "echo"});
  (*command.environment)["VIRTUAL"] = "/run/empty";
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(125, outcome.status);
  EXPECT_EQ("virtexec: /run/empty: no domains there: make one with virtfs\n", outcome.errors);
}

TEST_P(Virtexec, runs_a_links_program_in_the_domain_of_the_environment) {
  Command command = linked("virtcat", {"/name"});
  (*command.environment)["VIRTUAL_DOMAIN"] = "two.com";
  EXPECT_EQ("two.com\n", testing_support::run(command).output);
}

TEST_P(Virtexec, without_a_terminal_asks_for_the_domain_in_the_environment) {
  Command command = linked("virtcat", {"/name"});
  command.prepare = [] { ::setsid(); };
  const Outcome outcome = testing_support::run(command);
  EXPECT_EQ(125, outcome.status);
  EXPECT_EQ("virtcat: no terminal to choose a domain on: set VIRTUAL_DOMAIN to its name\n",
            outcome.errors);
}

TEST_P(Virtexec, runs_in_the_domain_chosen_in_dialogs_menu) {
  if (!fs::exists("/usr/bin/dialog")) {
    SKIP_OR_FAIL("needs dialog");
  }
  Terminal terminal(linked("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows(kMenuHelp)) << terminal.screen();
  ASSERT_TRUE(terminal.shows("two.com")) << terminal.screen();
  terminal.type("2\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("two.com\r\n")) << terminal.screen();
}

TEST_P(Virtexec, runs_in_the_last_of_two_hundred_domains_of_dialogs_menu) {
  if (!fs::exists("/usr/bin/dialog")) {
    SKIP_OR_FAIL("needs dialog");
  }
  for (int number = 100; number < 298; ++number) {
    fs::create_directory("/virtual/a" + std::to_string(number));
  }
  Terminal terminal(linked("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows("a113")) << terminal.screen();
  terminal.type("\033OF");  // End
  ASSERT_TRUE(terminal.shows("two.com")) << terminal.screen();
  terminal.type("\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("two.com\r\n")) << terminal.screen();
}

TEST_P(Virtexec, runs_nothing_when_dialogs_menu_is_cancelled) {
  if (!fs::exists("/usr/bin/dialog")) {
    SKIP_OR_FAIL("needs dialog");
  }
  Terminal terminal(linked("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows("two.com")) << terminal.screen();
  terminal.type("\t\r");
  EXPECT_EQ(125, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("virtcat: no domain chosen: nothing was run\r\n"))
      << terminal.screen();
}

TEST_P(Virtexec, without_dialog_shows_a_numbered_list) {
  Terminal terminal(linked_without_dialog("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows("  1  one.com\r\n  2  two.com\r\nRun cat in which domain (1-2)? "))
      << terminal.screen();
  terminal.type("2\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("\r\ntwo.com\r\n")) << terminal.screen();
}

TEST_P(Virtexec, on_a_terminal_that_dialog_cannot_use_shows_a_numbered_list) {
  Command command = linked("virtcat", {"/name"});
  (*command.environment)["TERM"] = "no-such-terminal";
  Terminal terminal(command);
  ASSERT_TRUE(terminal.shows("(1-2)? ")) << terminal.screen();
  terminal.type("one.com\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("\r\none.com\r\n")) << terminal.screen();
}

TEST_P(Virtexec, asks_again_after_a_wrong_answer) {
  Terminal terminal(linked_without_dialog("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows("(1-2)? "));
  terminal.type("3\r");
  ASSERT_TRUE(terminal.shows("3: no such domain\r\n"));
  ASSERT_TRUE(terminal.shows("(1-2)? "));
  terminal.type("1\r");
  EXPECT_EQ(0, terminal.finish());
}

TEST_P(Virtexec, runs_nothing_at_the_end_of_the_terminals_input) {
  Terminal terminal(linked_without_dialog("virtcat", {"/name"}));
  ASSERT_TRUE(terminal.shows("(1-2)? "));
  terminal.type("\x04");
  EXPECT_EQ(125, terminal.finish());
}

TEST_P(Virtexec, asks_on_the_terminal_and_not_on_standard_input) {
  Command command = script("virtexec");
  command.arguments = {"sh", "-c",
                       "echo for the program | " + linked("virtcat").arguments.back() + " - /name"};
  (*command.environment)["TERM"] = "dumb";
  Terminal terminal(command);
  ASSERT_TRUE(terminal.shows("(1-2)? ")) << terminal.screen();
  terminal.type("1\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("for the program\r\none.com\r\n")) << terminal.screen();
}

TEST_P(Virtexec, gives_the_program_the_terminal) {
  Terminal terminal(
      script("virtexec", {"one.com", "sh", "-c", "read -r line; test -t 0; echo $?$line"}));
  terminal.type("typed\r");
  EXPECT_EQ(0, terminal.finish());
  EXPECT_TRUE(terminal.screen().ends_with("0typed\r\n")) << terminal.screen();
}

/// Reports whether a program in a root can open the terminal that it might type on.
constexpr const char* kOpenTerminal = "if (: >/dev/tty); then echo reached; else echo cut off; fi";

/// Gives the root a dev/tty, on which its programs might type.
void bind_terminal(const fs::path& root) {
  write_file(root / "dev/tty", "");
  ASSERT_EQ(0, testing_support::run({"mount", "--bind", "/dev/tty", root / "dev/tty"}).status);
}

TEST_P(Virtexec, gives_a_command_its_own_terminal) {
  NEEDS_REAL_ROOT();
  bind_terminal("/virtual/one.com");
  Terminal terminal(script("virtexec", {"one.com", "sh", "-c", kOpenTerminal}));
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("reached\r\n", terminal.screen());
}

TEST_P(Virtexec, cuts_a_scripts_command_off_from_the_terminal) {
  NEEDS_REAL_ROOT();
  bind_terminal("/virtual/one.com");
  Command command = script("virtexec", {"one.com", "sh", "-c", kOpenTerminal});
  command.arguments.insert(
      command.arguments.begin(),
      {"sh", "-c", "\"$@\" </dev/null >/run/said 2>/dev/null; cat /run/said", "sh"});
  Terminal terminal(command);
  EXPECT_EQ(0, terminal.finish());
  EXPECT_EQ("cut off\r\n", terminal.screen());
}

TEST_P(Virtexec, makes_no_file) {
  if (!fs::exists("/usr/bin/strace")) {
    SKIP_OR_FAIL("needs strace");
  }
  Command command = linked("virtcat", {"/name"});
  command.arguments.insert(command.arguments.begin(), {"strace", "-f", "-o", "/run/calls", "-e",
                                                       "trace=open,openat,creat,mkdir,mkdirat"});
  Terminal terminal(command);
  ASSERT_TRUE(terminal.shows("two.com")) << terminal.screen();
  terminal.type("\r");
  ASSERT_EQ(0, terminal.finish()) << terminal.screen();
  const std::string calls = testing_support::read_file("/run/calls");
  ASSERT_NE(calls.find("/name"), std::string::npos);
  for (const std::string& line : testing_support::split_lines(calls)) {
    // A virtuald that is built for coverage writes its counters to a file.
    if (line.find("\"/dev/") == std::string::npos && line.find(".profraw") == std::string::npos) {
      EXPECT_EQ(std::string::npos, line.find("O_CREAT")) << line;
      EXPECT_FALSE(line.find("mkdir") != std::string::npos && line.ends_with(" = 0")) << line;
    }
  }
}

/// Installs only virtexec, as /run/prefix/bin/virtexec.
void install_virtexec() {
  fs::create_directories("/run/prefix/bin");
  fs::copy_file(std::string(testing_support::kSourceDirectory) + "/scripts/bin/virtexec",
                "/run/prefix/bin/virtexec");
}

TEST_P(Virtexec, finds_the_shared_files_where_it_is_installed) {
  install_virtexec();
  fs::create_directories("/run/prefix/share");
  fs::copy(std::string(testing_support::kSourceDirectory) + "/scripts/share/virtuald",
           "/run/prefix/share/virtuald");
  fs::create_symlink("/run/prefix/bin/virtexec", "/run/virtcat");
  Command command = script("/run/virtcat", {"/name"});
  (*command.environment)["VIRTUAL_DOMAIN"] = "one.com";
  EXPECT_EQ("one.com\n", testing_support::run(command).output);
}

TEST_P(Virtexec, finds_virtuald_beside_itself) {
  install_virtexec();
  fs::create_directories("/run/prefix/share");
  fs::copy(std::string(testing_support::kSourceDirectory) + "/scripts/share/virtuald",
           "/run/prefix/share/virtuald");
  Command command = script("/run/prefix/bin/virtexec", {"one.com", "cat", "/name"});
  command.environment->erase("VIRTUALD");
  const Outcome without = testing_support::run(command);
  EXPECT_EQ(125, without.status);
  EXPECT_EQ("virtexec: virtuald: not found\n", without.errors);
  static_cast<void>(testing_support::install_programs("/run/prefix"));
  EXPECT_EQ("one.com\n", testing_support::run(command).output);
}

INSTANTIATE_SHELLS(Virtexec);

}  // namespace
