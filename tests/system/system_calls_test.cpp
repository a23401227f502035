// The system calls of a connection, one by one: each call costs every connection, so an additional
// one must be noticed and be worth it.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

/// The calls between virtuald's own execve(2) and the service's, which ends the list.
std::vector<std::string> names_of_calls(const std::string& trace) {
  std::vector<std::string> names;
  for (const std::string& line : split_lines(trace)) {
    std::string name = line.substr(0, line.find('('));
    if (name == "newfstatat") {
      name = "lstat";  // newer architectures lack it
    }
    if (name == "syscall_0x1ca") {
      name = "listmount";  // newer than some versions of strace
    }
    // Sets the thread pointer, only on x86.
    if (name != "arch_prctl") {
      names.push_back(name);
    }
    if (name == "execve" && names.size() > 1) {
      break;
    }
  }
  return names;
}

/// The calls of a connection with these options.
std::vector<std::string> calls_of_connection(const std::vector<std::string>& options) {
  make_two_domains();
  write_file("/virtual/domain1.com/etc/hostname", "www.domain1.com\n");
  const TemporaryDirectory directory;
  const std::string trace = directory.path() / "trace";
  Serving serving;
  serving.under = {"strace", "-o", trace, "-e", "signal=none"};
  serving.arguments = options;
  serving.arguments.insert(serving.arguments.end(), {"/virtual/conf", "/usr/sbin/service", "name"});
  EXPECT_EQ("domain1\n", serve(serving).answer);
  return names_of_calls(read_file(trace));
}

class SystemCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    NEEDS_STRACE();
    NEEDS_SHIPPED_PROGRAM();
    if (!kVirtualdHasMusl) {
      SKIP_OR_FAIL("needs musl-tools: another libc makes calls of its own");
    }
  }
};

TEST_F(SystemCalls, of_a_connection_are_these_and_no_more) {
  const std::vector<std::string> expected = {
      "execve",           // virtuald itself
      "set_tid_address",  // musl's start
      "fcntl",            // is 0 open? nothing opened later must be taken for the connection
      "fcntl",            // is 1?
      "fcntl",            // is 2?
      "close_range",      // nothing else that the super server had open is passed on
      "socket",           // the host's log,
      "connect",          // as long as it can be reached
      "getsockname",      // which address did the client want?
      "lstat",            // whose is "/"?
      "lstat",            // whose is /virtual?
      "openat",           // /virtual/conf
      "fstat",            // whose is it, and is it a file?
      "read",             // all of the configuration
      "lstat",            // whose is "/"?
      "lstat",            // whose is /virtual?
      "openat",           // /virtual/domain1.com
      "fstat",            // whose is it, and is it a directory?
      "fchdir",           // the very directory that was looked at
      "chroot",           // becomes the root
      "rt_sigprocmask",   // no signal stays blocked,
      "rt_sigaction",     // SIGPIPE
      "rt_sigaction",     // and SIGCHLD are not ignored
      "execve",           // the service
  };
  EXPECT_EQ(expected, calls_of_connection({}));
}

/// Joins consecutive calls that drop a capability into one line.
std::vector<std::string> without_repeated_drops(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  int drops = 0;
  for (const std::string& name : names) {
    if (name == "prctl") {
      ++drops;
      continue;
    }
    if (drops > 0) {
      result.push_back("prctl x " + std::to_string(drops));
      drops = 0;
    }
    result.push_back(name);
  }
  return result;
}

/// The number of the last capability that the kernel knows; the first is 0.
int last_capability() {
  return std::stoi(read_file("/proc/sys/kernel/cap_last_cap"));
}

TEST_F(SystemCalls, of_an_isolated_connection_are_these_and_no_more) {
  NEEDS_REAL_ROOT();
  constexpr int kKept = 11;
  // Including the call that fails because there are no more.
  const int drops = last_capability() + 1 - kKept + 1;
  const std::vector<std::string> expected = {
      "execve",                   // as without -i, until
      "set_tid_address",          //
      "fcntl",                    //
      "fcntl",                    //
      "fcntl",                    //
      "close_range",              //
      "socket",                   //
      "connect",                  //
      "getsockname",              //
      "lstat",                    //
      "lstat",                    //
      "openat",                   //
      "fstat",                    //
      "read",                     //
      "lstat",                    //
      "lstat",                    //
      "openat",                   //
      "fstat",                    // the root is open
      "openat",                   // /dev/tty: a terminal of the super server to give up?
      "landlock_create_ruleset",  // which version of Landlock does the kernel have?
      "getpid",                   // its own pid
      "pidfd_open",               // a descriptor of itself, to
      "setns",                    // leave a chroot that the super server is in
      "fchdir",                   // the very directory that was looked at
      "unshare",                  // its own mounts, host name, IPC and cgroups
      "mount",                    // from here on no mount propagates to the host or from it
      "open_tree",                // a copy of the root, with all that is mounted below it,
      "move_mount",               // put in its place
      "fchdir",                   // the copy
      "statx",                    // is anything mounted
      "listmount",                // below the root? (Linux 6.8)
      "pivot_root",               // becomes "/",
      "umount2",                  // and the host's files are gone
      "openat2",                  // etc/hostname, in the root
      "fstat",                    // is it a file?
      "read",                     // its first word
      "sethostname",              // becomes the host name
      "setdomainname",            // no NIS domain
      "mount",                    // its own terminals, if there is a dev/pts
      "landlock_create_ruleset",  // signals, ptrace and abstract sockets
      "landlock_restrict_self",   // no longer reach other processes
      "prctl x " + std::to_string(drops),  // capabilities that daemons do not need
      "capget",                            // inheritable capabilities
      "capset",                            // are dropped
      "seccomp",                           // forbids user namespaces, keyrings, others' limits
      "rt_sigprocmask",                    // from here on as without -i,
      "rt_sigaction",                      //
      "rt_sigaction",                      // and these are not ignored either:
      "rt_sigaction",                      // SIGHUP,
      "rt_sigaction",                      // SIGINT,
      "rt_sigaction",                      // SIGQUIT,
      "rt_sigaction",                      // SIGUSR1,
      "rt_sigaction",                      // SIGUSR2,
      "rt_sigaction",                      // SIGALRM,
      "rt_sigaction",                      // SIGTERM,
      "rt_sigaction",                      // SIGTSTP,
      "rt_sigaction",                      // SIGTTIN,
      "rt_sigaction",                      // SIGTTOU,
      "rt_sigaction",                      // SIGXFSZ
      "umask",                             // not that of whoever started the super server
      "execve",                            // the service
  };
  EXPECT_EQ(expected, without_repeated_drops(calls_of_connection({"-i"})));
}

}  // namespace
}  // namespace testing_support
