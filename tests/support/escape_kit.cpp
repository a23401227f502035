// A small static program that tests put into roots: as uid 0 there, it tries one way out.

#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using Arguments = std::vector<std::string>;

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) {
    ::_exit(99);
  }
}

/// Exits and reports that the escape succeeded.
[[noreturn]] void out(const std::string& what) {
  say("out: " + what);
  ::_exit(0);
}

/// Exits and reports that `call` failed with errno.
[[noreturn]] void held(const std::string& call) {
  say("held: " + call + ": " + std::strerror(errno));
  ::_exit(1);
}

/// Calls held() if `result` is negative.
long must(long result, const std::string& call) {
  if (result < 0) {
    held(call);
  }
  return result;
}

int number(const std::string& text) {
  return std::atoi(text.c_str());
}

std::string read_all(int descriptor, const std::string& name) {
  char buffer[4096];
  const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
  must(count, "read " + name);
  return {buffer, static_cast<std::size_t>(count)};
}

[[noreturn]] void read_file(const std::string& path) {
  const auto file =
      static_cast<int>(must(::open(path.c_str(), O_RDONLY | O_NONBLOCK), "open " + path));
  const std::string text = read_all(file, path);
  out(text.substr(0, text.find('\n')));
}

/// Overwrites the file with its own contents.
[[noreturn]] void write_file(const std::string& path) {
  const auto reader = static_cast<int>(must(::open(path.c_str(), O_RDONLY), "open " + path));
  const std::string text = read_all(reader, path);
  const auto writer = static_cast<int>(must(::open(path.c_str(), O_WRONLY), "open " + path));
  must(::write(writer, text.data(), text.size()), "write " + path);
  out("writes " + path);
}

/// Climbs as high as possible, then reads `marker` there.
[[noreturn]] void climb(const std::string& marker) {
  for (int step = 0; step < 64; ++step) {
    must(::chdir(".."), "chdir");
  }
  read_file("." + marker);
}

[[noreturn]] void second_chroot(const std::string& marker) {
  ::mkdir("/second", 0700);
  must(::chroot("/second"), "chroot");
  climb(marker);
}

/// Waits in a directory until a file "moved" appears there.
[[noreturn]] void moved_directory(const std::string& marker) {
  must(::chdir("/inside"), "chdir");
  ::close(::open("ready", O_CREAT | O_WRONLY, 0600));
  for (int tries = 0; ::access("moved", F_OK) != 0 && tries < 2000; ++tries) {
    ::usleep(10'000);
  }
  climb(marker);
}

int open_process(const std::string& pid) {
  return static_cast<int>(must(::syscall(SYS_pidfd_open, number(pid), 0), "pidfd_open"));
}

[[noreturn]] void read_memory(const std::string& pid, const std::string& address) {
  char buffer[16] = {};
  const iovec here = {buffer, sizeof buffer - 1};
  const iovec there = {reinterpret_cast<void*>(std::strtoull(address.c_str(), nullptr, 16)),
                       sizeof buffer - 1};
  must(::process_vm_readv(number(pid), &here, 1, &there, 1, 0), "process_vm_readv");
  out(buffer);
}

[[noreturn]] void take_descriptor(const std::string& pid, const std::string& descriptor) {
  const auto taken = static_cast<int>(
      must(::syscall(SYS_pidfd_getfd, open_process(pid), number(descriptor), 0), "pidfd_getfd"));
  ::lseek(taken, 0, SEEK_SET);
  out(read_all(taken, "descriptor"));
}

/// The kernel sends the signal on behalf of whoever set the owner.
[[noreturn]] void signal_as_owner(const std::string& pid) {
  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  must(::fcntl(ends[0], F_SETOWN, number(pid)), "F_SETOWN");
  must(::fcntl(ends[0], F_SETSIG, SIGKILL), "F_SETSIG");
  must(::fcntl(ends[0], F_SETFL, O_ASYNC), "O_ASYNC");
  must(::write(ends[1], "x", 1), "write");
  out("has asked for it");
}

/// Changes another process, which needs only the same user ID.
[[noreturn]] void tune(const std::string& what, const std::string& text) {
  const int pid = number(text);
  const sched_param no_priority = {0};
  const rlimit limit = {7, 7};
  std::uint64_t processors[16] = {1};
  std::uint32_t attributes[12] = {48, SCHED_BATCH, 0, 0, 19};
  constexpr int kBestEffort = 2 << 13;
  const std::map<std::string, std::function<long()>> calls = {
      {"prlimit", [&] { return ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr); }},
      {"setpriority", [&] { return ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 7); }},
      {"setpriority of a user", [&] { return ::setpriority(PRIO_USER, ::getuid(), 7); }},
      {"ioprio_set", [&] { return ::syscall(SYS_ioprio_set, 1, pid, kBestEffort | 7); }},
      {"ioprio_set of a user", [&] { return ::syscall(SYS_ioprio_set, 3, 0, kBestEffort | 7); }},
      {"sched_setparam", [&] { return ::sched_setparam(pid, &no_priority); }},
      {"sched_setscheduler", [&] { return ::sched_setscheduler(pid, SCHED_BATCH, &no_priority); }},
      {"sched_setattr", [&] { return ::syscall(SYS_sched_setattr, pid, attributes, 0); }},
      {"sched_setaffinity",
       [&] { return ::syscall(SYS_sched_setaffinity, pid, sizeof processors, processors); }},
  };
  must(calls.at(what)(), what);
  out(what);
}

