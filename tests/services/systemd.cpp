#include "systemd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "daemons.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCgroups = "/run/cgroups";

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  ::_exit(254);
}

/// Replaces the mount at `target`: a mount hidden below another would still make -i fail.
void mount_new(const char* type, const char* target, const char* options = nullptr) {
  ::mkdir(target, 0755);
  ::umount2(target, MNT_DETACH);
  if (::mount(type, target, type, 0, options) != 0) {
    give_up(target);
  }
}

/// Removes control groups, the innermost first, because only empty ones can be removed.
void remove_groups(const fs::path& group) {
  for (const fs::directory_entry& entry : fs::directory_iterator(group)) {
    if (entry.is_directory()) {
      remove_groups(entry.path());
    }
  }
  ::rmdir(group.c_str());
}

/// Waits for a signal or the end of `first`, and leaves no process and no group.
[[noreturn]] void watch(pid_t first, const sigset_t& awaited, const char* group) {
  int signal = 0;
  ::sigwait(&awaited, &signal);
  ::kill(first, SIGKILL);
  int status = 0;
  ::waitpid(first, &status, 0);
  remove_groups(group);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/// Continues as process 1 of new namespaces.
void enter_machine() {
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    give_up("unshare");
  }
  mount_new("cgroup2", kCgroups);
  std::string group = std::string(kCgroups) + "/virtuald.XXXXXX";
  if (::mkdtemp(group.data()) == nullptr) {
    give_up("mkdtemp");
  }
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &awaited, nullptr);
  const pid_t first = ::fork();
  if (first != 0) {
    watch(first, awaited, group.c_str());
  }
  ::sigprocmask(SIG_UNBLOCK, &awaited, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int members = ::open((group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (members < 0 || ::write(members, "0", 1) != 1 ||
      ::unshare(CLONE_NEWCGROUP | CLONE_NEWNS) != 0 || ::umount2(kCgroups, MNT_DETACH) != 0) {
    give_up("control group");
  }
}

void furnish_machine() {
  mount_new("proc", "/proc");
  mount_new("sysfs", "/sys");
  mount_new("cgroup2", "/sys/fs/cgroup");
  mount_new("tmpfs", "/run", "mode=0755");
  // If nothing were mounted there, systemd would mount the host's /dev.
  if (::mount("/dev", "/dev", nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    give_up("/dev");
  }
  for (const char* target : {"sysinit", "basic", "sockets"}) {
    const std::string wanted = std::string("/usr/lib/systemd/system/") + target + ".target.wants";
    if (fs::exists(wanted)) {
      mount_new("tmpfs", wanted.c_str());
    }
  }
}

}  // namespace

Command systemd(const std::string& unit) {
  Command command = command_of(
      {daemon_path("systemd", "/usr/lib/systemd/systemd"), "--unit=" + unit, "--show-status=no"});
  command.environment = std::map<std::string, std::string>{{"container", "other"}};
  command.prepare = [] {
    enter_machine();
    furnish_machine();
  };
  return command;
}

}  // namespace testing_support
