// The ways out of a root for user 0, each shown to be open in a plain chroot and closed with -i.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "files.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const std::string kRoot = "/virtual/domain1.com";
const std::string kMarker = "/run/marker";  // a file of the host that contains the line "host"
constexpr int kSecretDescriptor = 50;
char secret[16] = "host";

/// virtuald with these options, which starts the kit with these arguments.
Serving serving_with(const Strings& options, const Strings& arguments) {
  Serving serving;
  serving.arguments = options;
  serving.arguments.insert(serving.arguments.end(), {"/virtual/conf", "kit"});
  serving.arguments.insert(serving.arguments.end(), arguments.begin(), arguments.end());
  serving.environment = {{"PATH", "/usr/sbin"}};
  return serving;
}

std::string answer(const Strings& options, const Strings& arguments) {
  return serve(serving_with(options, arguments)).answer;
}

Strings isolated(Strings options) {
  options.emplace_back("-i");
  return options;
}

/// Whether the kit's answer means that it got out.
bool is_out(const std::string& text) {
  return text.starts_with("out: ");
}

/// A process of the host, with a secret in its memory and in a file.
class HostProcess {
 public:
  explicit HostProcess(uid_t user = 0) {
    write_file("/run/secret", "host");
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = ::open("/run/secret", O_RDONLY | O_CLOEXEC);
      if (::dup2(file, kSecretDescriptor) < 0 || ::setresgid(user, user, user) != 0 ||
          ::setresuid(user, user, user) != 0 || ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
        ::_exit(1);
      }
      for (;;) {
        ::pause();
      }
    }
    const std::string directory = "/proc/" + id();
    EXPECT_TRUE(eventually([&directory, user] {
      struct stat status {};
      return fs::exists(fs::symlink_status(directory + "/fd/50")) &&
             ::stat(directory.c_str(), &status) == 0 && status.st_uid == user;
    }));
  }
  ~HostProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  [[nodiscard]] std::string id() const { return std::to_string(pid_); }
  [[nodiscard]] bool is_alive() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }

 private:
  pid_t pid_ = -1;
};

/// Starts virtuald, which starts the kit, on one end of a connection. Sets `client` to the other.
pid_t start_kit(const Strings& options, const Strings& arguments, const std::string& address,
                Descriptor& client) {
  Connection connection = connect_pair(address);
  Command command;
  command.program = kVirtuald;
  command.arguments = serving_with(options, arguments).arguments;
  command.arguments.insert(command.arguments.begin(), "virtuald");
  command.environment = std::map<std::string, std::string>{{"PATH", "/usr/sbin"}};
  const int socket = connection.server.get();
  client = std::move(connection.client);
  return start(command, socket, socket, socket);
}

/// Another connection, whose service waits until this object is destroyed.
class Connected {
 public:
  explicit Connected(const Strings& options, const std::string& address = "127.0.0.3") {
    pid_ = start_kit(options, {"wait"}, address, client_);
    char buffer[64];
    const ssize_t count = ::read(client_.get(), buffer, sizeof buffer);
    EXPECT_EQ("ready\n", std::string(buffer, count > 0 ? static_cast<std::size_t>(count) : 0));
  }
  ~Connected() {
    client_.reset();
    wait_for(pid_);
  }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;