/// Changes the caller itself in the same ways, which is always allowed.
[[noreturn]] void tune_self() {
  const sched_param no_priority = {0};
  rlimit limit{};
  std::uint64_t processors[16] = {};
  must(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  must(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  must(::setpriority(PRIO_PROCESS, 0, 19), "setpriority");
  must(::syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7), "ioprio_set");
  must(::sched_setscheduler(0, SCHED_BATCH, &no_priority), "sched_setscheduler");
  must(::syscall(SYS_sched_getaffinity, 0, sizeof processors, processors), "sched_getaffinity");
  must(::syscall(SYS_sched_setaffinity, 0, sizeof processors, processors), "sched_setaffinity");
  out("tunes itself");
}

[[noreturn]] void make_disk() {
  ::unlink("/disk");
  must(::mknod("/disk", S_IFBLK | 0600, makedev(7, 0)), "mknod");
  out("makes a disk");
}

[[noreturn]] void mount_type(const std::string& type, const std::string& place,
                             const std::string& then) {
  ::mkdir(place.c_str(), 0700);
  must(::mount(type.c_str(), place.c_str(), type.c_str(), 0, nullptr), "mount");
  read_file(then);
}

/// Tries to make a user namespace, in which a process has capabilities that it lacks outside.
[[noreturn]] void user_namespace(const std::string& how) {
  int status = 0;
  if (how == "unshare") {
    must(::unshare(CLONE_NEWUSER | CLONE_NEWNS), how);
  } else if (how == "clone") {
    const long child = must(
        ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr), how);
    if (child == 0) {
      ::_exit(0);
    }
    ::waitpid(static_cast<pid_t>(child), &status, 0);
#if defined(__x86_64__)
  } else if (how == "clone of i386") {
    long result = 120;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(CLONE_NEWUSER | SIGCHLD), "c"(0), "d"(0), "S"(0), "D"(0)
                 : "memory", "r8", "r9", "r10", "r11");
    if (result == 0) {
      ::_exit(0);
    }
    errno = result < 0 ? static_cast<int>(-result) : 0;
    must(result < 0 ? -1 : 0, how);
  } else if (how == "unshare of x32") {
    must(::syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER), how);
#endif
  } else {
    std::uint64_t arguments[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
    const long child = must(::syscall(SYS_clone3, arguments, sizeof arguments), how);
    if (child == 0) {
      ::_exit(0);
    }
    ::waitpid(static_cast<pid_t>(child), &status, 0);
  }
  out("has a user namespace");
}

/// Moves a process into a new cgroup, through which it can be frozen and killed.
[[noreturn]] void own_cgroup(const std::string& pid) {
  ::mkdir("/cgroup", 0700);
  if (::mount("cgroup2", "/cgroup", "cgroup2", 0, nullptr) != 0) {
    must(::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP), "unshare");
    must(::mount("cgroup2", "/cgroup", "cgroup2", 0, nullptr), "mount");
  }
  const std::string directory = "/cgroup/escape." + pid;
  must(::mkdir(directory.c_str(), 0700), "mkdir");
  const auto members = static_cast<int>(
      must(::open((directory + "/cgroup.procs").c_str(), O_RDWR), "open cgroup.procs"));
  const bool moved = ::write(members, pid.data(), pid.size()) > 0;
  const int code = errno;
  const int parent = ::open("/cgroup/cgroup.procs", O_WRONLY);
  if (moved && ::write(parent, pid.data(), pid.size()) < 0) {
    held("write back");
  }
  ::rmdir(directory.c_str());
  errno = code;
  must(moved ? 0 : -1, "write cgroup.procs");
  out("moves a process");
}

[[noreturn]] void enter_namespace(const std::string& path, const std::string& marker) {
  const auto space = static_cast<int>(must(::open(path.c_str(), O_RDONLY), "open " + path));
  must(::setns(space, 0), "setns");
  read_file(marker);
}

[[noreturn]] void enter_by_process(const std::string& pid, const std::string& marker) {
  must(::setns(open_process(pid), CLONE_NEWNS), "setns");
  read_file(marker);
}

