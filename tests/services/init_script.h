// Shared by the tests of syslog.init and sendmail.init.
#pragma once

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "daemons.h"
#include "domains.h"
#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "process.h"
#include "script.h"
#include "world.h"

namespace testing_support {

namespace fs = std::filesystem;

/// The pids of all processes with that program (the last component of /proc/PID/exe) and that root:
/// the same directory, which an isolated process calls "/".
inline std::vector<pid_t> processes_of(const std::string& program, const fs::path& root = "/") {
  const auto has_root = [&root](const fs::path& entry) {
    struct stat own {};
    struct stat wanted {};
    return ::stat((entry / "root").c_str(), &own) == 0 && ::stat(root.c_str(), &wanted) == 0 &&
           own.st_ino == wanted.st_ino && own.st_dev == wanted.st_dev;
  };
  std::vector<pid_t> pids;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    std::error_code error;
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        fs::read_symlink(entry.path() / "exe", error).filename() == program &&
        has_root(entry.path())) {
      pids.push_back(std::stoi(name));
    }
  }
  return pids;
}

/// Whether the process runs: a zombie does not.
inline bool is_running(pid_t pid) {
  std::error_code error;
  return !fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", error).empty();
}

/// Kills a process; true once it no longer runs.
inline bool kill_now(pid_t pid) {
  ::kill(pid, SIGKILL);
  return eventually([pid] { return !is_running(pid); });
}

// For EXPECT_PRED2, which shows both texts.

inline bool lacks(const std::string& text, const std::string& part) {
  return !contains(text, part);
}

inline bool ends_with(const std::string& text, const std::string& part) {
  return text.ends_with(part);
}

/// A test of one of the two scripts, in an empty /virtual and with settings of its own.
class InitScriptTest : public ShellTest {
 protected:
  explicit InitScriptTest(std::string name) : name_(std::move(name)) {}

  void SetUp() override {
    NEEDS_REAL_ROOT();
    static const bool writable = (make_writable("/etc"), true);
    static_cast<void>(writable);
    for (const char* directory : {"/virtual", "/virtual2", "/run/virtuald", "/scratch"}) {
      fs::remove_all(directory);
    }
    fs::create_directory("/virtual");
    fs::create_directory("/scratch");
    fs::remove("/etc/default/virtuald");
  }

  /// The variables that the script gets besides the test's own.
  std::map<std::string, std::string>& settings() { return settings_; }

  /// Runs the script.
  [[nodiscard]] Outcome init(const std::string& command,
                             const std::map<std::string, std::string>& extra = {}) const {
    return init_by(name_, command, extra);
  }

  /// Runs another script with the same settings.
  [[nodiscard]] Outcome init_by(const std::string& name, const std::string& command,
                                const std::map<std::string, std::string>& extra = {}) const {
    Command whole = script(name, {command});
    for (const auto& some : {settings_, extra}) {
      for (const auto& [variable, value] : some) {
        (*whole.environment)[variable] = value;
      }
    }
    return run(whole);
  }

  /// Expects that the script failed with this message only.
  void expect_error(const Outcome& outcome, const std::string& message) const {
    EXPECT_EQ(1, outcome.status);
    EXPECT_EQ(name_ + ": " + message + "\n", outcome.errors);
  }

  /// Expects a status, and one line of output.
  void expect_line(const Outcome& outcome, int status, const std::string& line) const {
    EXPECT_EQ(status, outcome.status) << outcome.errors;
    EXPECT_EQ(name_ + ": " + line + "\n", outcome.output);
  }

  void expect_2_for_wrong_usage() const {
    EXPECT_EQ(2, init("begin").status);
    EXPECT_EQ(2, run_script(name_).status);
    EXPECT_EQ(2, init("-x").status);
  }

  void expect_usage(const std::string& usage) const {
    const Outcome outcome = init("-h");
    EXPECT_EQ(0, outcome.status);
    EXPECT_PRED2(contains, outcome.output, usage);
  }

  void expect_refusal_of_another_user() const {
    Command command = script(name_, {"start"});
    command.prepare = [] { static_cast<void>(::setuid(65534)); };
    expect_error(run(command), "not root: only root can use chroot");
  }

  /// Makes a domain that contains only busybox and the directories that logging needs.
  static fs::path make_domain(const std::string& name, const fs::path& leading = "/virtual") {
    const fs::path root = leading / name;
    for (const char* directory : {"bin", "dev", "etc", "run", "usr/sbin", "var/log"}) {
      fs::create_directories(root / directory);
    }
    fs::copy_file("/bin/busybox", root / "bin/busybox");
    for (const char* applet : {"logger", "sh", "sleep"}) {
      fs::create_symlink("busybox", root / "bin" / applet);
    }
    ::mknod((root / "dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3));
    return root;
  }

 private:
  std::string name_;
  std::map<std::string, std::string> settings_;
};

}  // namespace testing_support