  [[nodiscard]] std::string id() const { return std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
  Descriptor client_;
};

class Escape : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_two_domains();
    for (const char* const root : {"/virtual/domain1.com", "/virtual/domain2.com"}) {
      fs::copy_file(kEscapeKit, std::string(root) + "/usr/sbin/kit",
                    fs::copy_options::overwrite_existing);
      write_file(std::string(root) + "/etc/passwd", "root:x:0:0::/:\nwww:x:33:33::/:\n");
      write_file(std::string(root) + "/etc/group", "www:x:33:\n");
    }
    write_file(kMarker, "host\n");
  }

  void TearDown() override {
    // Mounts that the kit makes in a plain chroot appear in the test's world as well.
    for (const char* const place : {"/proc", "/cgroup"}) {
      ::umount2((kRoot + place).c_str(), MNT_DETACH);
    }
    for (const std::string& place : mounted_) {
      ::umount2(place.c_str(), MNT_DETACH);
    }
    mounted_.clear();
  }

  /// Mounts something for the domain as an administrator might.
  static void mount_below(const std::string& place, const char* source, const char* type,
                          unsigned long flags = 0) {
    fs::create_directories(kRoot + place);
    ASSERT_EQ(0, ::mount(source, (kRoot + place).c_str(), type, flags, nullptr)) << place;
    mounted_.push_back(kRoot + place);
  }

  /// Expects that this way out is open in a plain chroot, and that -i closes it with `reason`.
  static void expect_shut(const Strings& arguments, const std::string& reason,
                          const Strings& options = {}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    EXPECT_PRED1(is_out, answer(options, arguments));
    const Served served = serve(serving_with(isolated(options), arguments));
    EXPECT_EQ("held: " + reason + "\n", served.answer) << ::testing::PrintToString(served.log);
  }

 private:
  inline static Strings mounted_;
};

const std::string kNotPermitted = ": Operation not permitted";

TEST_F(Escape, by_a_second_chroot) {
  expect_shut({"chroot", kMarker}, "open ./run/marker: No such file or directory");
}

TEST_F(Escape, by_a_directory_that_is_moved_out_of_the_live_root) {
  for (const Strings& options : {Strings{}, Strings{"-i"}}) {
    fs::remove_all("/virtual/outside");
    fs::create_directory(kRoot + "/inside");
    std::thread mover([] {
      eventually([] { return fs::exists(kRoot + "/inside/ready"); });
      fs::rename(kRoot + "/inside", "/virtual/outside");
      write_file("/virtual/outside/moved", "");
    });
    const std::string said = answer(options, {"moved", kMarker});
    mover.join();
    EXPECT_EQ(options.empty() ? "out: host\n" : "held: chdir: No such file or directory\n", said);
  }
}

/// The super server itself runs in a chroot, which may or may not be a mount point.
TEST_F(Escape, by_a_second_chroot_from_a_super_server_in_a_first) {
  NEEDS_SHIPPED_PROGRAM();
  fs::create_directories("/cell");
  for (const bool is_mount : {true, false}) {
    SCOPED_TRACE(is_mount);
    if (is_mount) {
      ASSERT_EQ(0, ::mount("none", "/cell", "tmpfs", 0, "mode=0755"));
    }
    const std::string program = "/cell" + std::string(kVirtuald);
    for (const std::string& directory :
         {fs::path(program).parent_path().string(), "/cell" + kRoot + "/usr/sbin",
          std::string("/cell/proc")}) {
      fs::create_directories(directory);
    }
    fs::copy_file(kVirtuald, program, fs::copy_options::overwrite_existing);
    fs::copy_file(kEscapeKit, "/cell" + kRoot + "/usr/sbin/kit",
                  fs::copy_options::overwrite_existing);
    write_file("/cell/virtual/conf", "default " + kRoot + "\n");
    ASSERT_EQ(0, ::mount("proc", "/cell/proc", "proc", 0, nullptr));
    for (const Strings& options : {Strings{}, Strings{"-i"}}) {
      Serving serving = serving_with(options, {"chroot", kMarker});
      serving.prepare = [] {
        fs::create_directories("/cell/dev");
        if (::link("/dev/log", "/cell/dev/log") != 0 && errno != EEXIST && errno != EXDEV) {
          ::_exit(201);
        }
        if (::chroot("/cell") != 0 || ::chdir("/") != 0) {
          ::_exit(200);
        }
      };
      EXPECT_EQ(
          options.empty() ? "out: host\n" : "held: open ./run/marker: No such file or directory\n",
          serve(serving).answer);
    }
    ::umount2("/cell/proc", MNT_DETACH);
    ::umount2("/cell", MNT_DETACH);
  }
}