/// `hex` is a struct file_handle of the host.
[[noreturn]] void open_handle(const std::string& hex) {
  alignas(file_handle) static char bytes[256];
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes[at / 2] = static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  const int directory = ::open("/", O_RDONLY | O_DIRECTORY);
  const auto file = static_cast<int>(
      must(::open_by_handle_at(directory, reinterpret_cast<file_handle*>(bytes), O_RDONLY),
           "open_by_handle_at"));
  const std::string text = read_all(file, "handle");
  out(text.substr(0, text.find('\n')));
}

[[noreturn]] void connect_to(const std::string& name, bool is_abstract, int type) {
  const int socket = ::socket(AF_UNIX, type, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + (is_abstract ? 1 : 0), name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  must(::connect(socket, reinterpret_cast<const sockaddr*>(&address), size), "connect");
  must(::send(socket, "hello", 5, 0), "send");
  out("talks to " + name);
}

[[noreturn]] void type_for_others() {
  const auto terminal = static_cast<int>(must(::open("/dev/tty", O_RDWR), "open /dev/tty"));
  char letter = 'x';
  must(::ioctl(terminal, TIOCSTI, &letter), "TIOCSTI");
  out("types");
}

/// Opens a new terminal, and prints its name and what was typed on it.
[[noreturn]] void open_terminal() {
  const auto master =
      static_cast<int>(must(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY), "open /dev/pts/ptmx"));
  unsigned terminal = 0;
  int unlocked = 0;
  must(::ioctl(master, TIOCGPTN, &terminal), "TIOCGPTN");
  must(::ioctl(master, TIOCSPTLCK, &unlocked), "TIOCSPTLCK");
  const std::string name = "/dev/pts/" + std::to_string(terminal);
  const auto slave = static_cast<int>(must(::open(name.c_str(), O_RDWR | O_NOCTTY), "open slave"));
  must(::write(slave, "typed", 5), "write");
  say("terminal " + name + " " + read_all(master, "master"));
  ::_exit(0);
}

/// Makes a call that needs a capability, in a way that fails or does no harm.
[[noreturn]] void call(const std::string& name) {
  timex clock{};
  clock.modes = ADJ_TICK;  // to 0, which is out of range
  const std::map<std::string, std::function<long()>> calls = {
      {"kexec_load", [] { return ::syscall(SYS_kexec_load, 0L, 1L, nullptr, ~0L); }},
      {"init_module", [] { return ::syscall(SYS_init_module, nullptr, 0L, nullptr); }},
      {"finit_module", [] { return ::syscall(SYS_finit_module, -1L, nullptr, 0L); }},
      {"delete_module", [] { return ::syscall(SYS_delete_module, nullptr, 0L); }},
      {"adjtimex", [&] { return static_cast<long>(::adjtimex(&clock)); }},
      {"reboot", [] { return ::syscall(SYS_reboot, 0L, 0L, 0L, nullptr); }},
      {"swapon", [] { return ::syscall(SYS_swapon, nullptr, 0L); }},
      {"acct", [] { return ::syscall(SYS_acct, "/is/not/there"); }},
      {"syslog", [] { return ::syscall(SYS_syslog, 8L, nullptr, 99L); }},
      {"mount", [] { return static_cast<long>(::mount("none", "/", "no-such-type", 0, nullptr)); }},
      {"umount2", [] { return static_cast<long>(::umount2("/", UMOUNT_NOFOLLOW)); }},
      {"pivot_root", [] { return ::syscall(SYS_pivot_root, nullptr, nullptr); }},
      {"fsopen", [] { return ::syscall(SYS_fsopen, nullptr, 0L); }},
      {"fsmount", [] { return ::syscall(SYS_fsmount, -1L, 0L, 0L); }},
      {"open_tree", [] { return ::syscall(SYS_open_tree, -1L, "x", 1L); }},
      {"move_mount", [] { return ::syscall(SYS_move_mount, -1L, "x", -1L, "y", 0L); }},
      {"mount_setattr", [] { return ::syscall(SYS_mount_setattr, -1L, "", 0L, nullptr, 32L); }},
      {"unshare", [] { return static_cast<long>(::unshare(CLONE_NEWNS)); }},
      {"sethostname", [] { return static_cast<long>(::syscall(SYS_sethostname, "x", -1L)); }},
      {"setdomainname", [] { return static_cast<long>(::syscall(SYS_setdomainname, "x", -1L)); }},
      {"fanotify_init", [] { return ::syscall(SYS_fanotify_init, 4L, 0L); }},
      {"raw socket", [] { return static_cast<long>(::socket(AF_INET, SOCK_RAW, 1)); }},
      {"packet socket", [] { return static_cast<long>(::socket(AF_PACKET, SOCK_RAW, 0)); }},
  };
  must(calls.at(name)(), name);
  out(name);
}

