#include "world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <set>
#include <stdexcept>
#include <system_error>

#include "files.h"
#include "paths.h"
#include "process.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

/// Where the new root is built: a directory that every system has and that building does not need.
const fs::path kNewRoot = "/proc";

bool is_private = false;
bool is_real_root = false;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void mount_or_throw(const char* source, const fs::path& target, const char* type,
                    unsigned long flags, const char* options) {
  if (::mount(source, target.c_str(), type, flags, options) != 0) {
    fail("mount " + target.string());
  }
}

// From <linux/mount.h>, which conflicts with <sys/mount.h>.
struct MountAttributes {
  std::uint64_t set;
  std::uint64_t clear;
  std::uint64_t propagation;
  std::uint64_t user_namespace;
};

void make_read_only(const fs::path& mount_point) {
  MountAttributes attributes{1 /* MOUNT_ATTR_RDONLY */, 0, 0, 0};
  if (::syscall(SYS_mount_setattr, AT_FDCWD, mount_point.c_str(), AT_RECURSIVE, &attributes,
                sizeof attributes) != 0) {
    fail("mount_setattr " + mount_point.string());
  }
}

void bind(const fs::path& source, const fs::path& target) {
  mount_or_throw(source.c_str(), target, nullptr, MS_BIND | MS_REC, nullptr);
}

/// Binds the host's directories, except those in `own`, which are new in the world.
void bind_host(const std::set<std::string>& own) {
  for (const fs::directory_entry& entry : fs::directory_iterator("/")) {
    const fs::path target = kNewRoot / entry.path().filename();
    if (own.contains(entry.path().filename().string())) {
      continue;
    }
    if (entry.is_symlink()) {
      fs::create_symlink(fs::read_symlink(entry.path()), target);
    } else if (entry.is_directory()) {
      fs::create_directory(target);
      bind(entry.path(), target);
      make_read_only(target);
    }
  }
}

void make_devices() {
  const fs::path devices = kNewRoot / "dev";
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    write_file(devices / name, "");
    bind(fs::path("/dev") / name, devices / name);
  }
  fs::create_directory(devices / "pts");
  mount_or_throw("devpts", devices / "pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=620");
  fs::create_symlink("pts/ptmx", devices / "ptmx");
  fs::create_symlink("/proc/self/fd", devices / "fd");
  fs::create_directory(devices / "shm");
  ::chmod((devices / "shm").c_str(), 01777);
}

/// Binds the work tree, which may be below one of the world's new directories.
void bind_work_tree() {
  for (const fs::path& directory : {fs::path(kSourceDirectory), fs::path(kBuildDirectory)}) {
    const fs::path target = kNewRoot / directory.relative_path();
    fs::create_directories(target);
    bind(directory, target);
  }
}

void enter_new_root() {
  if (::chdir(kNewRoot.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    fail("pivot_root");
  }
}

void raise_loopback() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) {
    fail("ifconfig lo up");
  }
  ::close(socket);
}

void build_world() {
  mount_or_throw("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount_or_throw("tmpfs", kNewRoot, "tmpfs", 0, "mode=0755");
  const std::set<std::string> own = {"dev", "home", "proc", "root", "run", "tmp", "virtual"};
  bind_host(own);
  for (const std::string& name : own) {
    fs::create_directory(kNewRoot / name);
  }
  ::chmod((kNewRoot / "tmp").c_str(), 01777);
  make_devices();
  bind_work_tree();
  mount_or_throw("proc", kNewRoot / "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  enter_new_root();
  raise_loopback();
}

void write_map(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::write(file, text.data(), text.size()) < 0) {
    fail(path);
  }
  ::close(file);
}

/// Leaves the host's namespaces. Returns false if the kernel does not allow it.
bool leave_namespaces() {
  constexpr int kSpaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid == 0) {
    is_real_root = ::unshare(kSpaces) == 0;
    return is_real_root;
  }
  if (::unshare(kSpaces | CLONE_NEWUSER) != 0) {
    return false;
  }
  write_map("/proc/self/setgroups", "deny");
  write_map("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
  write_map("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
  return true;
}

/// Runs as the first process of the world: reaps orphans until the tests are done.
int reap_until(pid_t tests) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == tests) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (ended < 0 && errno != EINTR) {
      return 1;
    }
  }
}

int run_in_world(const std::function<int()>& body) {
  const pid_t tests = ::fork();
  if (tests != 0) {
    return reap_until(tests);
  }
  try {
    build_world();
  } catch (const std::exception& exception) {
    ADD_FAILURE() << "private world: " << exception.what();
    return 1;
  }
  is_private = true;
  return body();
}

}  // namespace

int run_tests_in_private_world(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const auto run_tests = [] { return RUN_ALL_TESTS(); };
  return GTEST_FLAG_GET(list_tests) ? run_tests() : run_in_private_world(run_tests);
}

int run_in_private_world(const std::function<int()>& body) {
  if (!leave_namespaces()) {
    return body();
  }
  const pid_t first = ::fork();
  if (first == 0) {
    ::_exit(run_in_world(body));
  }
  int status = 0;
  ::waitpid(first, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool world_is_private() {
  return is_private;
}

bool has_real_root() {
  return is_real_root;
}

void make_writable(const fs::path& directory, const std::vector<fs::path>& layers) {
  static int count = 0;
  const fs::path room = "/run/overlay." + std::to_string(++count);
  fs::create_directories(room / "upper");
  fs::create_directories(room / "work");
  std::string options = "lowerdir=";
  for (const fs::path& layer : layers) {
    options += layer.string() + ":";
  }
  options += directory.string() + ",upperdir=" + (room / "upper").string() +
             ",workdir=" + (room / "work").string();
  mount_or_throw("overlay", directory, "overlay", 0, options.c_str());
}

void add_address(const std::string& address) {
  std::vector<std::string> command = {"ip", "address", "add", address, "dev", "lo"};
  if (address.find(':') != std::string::npos) {
    command.emplace_back("nodad");
  }
  const Outcome outcome = run(command);
  if (outcome.status != 0) {
    throw std::runtime_error("ip address add " + address + ": " + outcome.errors);
  }
}

}  // namespace testing_support
