// A machine of the test's own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "must_run.h"

namespace testing_support {

/// Runs all tests in a private world: mount, process, network, IPC and host name namespaces, in
/// which
/// - "/" is an empty tmpfs, root's own, with the host's directories bound in read-only;
/// - /dev (null zero full random urandom tty ptmx pts shm), /proc, /run, /tmp and /virtual are new;
/// - /home and /root hold nothing but the work tree, if it is there, and are open to all: the
///   host's often are not, and tests run what was built as other users than root;
/// - the source directory and the build directory are writable;
/// - only lo is there, and up.
/// No process and no file of it is left when it ends. Without root it does this in a user namespace
/// where the kernel allows that; else the tests run as they are and world_is_private() is false.
/// Returns what main should.
int run_tests_in_private_world(int argc, char** argv);

/// The same outside of a test: does `body` there, and returns what it returned.
int run_in_private_world(const std::function<int()>& body);

/// Whether this process is in one.
bool world_is_private();

/// Whether it is with the real root's powers: mknod, setuid to any user, other file systems.
bool has_real_root();

/// Makes `directory` of the private world writable, by an overlay whose lower layers are `layers`
/// (first is uppermost) and what is there now. For daemons unpacked beside the host:
/// make_writable("/usr", {unpacked / "usr"}).
void make_writable(const std::filesystem::path& directory,
                   const std::vector<std::filesystem::path>& layers = {});

/// Gives the loopback interface of the private world another address, such as 10.10.10.129/32 or
/// 2001:db8::81/128.
void add_address(const std::string& address);

}  // namespace testing_support

/// Leaves the test unless it runs in a private world.
#define NEEDS_PRIVATE_WORLD()                                               \
  do {                                                                      \
    if (!testing_support::world_is_private()) {                             \
      SKIP_OR_FAIL("needs root, or user namespaces, for chroot and mount"); \
    }                                                                       \
  } while (false)

/// Leaves the test unless it has root's powers in full.
#define NEEDS_REAL_ROOT()                                                            \
  do {                                                                               \
    if (!testing_support::world_is_private() || !testing_support::has_real_root()) { \
      SKIP_OR_FAIL("needs root: other users, device nodes, real daemons");           \
    }                                                                                \
  } while (false)