/// All ways to reach a process except its namespaces and signals that end it.
void expect_process_out_of_reach(const std::string& pid, const Strings& options,
                                 void (*expect_shut)(const Strings&, const std::string&,
                                                     const Strings&)) {
  expect_shut({"trace", pid}, "ptrace" + kNotPermitted, options);
  expect_shut({"signal", pid, "0"}, "kill" + kNotPermitted, options);
  expect_shut({"pidfd signal", pid}, "pidfd_send_signal" + kNotPermitted, options);
  expect_shut({"queue signal", pid}, "rt_sigqueueinfo" + kNotPermitted, options);
  for (const char* const call :
       {"prlimit", "setpriority", "setpriority of a user", "ioprio_set", "sched_setparam",
        "sched_setscheduler", "sched_setattr", "sched_setaffinity"}) {
    expect_shut({"tune", call, pid}, call + kNotPermitted, options);
  }
}

TEST_F(Escape, by_a_process_of_the_host) {
  const HostProcess process;
  char address[32];
  std::snprintf(address, sizeof address, "%p", static_cast<void*>(secret));
  expect_shut({"memory", process.id(), address}, "process_vm_readv" + kNotPermitted);
  expect_shut({"descriptor", process.id(), "50"}, "pidfd_getfd" + kNotPermitted);
  expect_shut({"namespace of", process.id(), kMarker}, "setns" + kNotPermitted);
  expect_process_out_of_reach(process.id(), {}, expect_shut);
}

TEST_F(Escape, by_a_process_of_the_same_user_of_the_host) {
  const HostProcess process(33);
  char address[32];
  std::snprintf(address, sizeof address, "%p", static_cast<void*>(secret));
  const Strings user = {"-u", "www"};
  expect_shut({"memory", process.id(), address}, "process_vm_readv" + kNotPermitted, user);
  expect_shut({"descriptor", process.id(), "50"}, "pidfd_getfd" + kNotPermitted, user);
  expect_process_out_of_reach(process.id(), user, expect_shut);
}

TEST_F(Escape, by_a_service_of_another_domain) {
  const Connected other({"-i"});
  expect_process_out_of_reach(other.id(), {}, expect_shut);
}

TEST_F(Escape, by_a_service_of_the_same_user_of_another_domain) {
  const Connected other({"-i", "-u", "www"});
  expect_process_out_of_reach(other.id(), {"-u", "www"}, expect_shut);
}

TEST_F(Escape, by_a_service_of_the_same_domain) {
  const Connected other({"-i"}, "127.0.0.2");
  expect_process_out_of_reach(other.id(), {}, expect_shut);
}

TEST_F(Escape, by_killing_a_process_of_the_host) {
  const HostProcess process;
  EXPECT_EQ("held: kill" + kNotPermitted + "\n", answer({"-i"}, {"signal", process.id(), "9"}));
  EXPECT_TRUE(process.is_alive());
  EXPECT_EQ("out: signals\n", answer({}, {"signal", process.id(), "9"}));
  EXPECT_TRUE(eventually([&process] { return !process.is_alive(); }));
}

/// The kernel sends the signal, for an event on a descriptor.
TEST_F(Escape, by_a_signal_that_the_kernel_sends) {
  const HostProcess process;
  EXPECT_EQ("out: has asked for it\n", answer({"-i"}, {"owner", process.id()}));
  EXPECT_TRUE(process.is_alive());
  EXPECT_EQ("out: has asked for it\n", answer({}, {"owner", process.id()}));
  EXPECT_TRUE(eventually([&process] { return !process.is_alive(); }));
}

TEST_F(Escape, by_a_disk) {
  expect_shut({"disk"}, "mknod" + kNotPermitted);
}

TEST_F(Escape, by_a_mount) {
  expect_shut({"mount", "proc", "/proc", "/proc/1/root" + kMarker}, "mount" + kNotPermitted);
}

