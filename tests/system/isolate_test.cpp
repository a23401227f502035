// What -i gives a service, when it refuses, and that nothing is left behind.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "files.h"
#include "log_socket.h"
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

Serving serving_with(const Strings& arguments, const Strings& options = {"-i"}) {
  Serving serving;
  serving.arguments = options;
  serving.arguments.insert(serving.arguments.end(), {"/virtual/conf", "kit"});
  serving.arguments.insert(serving.arguments.end(), arguments.begin(), arguments.end());
  serving.environment = {{"PATH", "/usr/sbin"}};
  return serving;
}

std::string answer(const Strings& arguments, const Strings& options = {"-i"}) {
  return serve(serving_with(arguments, options)).answer;
}

class Isolate : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_two_domains();
    fs::copy_file(kEscapeKit, kRoot + "/usr/sbin/kit", fs::copy_options::overwrite_existing);
    write_file(kRoot + "/etc/passwd", "root:x:0:0::/:\nwww:x:33:33::/:\n");
    write_file(kRoot + "/etc/group", "www:x:33:\n");
    write_file(kRoot + "/marker", "domain\n");
    fs::remove_all(kRoot + "/etc/hostname");
  }
};

class HostName : public Isolate {
 protected:
  static void expect_name(const std::string& name) {
    EXPECT_EQ("out: " + name + "\n", answer({"hostname"}));
  }

  static void expect_name_for(const std::string& text, const std::string& name) {
    SCOPED_TRACE(::testing::PrintToString(text));
    write_file(kRoot + "/etc/hostname", text);
    expect_name(name);
  }
};

TEST_F(HostName, is_the_first_word_of_the_domains_file) {
  expect_name_for("www.example.com\n", "www.example.com");
  expect_name_for(" \t\n mail-1 and more\n", "mail-1");
  expect_name_for("no-line-end", "no-line-end");
  expect_name_for(std::string(64, 'a') + "\n", std::string(64, 'a'));
}

TEST_F(HostName, is_the_directorys_if_the_file_contains_no_valid_name) {
  expect_name("domain1.com");
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("under_score\n"), std::string("-x\n"),
        std::string("a\0b\n", 4), std::string("\033[31mred\n"), std::string("# comment\n"),
        std::string(65, 'a'), std::string(1000, 'a'), std::string("../../etc\n"),
        std::string("\xc3\xa9\n"), std::string("a;reboot\n")}) {
    expect_name_for(text, "domain1.com");
  }
}

TEST_F(HostName, is_the_directorys_if_the_file_is_not_a_regular_file) {
  const std::string file = kRoot + "/etc/hostname";
  fs::create_directory(file);
  expect_name("domain1.com");
  fs::remove(file);
  ASSERT_EQ(0, ::mkfifo(file.c_str(), 0644));
  expect_name("domain1.com");
  fs::remove(file);
  ASSERT_EQ(0, ::mknod(file.c_str(), S_IFCHR | 0644, makedev(1, 5)));  // /dev/zero
  expect_name("domain1.com");
  fs::remove(file);
  fs::create_symlink("hostname", file);
  expect_name("domain1.com");
}

TEST_F(HostName, may_be_behind_a_link_that_stays_in_the_root) {
  write_file("/etc.of.host", "host\n");
  write_file(kRoot + "/etc.of.host", "domain\n");
  fs::create_symlink("/../../etc.of.host", kRoot + "/etc/hostname");
  expect_name("domain");
}

TEST_F(HostName, is_not_searched_for_in_all_of_a_huge_file) {
  write_file(kRoot + "/etc/hostname", "");
  fs::resize_file(kRoot + "/etc/hostname", 1ULL << 40);
  expect_name("domain1.com");
}

/// Opening the file would wait for the process that holds it.
TEST_F(HostName, is_not_waited_for) {
  write_file(kRoot + "/etc/hostname", "leased\n");
  const Descriptor file(::open((kRoot + "/etc/hostname").c_str(), O_RDWR | O_CLOEXEC));
  ::signal(SIGIO, SIG_IGN);
  ASSERT_EQ(0, ::fcntl(file.get(), F_SETLEASE, F_WRLCK));
  expect_name("domain1.com");
}

