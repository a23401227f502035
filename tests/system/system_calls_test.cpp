// What one connection asks of the kernel, call by call: each costs every connection, so that one
// more is to be seen, and to be worth it.

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
      name = "lstat";  // newer machines have no call of that name
    }
    // The thread pointer: a call of x86 alone.
    if (name != "arch_prctl") {
      names.push_back(name);
    }
    if (name == "execve" && names.size() > 1) {
      break;
    }
  }
  return names;
}

TEST(SystemCalls, of_a_connection_are_these_and_no_more) {
  NEEDS_PRIVATE_WORLD();
  NEEDS_STRACE();
  NEEDS_SHIPPED_PROGRAM();
  if (!kVirtualdHasMusl) {
    SKIP_OR_FAIL("needs musl-tools: another libc makes calls of its own");
  }
  make_two_domains();
  const TemporaryDirectory directory;
  const std::string trace = directory.path() / "trace";
  Serving serving;
  serving.under = {"strace", "-o", trace, "-e", "signal=none"};
  serving.arguments = {"/virtual/conf", "/usr/sbin/service", "name"};
  ASSERT_EQ("domain1\n", serve(serving).answer);
  const std::vector<std::string> expected = {
      "execve",           // virtuald itself
      "set_tid_address",  // musl's start
      "fcntl",            // is 0 open, so that nothing opened later is taken for the connection?
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
      "rt_sigaction",     // nor ignored: SIGHUP,
      "rt_sigaction",     // SIGINT,
      "rt_sigaction",     // SIGQUIT,
      "rt_sigaction",     // SIGPIPE,
      "rt_sigaction",     // SIGTERM,
      "rt_sigaction",     // SIGCHLD,
      "rt_sigaction",     // SIGTSTP,
      "rt_sigaction",     // SIGTTIN,
      "rt_sigaction",     // SIGTTOU
      "umask",            // not that of whoever started the super server
      "execve",           // the service
  };
  EXPECT_EQ(expected, names_of_calls(read_file(trace)));
}

}  // namespace
}  // namespace testing_support