TEST_F(Escape, by_the_files_that_a_mount_hides) {
  write_file(kRoot + "/hidden/secret", "host\n");
  mount_below("/hidden", "none", "tmpfs");
  EXPECT_EQ("held: umount2" + kNotPermitted + "\n",
            answer({"-i"}, {"umount", "/hidden", "/hidden/secret"}));
  EXPECT_EQ("out: host\n", answer({}, {"umount", "/hidden", "/hidden/secret"}));
}

TEST_F(Escape, by_a_namespace_of_the_host) {
  const HostProcess process;
  mount_below("/proc", "proc", "proc");
  const std::string path = "/proc/" + process.id() + "/ns/mnt";
  expect_shut({"namespace", path, kMarker}, "open " + path + ": Permission denied");
}

/// In a plain chroot the kernel refuses user namespaces, and user 0 does not need one.
TEST_F(Escape, by_a_user_namespace) {
  for (const char* const how : {"unshare", "clone"}) {
    EXPECT_EQ("held: " + (how + kNotPermitted) + "\n", answer({"-i"}, {"user namespace", how}));
  }
  EXPECT_EQ("held: clone3: Function not implemented\n",
            answer({"-i"}, {"user namespace", "clone3"}));
}

/// i386 and x32 programs have other system call numbers.
TEST_F(Escape, by_a_system_call_of_another_architecture) {
#if defined(__x86_64__)
  const std::string i386 = answer({"-i"}, {"user namespace", "clone of i386"});
  EXPECT_TRUE(i386 == "held: clone of i386" + kNotPermitted + "\n" || i386.empty() ||
              i386 == "held: clone of i386: Function not implemented\n")
      << i386;
  const std::string x32 = answer({"-i"}, {"user namespace", "unshare of x32"});
  EXPECT_EQ("held: unshare of x32" + kNotPermitted + "\n", x32);
#else
  GTEST_SKIP() << "needs x86-64";
#endif
}

/// cgroup2 shows the super server's cgroup to anyone who can mount it, and a cgroup can be killed.
TEST_F(Escape, by_a_new_cgroup) {
  const HostProcess process;
  expect_shut({"cgroup", process.id()}, "unshare" + kNotPermitted);
}

TEST_F(Escape, by_a_file_handle) {
  alignas(file_handle) char bytes[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* const handle = reinterpret_cast<file_handle*>(bytes);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  write_file("/marker", "host\n");  // on the root's file system
  ASSERT_EQ(0, ::name_to_handle_at(AT_FDCWD, "/marker", handle, &mount, 0));
  std::string hex;
  for (std::size_t at = 0; at < sizeof(file_handle) + handle->handle_bytes; ++at) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(bytes[at]));
    hex += digits;
  }
  expect_shut({"handle", hex}, "open_by_handle_at" + kNotPermitted);
}

/// An abstract socket of the host.
Descriptor listen_at(const std::string& name, int type) {
  Descriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  EXPECT_EQ(0, ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size));
  ::listen(socket.get(), 8);
  return socket;
}

TEST_F(Escape, by_an_abstract_socket) {
  const Descriptor stream = listen_at("stream", SOCK_STREAM);
  const Descriptor datagram = listen_at("datagram", SOCK_DGRAM);
  expect_shut({"abstract", "stream"}, "connect" + kNotPermitted);
  expect_shut({"abstract datagram", "datagram"}, "connect" + kNotPermitted);
}

TEST_F(Escape, by_the_log_is_never_open) {
  for (const Strings& options : {Strings{}, Strings{"-i"}}) {
    EXPECT_EQ("held: connect: No such file or directory\n",
              answer(options, {"local socket", "/dev/log"}));
  }
}

TEST_F(Escape, by_shared_memory) {
  constexpr key_t kKey = 4711;
  const int memory = ::shmget(kKey, 4096, IPC_CREAT | 0600);
  ASSERT_GE(memory, 0);
  expect_shut({"shared memory", std::to_string(kKey)}, "shmget: No such file or directory");
  ::shmctl(memory, IPC_RMID, nullptr);
}

