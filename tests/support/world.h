// A private machine for tests.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "must_run.h"

namespace testing_support {

/// Runs all tests in a private world: mount, process, network, IPC and host name namespaces, in
/// which
/// - "/" is a new tmpfs, owned by root, with the host's directories bound in read-only;
/// - /dev (null zero full random urandom tty ptmx pts shm), /proc, /run, /tmp and /virtual are new;
/// - /home and /root contain only the work tree, if it is there, and are open to all, because
///   tests run the built programs as users other than root;
/// - the source directory and the build directory are writable;
/// - lo is the only interface, and is up.
/// No process and no file is left when it ends. Without root, it uses a user namespace if the
/// kernel allows that; otherwise the tests run on the host, and world_is_private() is false.
/// Returns the value for main to return.
int run_tests_in_private_world(int argc, char** argv);

/// The same outside a test: runs `body` in a private world, and returns its value.
int run_in_private_world(const std::function<int()>& body);

/// Whether this process is in one.
bool world_is_private();

/// Whether it has the powers of the host's root: mknod, setuid to any user, all file systems.
bool has_real_root();

/// Makes `directory` of the private world writable, with an overlay whose lower layers are `layers`
/// (the first is uppermost) and the present contents. For daemons that are unpacked but not
/// installed: make_writable("/usr", {unpacked / "usr"}).
void make_writable(const std::filesystem::path& directory,
                   const std::vector<std::filesystem::path>& layers = {});

/// Gives the loopback interface of the private world another address, such as 10.10.10.129/32 or
/// 2001:db8::81/128.
void add_address(const std::string& address);

}  // namespace testing_support

/// Skips the test unless it runs in a private world.
#define NEEDS_PRIVATE_WORLD()                                               \
  do {                                                                      \
    if (!testing_support::world_is_private()) {                             \
      SKIP_OR_FAIL("needs root, or user namespaces, for chroot and mount"); \
    }                                                                       \
  } while (false)

/// Skips the test unless it has all of root's powers.
#define NEEDS_REAL_ROOT()                                                            \
  do {                                                                               \
    if (!testing_support::world_is_private() || !testing_support::has_real_root()) { \
      SKIP_OR_FAIL("needs root: other users, device nodes, real daemons");           \
    }                                                                                \
  } while (false)