TEST_F(HostName, is_the_last_component_of_the_directory) {
  write_file("/virtual/conf", "default " + kRoot + "//\n");
  expect_name("domain1.com");
}

TEST_F(HostName, is_localhost_if_no_name_is_valid) {
  fs::rename(kRoot, "/virtual/my_domain");
  write_file("/virtual/conf", "default /virtual/my_domain\n");
  expect_name("localhost");
  fs::rename("/virtual/my_domain", kRoot);
}

TEST_F(HostName, of_the_host_is_unchanged) {
  const std::string before = read_file("/proc/sys/kernel/hostname");
  const std::string domain = read_file("/proc/sys/kernel/domainname");
  expect_name_for("other\n", "other");
  EXPECT_EQ("out: (none)\n", answer({"domainname"}));
  EXPECT_EQ(before, read_file("/proc/sys/kernel/hostname"));
  EXPECT_EQ(domain, read_file("/proc/sys/kernel/domainname"));
}

/// The lines of /proc/PID/status of a waiting service with these options.
std::map<std::string, std::string> status_of_service(const Strings& options,
                                                     const Strings& under = {}) {
  Connection connection = connect_pair("127.0.0.2");
  Serving serving = serving_with({"wait"}, options);
  Command command;
  command.arguments = under;
  command.arguments.emplace_back(kVirtuald);
  command.arguments.insert(command.arguments.end(), serving.arguments.begin(),
                           serving.arguments.end());
  command.environment = std::map<std::string, std::string>{{"PATH", "/usr/sbin:/usr/bin:/bin"}};
  const int socket = connection.server.get();
  const pid_t pid = start(command, socket, socket, socket);
  connection.server.reset();
  char buffer[16];
  EXPECT_EQ(6, ::read(connection.client.get(), buffer, sizeof buffer));
  std::map<std::string, std::string> values;
  for (const std::string& line :
       split_lines(read_file("/proc/" + std::to_string(pid) + "/status"))) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) {
      values[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  connection.client.reset();
  wait_for(pid);
  return values;
}

std::string capability_text(const std::vector<int>& capabilities) {
  std::uint64_t bits = 0;
  for (const int capability : capabilities) {
    bits |= std::uint64_t{1} << capability;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

const std::string kNone = capability_text({});
const std::string kKept = capability_text({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,
                                           CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
                                           CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE});

TEST_F(Isolate, capabilities_are_those_that_daemons_need) {
  std::map<std::string, std::string> status = status_of_service({"-i"});
  EXPECT_EQ(kKept, status["CapBnd"]);
  EXPECT_EQ(kKept, status["CapPrm"]);
  EXPECT_EQ(kKept, status["CapEff"]);
  EXPECT_EQ(kNone, status["CapInh"]);
  EXPECT_EQ(kNone, status["CapAmb"]);
  EXPECT_EQ("0", status["NoNewPrivs"]);
  EXPECT_EQ("2", status["Seccomp"]);
}

TEST_F(Isolate, capabilities_are_gone_for_another_user_for_good) {
  std::map<std::string, std::string> status = status_of_service({"-i", "-u", "www"});
  EXPECT_EQ(kKept, status["CapBnd"]);
  EXPECT_EQ(kNone, status["CapPrm"]);
  EXPECT_EQ("1", status["NoNewPrivs"]);
}

TEST_F(Isolate, without_it_another_user_can_gain_privileges_from_files) {
  EXPECT_EQ("0", status_of_service({"-u", "www"})["NoNewPrivs"]);
}

TEST_F(Isolate, inherited_capabilities_are_dropped) {
  const Strings under = {"setpriv", "--inh-caps", "+kill,+chown", "--ambient-caps", "+kill"};
  EXPECT_NE(kNone, status_of_service({}, under)["CapAmb"]);
  std::map<std::string, std::string> status = status_of_service({"-i"}, under);
  EXPECT_EQ(kNone, status["CapInh"]);
  EXPECT_EQ(kNone, status["CapAmb"]);
}

TEST_F(Isolate, securebits_are_kept) {
  Serving serving = serving_with({"securebits"});
  serving.prepare = [] { ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED, 0, 0, 0); };
  EXPECT_EQ("out: " + std::to_string(SECBIT_NOROOT_LOCKED) + "\n", serve(serving).answer);
}

TEST_F(Isolate, terminals_are_the_services_own) {
  fs::create_directories(kRoot + "/dev/pts");
  const auto count = [] {
    return std::distance(fs::directory_iterator("/dev/pts"), fs::directory_iterator());
  };
  const Descriptor of_host(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  const auto before = count();
  // The number is 0, whatever terminals the host and other connections have.
  EXPECT_EQ("terminal /dev/pts/0 typed\n", answer({"terminal"}));
  EXPECT_EQ("terminal /dev/pts/0 typed\n", answer({"terminal"}));
  EXPECT_EQ("held: open /dev/pts/ptmx: No such file or directory\n", answer({"terminal"}, {}));
  EXPECT_EQ(before, count());
  EXPECT_TRUE(fs::is_empty(kRoot + "/dev/pts"));
  fs::remove_all(kRoot + "/dev");
}

TEST_F(Isolate, directory_for_terminals_is_not_needed) {
  EXPECT_EQ("out: domain\n", answer({"read", "/marker"}));
  write_file(kRoot + "/dev/pts", "not a directory");
  EXPECT_EQ("out: domain\n", answer({"read", "/marker"}));
  fs::remove_all(kRoot + "/dev");
}

/// The domain has made dev/pts a link: the mount hides only the domain's own files.
TEST_F(Isolate, terminals_stay_in_the_root) {
  fs::create_directories(kRoot + "/dev");
  fs::create_symlink("/../../etc", kRoot + "/dev/pts");
  EXPECT_EQ("held: open /etc/passwd: No such file or directory\n", answer({"read", "/etc/passwd"}));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
  fs::remove_all(kRoot + "/dev");
}

TEST_F(Isolate, only_the_connection_is_open) {
  for (const Strings& options : {Strings{"-i"}, Strings{"-iv", "-u", "www"}}) {
    Serving serving;
    serving.arguments = options;
    serving.arguments.insert(serving.arguments.end(),
                             {"/virtual/conf", "/usr/sbin/service", "descriptors"});
    serving.prepare = [] { ::dup2(::open("/", O_RDONLY | O_CLOEXEC), 100); };
    EXPECT_EQ("descriptors 0 1 2\n", serve(serving).answer);
  }
}

TEST_F(Isolate, service_is_in_its_root) {
  EXPECT_EQ("/\n", serve({"-i", "/virtual/conf", "/usr/sbin/service", "cwd"}).answer);
  EXPECT_EQ("domain1\n", serve({"-i", "/virtual/conf", "/usr/sbin/service", "name"}).answer);
}

TEST_F(Isolate, log_says_that_it_is_isolated) {
  const Served served = serve(serving_with({"hostname"}, {"-iv"}));
  ASSERT_EQ(1U, served.log.size());
  const std::string line = without_prefix(served.log[0], 30);
  const std::string end =
      " to 127.0.0.2: /virtual/conf:1: root /virtual/domain1.com, isolated, program kit";
  EXPECT_TRUE(line.ends_with(end)) << line;
}

TEST_F(Isolate, log_of_the_host_is_reached_if_the_program_cannot_start) {
  expect_refusal(serve({"-i", "/virtual/conf", "/not/there"}), 127,
                 "exec /not/there in /virtual/domain1.com: No such file or directory");
  expect_refusal(serve({"-i", "/virtual/conf", "/marker"}), 126,
                 "exec /marker in /virtual/domain1.com: Permission denied");
}

TEST_F(Isolate, configuration_may_be_relative) {
  Serving serving;
  serving.arguments = {"-i", "conf", "/usr/sbin/service", "name"};
  serving.prepare = [] {
    if (::chdir("/virtual") != 0) {
      ::_exit(200);
    }
  };
  EXPECT_EQ("domain1\n", serve(serving).answer);
}

/// A mount on the host, which is unmounted when this object is destroyed.
class Mount {
 public:
  Mount(const std::string& source, std::string place, const char* type, unsigned long flags = 0)
      : place_(std::move(place)) {
    EXPECT_EQ(0, ::mount(source.c_str(), place_.c_str(), type, flags, nullptr)) << place_;
  }
  ~Mount() { ::umount2(place_.c_str(), MNT_DETACH); }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

 private:
  std::string place_;
};

std::string mounts() {
  return read_file("/proc/self/mountinfo");
}

TEST_F(Isolate, mounts_below_the_root_are_there) {
  fs::create_directories(kRoot + "/home");
  fs::create_directories(kRoot + "/run");
  fs::create_directories(kRoot + "/dev/pts");
  write_file(kRoot + "/run/log", "");
  const Mount home("none", kRoot + "/home", "tmpfs");
  write_file(kRoot + "/home/file", "at home\n");
  const LogSocket socket("/run/log.for.domain");
  const Mount log("/run/log.for.domain", kRoot + "/run/log", nullptr, MS_BIND);
  const std::string before = mounts();
  EXPECT_EQ("out: at home\n", answer({"read", "/home/file"}));
  EXPECT_EQ("out: writes /home/file\n", answer({"write", "/home/file"}));
  EXPECT_EQ("out: talks to /run/log\n", answer({"local socket", "/run/log"}));
  EXPECT_EQ(before, mounts());
  fs::remove_all(kRoot + "/dev");
}

TEST_F(Isolate, read_only_mount_stays_read_only) {
  fs::create_directories(kRoot + "/data");
  fs::create_directories("/virtual/data");
  write_file("/virtual/data/file", "data\n");
  const Mount data("/virtual/data", kRoot + "/data", nullptr, MS_BIND);
  ASSERT_EQ(0, ::mount(nullptr, (kRoot + "/data").c_str(), nullptr,
                       MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
  EXPECT_EQ("out: data\n", answer({"read", "/data/file"}));
  EXPECT_EQ("held: open /data/file: Read-only file system\n", answer({"write", "/data/file"}));
}

TEST_F(Isolate, kernel_file_system_stays_writable_for_the_host) {
  fs::create_directories(kRoot + "/proc");
  const Mount proc("proc", kRoot + "/proc", "proc");
  const std::string before = mounts();
  EXPECT_EQ("held: open /proc/self/comm: Read-only file system\n",
            answer({"write", "/proc/self/comm"}));
  EXPECT_EQ(before, mounts());
  EXPECT_GE(Descriptor(::open((kRoot + "/proc/self/comm").c_str(), O_WRONLY | O_CLOEXEC)).get(), 0);
}

/// The covered mount cannot be reached, so it cannot be made read-only.
TEST_F(Isolate, kernel_file_system_that_another_covers_is_refused) {
  fs::create_directories(kRoot + "/proc");
  const Mount proc("proc", kRoot + "/proc", "proc");
  const Mount other("sysfs", kRoot + "/proc", "sysfs");
  expect_refusal(serve(serving_with({"hostname"})), 125,
                 "isolate /virtual/domain1.com: mount read-only /proc: " + reason_of(EBUSY));
}

TEST_F(Isolate, kernel_file_system_that_is_hidden_is_refused) {
  fs::create_directories(kRoot + "/srv/proc");
  const Mount proc("proc", kRoot + "/srv/proc", "proc");
  const Mount other("none", kRoot + "/srv", "tmpfs");
  expect_refusal(serve(serving_with({"hostname"})), 125,
                 "isolate /virtual/domain1.com: mount read-only /srv/proc: " + reason_of(ENOENT));
}

/// Moves `from`, a name in the root, below `count` directories with the longest possible names, so
/// that no single path can reach it.
void bury(const std::string& from, int count, const std::string& to = "buried") {
  const std::string name(255, 'n');
  int directory = ::open(kRoot.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int root = directory;
  for (int depth = 0; depth < count; ++depth) {
    ::mkdirat(directory, name.c_str(), 0755);
    const int next = ::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory != root) {
      ::close(directory);
    }
    directory = next;
  }
  EXPECT_EQ(0, ::renameat(root, from.c_str(), directory, to.c_str()));
  ::close(directory);
  ::close(root);
}

/// No single path can reach it; the line of mountinfo for the deeper one is longer than the piece
/// that is read at a time.
TEST_F(Isolate, kernel_file_system_that_a_domain_has_buried_is_refused) {
  for (const int depth : {20, 300}) {
    SCOPED_TRACE(depth);
    fs::create_directories(kRoot + "/srv/proc");
    ASSERT_EQ(0, ::mount("proc", (kRoot + "/srv/proc").c_str(), "proc", 0, nullptr));
    bury("srv", depth);
    const Served served = serve(serving_with({"hostname"}));
    EXPECT_EQ("", served.answer);
    EXPECT_EQ(125, served.status);
    ASSERT_EQ(1U, served.log.size());
    EXPECT_TRUE(without_prefix(served.log[0])
                    .starts_with("isolate /virtual/domain1.com: mount read-only /nnn"))
        << served.log[0];
    fs::rename(kRoot, "/virtual/buried." + std::to_string(depth));
    SetUp();
  }
}

/// The line of mountinfo is cut within the name of the file system's type.
TEST_F(Isolate, kernel_file_system_whose_line_is_cut_anywhere_is_refused) {
  constexpr int kDirectories = 255;  // 65,280 bytes: the rest of the line ends close to 65,536
  // The numbers in mountinfo make the exact length uncertain.
  for (std::size_t size = 200; size < 230; ++size) {
    SCOPED_TRACE(size);
    const std::string name(size, 'y');
    fs::create_directories(kRoot + "/" + name + "/proc");
    ASSERT_EQ(0, ::mount("proc", (kRoot + "/" + name + "/proc").c_str(), "proc", 0, nullptr));
    bury(name, kDirectories, name);
    EXPECT_EQ(125, serve(serving_with({"hostname"})).status);
    fs::rename(kRoot, "/virtual/cut." + std::to_string(size));
    SetUp();
  }
}

/// User 0 of the domain exchanges the directories that lead to a mount while it is being made
/// read-only. No connection must be served with a writable proc.
TEST_F(Isolate, kernel_file_system_is_read_only_whatever_a_domain_does_to_its_path) {
  fs::create_directories(kRoot + "/srv/proc");
  fs::create_directories(kRoot + "/other/proc");
  fs::create_directories(kRoot + "/links");
  fs::create_symlink("/other", kRoot + "/links/srv");
  const Mount proc("proc", kRoot + "/srv/proc", "proc");
  const Mount other("none", kRoot + "/other/proc", "tmpfs");
  std::atomic<bool> stopping = false;
  std::thread domain([&stopping] {
    const std::string way = kRoot + "/srv";
    for (int turn = 0; !stopping; ++turn) {
      const std::string with = kRoot + (turn % 4 < 2 ? "/other" : "/links/srv");
      ::syscall(SYS_renameat2, AT_FDCWD, way.c_str(), AT_FDCWD, with.c_str(), 2 /* EXCHANGE */);
    }
  });
  int refused = 0;
  int kept = 0;
  for (int count = 0; count < 150; ++count) {
    for (const char* const directory : {"/srv", "/other", "/links/srv"}) {
      const Served served =
          serve(serving_with({"write", directory + std::string("/proc/sys/kernel/core_pattern")}));
      EXPECT_FALSE(served.answer.starts_with("out")) << served.answer;
      refused += served.status == 125 ? 1 : 0;
      kept += contains(served.answer, "Read-only") ? 1 : 0;
    }
  }
  stopping = true;
  domain.join();
  std::printf("%d refused, %d read-only\n", refused, kept);
  EXPECT_GT(kept, 0);
}

TEST_F(Isolate, host_itself_may_be_the_default) {
  write_file("/virtual/conf", "default /\n");
  write_file("/run/marker", "host\n");
  Serving serving;
  serving.arguments = {"-i", "/virtual/conf", kEscapeKit, "read", "/run/marker"};
  EXPECT_EQ("out: host\n", serve(serving).answer);
}

TEST_F(Isolate, root_may_be_a_mount_itself) {
  fs::create_directories("/virtual/mounted.com");
  const Mount mount(kRoot, "/virtual/mounted.com", nullptr, MS_BIND);
  write_file("/virtual/conf", "default /virtual/mounted.com\n");
  EXPECT_EQ("out: domain\n", answer({"read", "/marker"}));
  EXPECT_EQ("out: mounted.com\n", answer({"hostname"}));
}

TEST_F(Isolate, nothing_propagates_to_a_host_with_shared_mounts) {
  fs::create_directories(kRoot + "/dev/pts");
  ASSERT_EQ(0, ::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr));
  const std::string before = mounts();
  EXPECT_EQ("terminal /dev/pts/0 typed\n", answer({"terminal"}));
  EXPECT_EQ(before, mounts());
  ASSERT_EQ(0, ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  fs::remove_all(kRoot + "/dev");
}

/// The number of objects in one of the kernel's caches; 0 if the kernel does not show it.
long objects_of(const std::string& cache) {
  for (const std::string& line : split_lines(read_file("/proc/slabinfo"))) {
    if (line.starts_with(cache + " ")) {
      return std::stol(line.substr(cache.size()));
    }
  }
  return 0;
}

TEST_F(Isolate, nothing_stays_behind) {
  constexpr int kConnections = 1000;
  fs::create_directories(kRoot + "/dev/pts");
  fs::create_directories(kRoot + "/proc");
  const Mount proc("proc", kRoot + "/proc", "proc");
  const std::string before = mounts();
  const std::string caches[] = {"mnt_cache", "nsproxy", "uts_namespace"};
  std::map<std::string, long> objects;
  for (const std::string& cache : caches) {
    objects[cache] = objects_of(cache);
  }
  for (int count = 0; count < kConnections; ++count) {
    ASSERT_EQ("out: domain1.com\n", answer({"hostname"}));
  }
  EXPECT_EQ(before, mounts());
  // The kernel frees them a little later, and other tests use the machine too.
  for (const std::string& cache : caches) {
    EXPECT_TRUE(eventually([&] { return objects_of(cache) < objects[cache] + kConnections / 2; }))
        << cache << ": " << objects[cache] << ", then " << objects_of(cache);
  }
  fs::remove_all(kRoot + "/dev");
}

/// Failures to isolate.
class IsolateRefusal : public Isolate {
 protected:
  static void drop(std::initializer_list<int> capabilities) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct words[2] = {};
    ::syscall(SYS_capget, &header, words);
    for (const int capability : capabilities) {
      ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
      words[capability / 32].permitted &= ~(1U << (capability % 32));
      words[capability / 32].effective &= ~(1U << (capability % 32));
    }
    if (::syscall(SYS_capset, &header, words) != 0) {
      ::_exit(200);
    }
  }

  static Served serve_without(int capability) {
    Serving serving = serving_with({"hostname"});
    serving.prepare = [capability] { drop({capability}); };
    return serve(serving);
  }

  static Served serve_with_fault(const Strings& faults, const Strings& arguments = {"hostname"}) {
    Serving serving = serving_with(arguments);
    serving.under = {"strace", "-o", "/dev/null"};
    for (const std::string& fault : faults) {
      serving.under.insert(serving.under.end(), {"-e", "inject=" + fault});
    }
    return serve(serving);
  }
};

const std::string kWithheld =
    ": Operation not permitted (-i needs CAP_SYS_ADMIN and CAP_SETPCAP, which a container or a "
    "unit may withhold)";

TEST_F(IsolateRefusal, super_server_without_the_capabilities) {
  expect_refusal(serve_without(CAP_SYS_ADMIN), 125, "isolate " + kRoot + ": setns" + kWithheld);
  expect_refusal(serve_without(CAP_SETPCAP), 125,
                 "isolate " + kRoot + ": prctl PR_CAPBSET_DROP" + kWithheld);
}

TEST_F(IsolateRefusal, no_namespaces_left) {
  NEEDS_STRACE();
  expect_refusal(serve_with_fault({"unshare:error=ENOSPC"}), 125,
                 "isolate " + kRoot +
                     ": unshare: No space left on device (user.max_mnt_namespaces and its like "
                     "are limits, see namespaces(7))");
}

TEST_F(IsolateRefusal, root_that_cannot_be_replaced) {
  NEEDS_STRACE();
  expect_refusal(
      serve_with_fault({"pivot_root:error=EINVAL"}), 125,
      "isolate " + kRoot + ": pivot_root: Invalid argument (-i does not work in an initramfs)");
}

TEST_F(IsolateRefusal, capability_that_cannot_be_dropped) {
  NEEDS_STRACE();
  // EINVAL means that the kernel knows no further capability, which is untrue after two.
  expect_refusal(serve_with_fault({"prctl:error=EINVAL:when=3"}), 125,
                 "isolate " + kRoot + ": prctl PR_CAPBSET_DROP: Invalid argument");
}

/// Kernels with older versions of Landlock.
class OldLandlock : public IsolateRefusal {
 protected:
  void SetUp() override {
    IsolateRefusal::SetUp();
    NEEDS_STRACE();
  }

  /// The bounding set of a waiting service that was started under strace.
  static std::string bounding_set(const std::string& fault) {
    Connection connection = connect_pair("127.0.0.2");
    Command command;
    command.arguments = {"strace", "-o", "/dev/null", "-e", "inject=" + fault, kVirtuald};
    const Serving serving = serving_with({"wait"});
    command.arguments.insert(command.arguments.end(), serving.arguments.begin(),
                             serving.arguments.end());
    const int socket = connection.server.get();
    const pid_t tracer = start(command, socket, socket, socket);
    connection.server.reset();
    char buffer[16];
    EXPECT_EQ(6, ::read(connection.client.get(), buffer, sizeof buffer));
    const std::string id = std::to_string(tracer);
    const int service = std::stoi(read_file("/proc/" + id + "/task/" + id + "/children"));
    const std::string status = read_file("/proc/" + std::to_string(service) + "/status");
    connection.client.reset();
    wait_for(tracer);
    const std::size_t at = status.find("CapBnd:\t") + 8;
    return status.substr(at, status.find('\n', at) - at);
  }

  static constexpr const char* kAnswers[] = {"landlock_create_ruleset:retval=2:when=1",
                                             "landlock_create_ruleset:retval=5:when=1",
                                             "landlock_create_ruleset:retval=1:when=1",
                                             "landlock_create_ruleset:retval=0:when=1",
                                             "landlock_create_ruleset:error=ENOSYS:when=1",
                                             "landlock_create_ruleset:error=EOPNOTSUPP:when=1"};
};

TEST_F(OldLandlock, service_works_with_its_files) {
  for (const char* const fault : kAnswers) {
    SCOPED_TRACE(fault);
    EXPECT_EQ("out: links and renames\n", serve_with_fault({fault}, {"files"}).answer);
  }
}

TEST_F(OldLandlock, drops_the_capability_to_signal_other_users) {
  const std::string kept =
      capability_text({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETGID, CAP_SETUID,
                       CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE});
  for (const char* const fault : kAnswers) {
    SCOPED_TRACE(fault);
    EXPECT_EQ(kept, bounding_set(fault));
  }
}

TEST_F(OldLandlock, that_takes_no_rule_is_refused) {
  expect_refusal(serve_with_fault({kAnswers[0], "landlock_add_rule:error=EIO"}), 125,
                 "isolate " + kRoot + ": landlock_add_rule: " + reason_of(EIO));
}

TEST_F(OldLandlock, confines_tracing_from_its_second_version_on) {
  const std::string parent = std::to_string(::getpid());
  EXPECT_EQ("held: ptrace: Operation not permitted\n",
            serve_with_fault({kAnswers[0]}, {"trace", parent}).answer);
}

}  // namespace
}  // namespace testing_support