TEST_F(Escape, by_a_message_queue) {
  const mqd_t queue = ::mq_open("/queue", O_CREAT | O_RDWR | O_CLOEXEC, 0600, nullptr);
  ASSERT_GE(queue, 0);
  expect_shut({"mqueue", "/queue"}, "mq_open: No such file or directory");
  ::mq_unlink("/queue");
  ::mq_close(queue);
}

TEST_F(Escape, by_the_keyring_of_the_user) {
  expect_shut({"keyring"}, "keyctl: Function not implemented");
}

/// Not every kernel has kexec and modules.
TEST_F(Escape, by_a_call_that_needs_a_capability) {
  for (const std::string call :
       {"kexec_load", "init_module",   "finit_module",  "delete_module", "adjtimex",
        "reboot",     "swapon",        "acct",          "syslog",        "mount",
        "umount2",    "pivot_root",    "fsopen",        "fsmount",       "open_tree",
        "move_mount", "unshare",       "mount_setattr", "sethostname",   "setdomainname",
        "raw socket", "fanotify_init", "packet socket"}) {
    const std::string plain = answer({}, {"call", call});
    const std::string missing = "held: " + call + ": Function not implemented\n";
    const std::string refused = "held: " + call + kNotPermitted + "\n";
    EXPECT_NE(refused, plain);
    EXPECT_EQ(plain == missing ? missing : refused, answer({"-i"}, {"call", call}));
  }
}

/// What a proc mounted in the root shows of a process outside.
TEST_F(Escape, by_a_proc_in_the_root) {
  const HostProcess process;
  const Connected other({});
  const Connected isolated_other({"-i"});
  mount_below("/proc", "proc", "proc");
  mount_below("/srv/odd dir\n\\040", "proc", "proc");
  for (const std::string& proc : {std::string("/proc"), std::string("/srv/odd dir\n\\040")}) {
    const std::string file = proc + "/sys/kernel/core_pattern";
    expect_shut({"write", file}, "open " + file + ": Read-only file system");
    for (const std::string& pid : {process.id(), other.id(), isolated_other.id()}) {
      const std::string directory = proc + "/" + pid;
      for (const char* const name : {"/root/etc/passwd", "/cwd/etc/passwd", "/environ"}) {
        expect_shut({"read", directory + name}, "open " + directory + name + ": Permission denied");
      }
      expect_shut({"write only", directory + "/mem"},
                  "open " + directory + "/mem: Read-only file system");
      expect_shut({"write only", directory + "/oom_score_adj"},
                  "open " + directory + "/oom_score_adj: Read-only file system");
    }
    const std::string descriptor = proc + "/" + process.id() + "/fd/50";
    expect_shut({"read", descriptor}, "open " + descriptor + ": Permission denied");
    if (fs::exists("/proc/sysrq-trigger")) {
      expect_shut({"write only", proc + "/sysrq-trigger"},
                  "open " + proc + "/sysrq-trigger: Read-only file system");
    }
  }
}

TEST_F(Escape, by_other_file_systems_of_the_kernel) {
  mount_below("/sys", "sysfs", "sysfs");
  mount_below("/cgroup2", "cgroup2", "cgroup2");
  expect_shut({"write only", "/sys/kernel/rcu_expedited"},
              "open /sys/kernel/rcu_expedited: Read-only file system");
  expect_shut({"write only", "/cgroup2/cgroup.procs"},
              "open /cgroup2/cgroup.procs: Read-only file system");
}

