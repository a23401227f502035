// The mount through which a domain logs to the journal, made as the scripts do.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "files.h"
#include "log_socket.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class LogMount : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    fs::create_directories("/virtual/one/dev");
    fs::create_directories("/run/journal");
    ASSERT_EQ(0, ::mount("tmpfs", "/run/journal", "tmpfs", 0, nullptr));
    make_socket("/run/journal/dev-log");
  }

  void TearDown() override {
    ::umount2("/virtual/one/dev/log", MNT_DETACH);
    ::umount2("/run/journal", MNT_DETACH);
    fs::remove_all("/virtual/one");
  }

  static void make_socket(const fs::path& path) {
    ASSERT_EQ(0, ::mknod(path.c_str(), S_IFSOCK | 0666, 0));
  }

  static Outcome by_hand(const std::string& verb, const std::string& path) {
    Command command = command_of({kByHand, verb, path});
    command.prepare = [] { static_cast<void>(::chdir("/virtual/one/dev")); };
    return run(command);
  }

  static void expect_failure(const Outcome& outcome, const std::string& message) {
    EXPECT_EQ(125, outcome.status);
    EXPECT_EQ("virtuald: " + message + "\n", outcome.errors);
  }
};

TEST_F(LogMount, is_made_and_undone) {
  EXPECT_EQ(0, by_hand("mount-log", "/run/journal/dev-log").status);
  EXPECT_TRUE(fs::is_socket("/virtual/one/dev/log"));
  EXPECT_EQ(0, by_hand("unmount-log", "/run/journal").status);
  EXPECT_EQ(0U, fs::file_size("/virtual/one/dev/log"));
  EXPECT_EQ(1, by_hand("unmount-log", "/run/journal").status);
}

/// The host and all domains share the socket: a domain that could change its mode would silence
/// them all.
TEST_F(LogMount, uid_0_of_the_domain_cannot_change_the_socket) {
  fs::remove("/run/journal/dev-log");
  const LogSocket logger("/run/journal/dev-log");
  ASSERT_EQ(0, ::chmod("/run/journal/dev-log", 0666));
  ASSERT_EQ(0, by_hand("mount-log", "/run/journal/dev-log").status);
  EXPECT_EQ(-1, ::chmod("/virtual/one/dev/log", 0));
  EXPECT_EQ(EROFS, errno);
  EXPECT_EQ(-1, ::chown("/virtual/one/dev/log", 1, 1));
  EXPECT_EQ(EROFS, errno);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address{AF_UNIX, "/virtual/one/dev/log"};
  EXPECT_EQ(0, ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  ::close(socket);
}

TEST_F(LogMount, needs_a_socket) {
  expect_failure(by_hand("mount-log", "/run/journal/other"),
                 "open_tree /run/journal/other: No such file or directory");
  expect_failure(by_hand("mount-log", "/run/journal"), "mount /run/journal: Invalid argument");
}

TEST_F(LogMount, needs_a_kernel_with_mount_setattr) {
  Command command = command_of({kByHand, "mount-log", "/run/journal/dev-log"});
  command.prepare = [] {
    static_cast<void>(::chdir("/virtual/one/dev"));
    take_away(SYS_mount_setattr);
  };
  expect_failure(run(command), "mount /run/journal/dev-log: Function not implemented");
}

TEST_F(LogMount, refuses_an_existing_file) {
  write_file("/virtual/one/other", "kept");
  fs::create_symlink("../other", "/virtual/one/dev/log");
  expect_failure(by_hand("mount-log", "/run/journal/dev-log"), "create log: File exists");
  EXPECT_EQ(1, by_hand("unmount-log", "/run/journal").status);
  EXPECT_EQ("kept", read_file("/virtual/one/other"));
}

TEST_F(LogMount, domains_own_socket_is_left_alone) {
  make_socket("/virtual/one/dev/log");
  EXPECT_EQ(1, by_hand("unmount-log", "/run/journal").status);
  expect_failure(by_hand("unmount-log", "/virtual"), "umount2 log: Invalid argument");
  EXPECT_TRUE(fs::is_socket("/virtual/one/dev/log"));
}

}  // namespace
}  // namespace testing_support