/// Does with files what a daemon of a domain does. Older versions of Landlock deny some of this if
/// no rule allows it.
[[noreturn]] void work_with_files() {
  ::mkdir("/one", 0700);
  ::mkdir("/two", 0700);
  ::close(::open("/one/file", O_CREAT | O_WRONLY, 0600));
  must(::link("/one/file", "/two/link"), "link");
  must(::rename("/one/file", "/two/file"), "rename");
  must(::chown("/two/file", 33, 33), "chown");
  must(::unlink("/two/link"), "unlink");
  out("links and renames");
}

/// Starts a thread and a child, for which libc would use clone3(2).
[[noreturn]] void start_others() {
  bool ran = false;
  std::thread([&ran] { ran = true; }).join();
  char program[] = "/usr/sbin/kit";
  char way[] = "hostname";
  char* const arguments[] = {program, way, nullptr};
  pid_t child = -1;
  errno = ::posix_spawn(&child, program, nullptr, nullptr, arguments, environ);
  must(errno == 0 && ::waitpid(child, nullptr, 0) == child ? 0 : -1, "posix_spawn");
  out(ran ? "has a thread and a child" : "has no thread");
}

[[noreturn]] void wait_to_be_attacked() {
  say("ready");
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  ::_exit(0);
}

}  // namespace

int main(int count, char** strings) {
  Arguments arguments(strings + 1, strings + count);
  const std::string way = arguments.at(0);
  arguments.resize(4);
  const std::string& first = arguments[1];
  const std::string& second = arguments[2];
  const std::map<std::string, std::function<void()>> ways = {
      {"abstract", [&] { connect_to(first, true, SOCK_STREAM); }},
      {"abstract datagram", [&] { connect_to(first, true, SOCK_DGRAM); }},
      {"call", [&] { call(first); }},
      {"cgroup", [&] { own_cgroup(first); }},
      {"chroot", [&] { second_chroot(first); }},
      {"descriptor", [&] { take_descriptor(first, second); }},
      {"disk", [] { make_disk(); }},
      {"domainname",
       [] {
         char buffer[65] = {};
         ::getdomainname(buffer, sizeof buffer);
         out(buffer);
       }},
      {"files", [] { work_with_files(); }},
      {"handle", [&] { open_handle(first); }},
      {"hostname",
       [] {
         char buffer[65] = {};
         ::gethostname(buffer, sizeof buffer);
         out(buffer);
       }},
      {"keyring",
       [] {
         must(::syscall(SYS_keyctl, 0L, -4L, 0L), "keyctl");
         out("has the keyring of its user");
       }},
      {"start", [] { start_others(); }},
      {"local socket", [&] { connect_to(first, false, SOCK_DGRAM); }},
      {"memory", [&] { read_memory(first, second); }},
      {"mount", [&] { mount_type(first, second, arguments[3]); }},
      {"moved", [&] { moved_directory(first); }},
      {"mqueue",
       [&] {
         must(::mq_open(first.c_str(), O_RDONLY), "mq_open");
         out("opens " + first);
       }},
      {"namespace", [&] { enter_namespace(first, second); }},
      {"namespace of", [&] { enter_by_process(first, second); }},
      {"owner", [&] { signal_as_owner(first); }},
      {"pidfd signal",
       [&] {
         must(::syscall(SYS_pidfd_send_signal, open_process(first), 0, nullptr, 0),
              "pidfd_send_signal");
         out("signals");
       }},
      {"queue signal",
       [&] {
         siginfo_t info{};
         info.si_code = SI_QUEUE;
         must(::syscall(SYS_rt_sigqueueinfo, number(first), SIGURG, &info), "rt_sigqueueinfo");
         out("signals");
       }},
      {"read", [&] { read_file(first); }},
      {"securebits",
       [] { out(std::to_string(must(::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), "prctl"))); }},
      {"shared memory",
       [&] {
         must(::shmget(number(first), 0, 0), "shmget");
         out("has it");
       }},
      {"signal",
       [&] {
         must(::kill(number(first), number(second)), "kill");
         out("signals");
       }},
      {"terminal", [] { open_terminal(); }},
      {"trace",
       [&] {
         must(::ptrace(PTRACE_SEIZE, number(first), nullptr, nullptr), "ptrace");
         out("traces");
       }},
      {"tune", [&] { tune(first, second); }},
      {"tune self", [] { tune_self(); }},
      {"type", [] { type_for_others(); }},
      {"umount",
       [&] {
         must(::umount2(first.c_str(), MNT_DETACH), "umount2");
         read_file(second);
       }},
      {"user namespace", [&] { user_namespace(first); }},
      {"wait", [] { wait_to_be_attacked(); }},
      {"write", [&] { write_file(first); }},
      {"write only",
       [&] {
         must(::open(first.c_str(), O_WRONLY), "open " + first);
         out("opens it");
       }},
  };
  ways.at(way)();
  return 0;
}