/// virtuald reads it as root on the host, who can follow the links of every process.
TEST_F(Escape, by_a_host_name_that_is_a_link_through_proc) {
  mount_below("/proc", "proc", "proc");
  const HostProcess process;
  write_file(kMarker, "token-of-the-host\n");
  for (const std::string& target :
       {"/proc/" + process.id() + "/root" + kMarker, "/proc/1/root" + kMarker,
        std::string("/proc/self/fd/3/../../1/root") + kMarker,
        "/proc/" + process.id() + "/fd/50"}) {
    SCOPED_TRACE(target);
    fs::remove(kRoot + "/etc/hostname");
    fs::create_symlink(target, kRoot + "/etc/hostname");
    EXPECT_EQ("out: domain1.com\n", answer({"-i"}, {"hostname"}));
  }
}

/// The super server was started from a terminal, and the root has a dev/tty.
TEST_F(Escape, by_the_super_servers_terminal) {
  fs::create_directories(kRoot + "/dev");
  ASSERT_EQ(0, ::mknod((kRoot + "/dev/tty").c_str(), S_IFCHR | 0666, makedev(5, 0)));
  for (const Strings& options : {Strings{}, Strings{"-i"}}) {
    const Descriptor master(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_EQ(0, ::grantpt(master.get()));
    ASSERT_EQ(0, ::unlockpt(master.get()));
    const std::string name = ::ptsname(master.get());
    Serving serving = serving_with(options, {"type"});
    serving.prepare = [name] {
      ::setsid();
      const int terminal = ::open(name.c_str(), O_RDWR | O_CLOEXEC);  // now the session's terminal
      const pid_t child = terminal < 0 ? -1 : ::fork();
      if (child != 0) {
        for (int descriptor = 0; descriptor < 3; ++descriptor) {
          ::close(descriptor);
        }
        ::waitpid(child, nullptr, 0);
        ::_exit(0);
      }
    };
    EXPECT_EQ(options.empty() ? "out: types\n" : "held: open /dev/tty: No such device or address\n",
              serve(serving).answer);
  }
}

/// Until it executes the program, virtuald holds directories of the host.
TEST_F(Escape, by_virtuald_itself_before_it_becomes_the_program) {
  NEEDS_STRACE();
  NEEDS_SHIPPED_PROGRAM();
  struct Moment {
    Strings options;
    const char* call;
    int number;
  };
  for (const Moment& moment :
       {Moment{{"-i"}, "pivot_root", 1}, Moment{{"-i"}, "capset", 1}, Moment{{"-i"}, "seccomp", 1},
        Moment{{"-i", "-u", "www"}, "setgroups", 1}, Moment{{"-i", "-u", "www"}, "setuid", 1}}) {
    SCOPED_TRACE(moment.call);
    Strings said;
    serve_stopped(serving_with(moment.options, {"hostname"}), moment.call, moment.number, [&] {
      // virtuald is the process whose parent traces it.
      const Outcome found = run({"pgrep", "-x", "virtuald"});
      const std::string pid = found.output.substr(0, found.output.find('\n'));
      for (const char* const descriptor : {"4", "5"}) {
        said.push_back(run({kEscapeKit, "descriptor", pid, descriptor}).output);
        for (Strings options : {Strings{}, Strings{"-u", "www"}}) {
          Descriptor client;
          const pid_t attacker =
              start_kit(isolated(options), {"descriptor", pid, descriptor}, "127.0.0.3", client);
          said.push_back(receive_all(client.get()));
          wait_for(attacker);
        }
      }
    });
    ASSERT_EQ(6U, said.size());
    EXPECT_FALSE(said[0].starts_with("held: pidfd_getfd: Operation")) << said[0];
    for (std::size_t at = 0; at < said.size(); ++at) {
      if (at % 3 != 0) {
        EXPECT_EQ("held: pidfd_getfd" + kNotPermitted + "\n", said[at]);
      }
    }
  }
}

TEST_F(Escape, protection_allows_ordinary_work) {
  EXPECT_EQ("out: tunes itself\n", answer({"-i"}, {"tune self"}));
  EXPECT_EQ("out: links and renames\n", answer({"-i"}, {"files"}));
  EXPECT_EQ("out: domain1.com\nout: has a thread and a child\n", answer({"-i"}, {"start"}));
}

}  // namespace
}  // namespace testing_support
