// Every system call on the connection path is made to fail: the connection is refused, and the log
// names the operation and the object.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "files.h"
#include "log_socket.h"
#include "process.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kConfig = "/virtual/conf";
constexpr const char* kTrace = "/tmp/trace";

/// As musl's and glibc's strerror(3) print it.
constexpr const char* kInputError = "(I/O|Input/output) error";

const std::string kIsolate = "isolate /virtual/domain1.com: ";

/// One call that virtuald makes, as strace prints it.
struct TracedCall {
  std::string name;
  int number = 0;    // counted from 1 among the calls of that name
  std::string text;  // name(arguments) = result
};

/// Calls that may fail while the connection is still served, each with the reason.
const std::vector<std::pair<std::regex, const char*>> kHarmless = {
    {std::regex(R"(close\(.*)"), "what stays open here is closed by exec"},
    {std::regex(R"(fcntl\(\d+, F_SETFD.*)"), "open(2) has set that flag; musl is careful"},
    {std::regex(R"(socket\(AF_UNIX.*|connect\(.*|sendmsg\(.*)"), "a host may have no log daemon"},
    {std::regex(R"(umask\(.*)"), "it has no errors"},
    {std::regex(R"(statx\(.*)"), "mountinfo says the same"},
    {std::regex(R"(getpeername\(.*)"), "-v says that the client is gone"},
    {std::regex(R"(rt_sig(action|procmask)\(.*)"), "the kernel refuses only wrong arguments"},
    {std::regex(R"(setuid\(0\).*|setgroups\(0, .*)"), "failing is the proof that root is gone"},
    {std::regex(R"(openat2\(\d+, "/etc/hostname".*|(fstat|newfstatat)\(\d+, .*st_size=16.*|)"
                R"(read\(\d+, "www\..*)"),
     "the host name is then that of the directory"},
};

/// What is logged when one of the others fails; "CALL" is its name, and "ERRNO" the error's text.
struct Refusal {
  std::regex call;
  std::string message;
  int status = 125;
};
const std::vector<Refusal> kRefusals = {
    {std::regex(R"(fcntl\([012], F_GETFD\).*)"), "open /dev/null: ERRNO"},
    // Those of -i.
    {std::regex(R"(pidfd_open\(.*)"), kIsolate + "pidfd_open: ERRNO"},
    {std::regex(R"(setns\(.*)"), kIsolate + "setns: ERRNO"},
    {std::regex(R"(openat\(AT_FDCWD, "/dev/tty", .*)"), "open /dev/tty: ERRNO"},
    {std::regex(R"(openat\(AT_FDCWD, "/proc/self", .*)"), kIsolate + "open /proc/self: ERRNO"},
    {std::regex(R"(openat\(\d+, "mountinfo", .*)"), kIsolate + "open mountinfo: ERRNO"},
    {std::regex(R"(lseek\(.*)"), kIsolate + "lseek mountinfo: ERRNO"},
    {std::regex(R"(read\(\d+, "\d+ \d+ \d+:\d+ .*)"), kIsolate + "read mountinfo: ERRNO"},
    {std::regex(R"(read\(\d+, "", .*)"),
     "(isolate|read) /virtual/domain1.com(: read mountinfo|/etc/passwd|/etc/group): ERRNO"},
    {std::regex(R"(unshare\(.*)"), kIsolate + "unshare: ERRNO"},
    {std::regex(R"(mount\(NULL, "/", NULL, MS_REC\|MS_PRIVATE, .*)"),
     kIsolate + "mount private: ERRNO"},
    {std::regex(R"(mount\("devpts", .*)"), kIsolate + "mount devpts: ERRNO"},
    {std::regex(R"(fchdir\(.*)"), "(chdir|isolate) /virtual/domain1.com: (fchdir: )?ERRNO"},
    {std::regex(R"((open_tree|move_mount|umount2|sethostname|setdomainname|capget|capset|)"
                R"(seccomp|landlock_create_ruleset|landlock_add_rule|landlock_restrict_self)\(.*)"),
     kIsolate + "CALL: ERRNO"},
    {std::regex(R"(pivot_root\(.*)"),
     kIsolate + R"(pivot_root: ERRNO \(-i does not work in an initramfs\))"},
    {std::regex(R"(prctl\(PR_CAPBSET_DROP.*)"), kIsolate + "prctl PR_CAPBSET_DROP: ERRNO"},
    {std::regex(R"(prctl\(PR_SET_NO_NEW_PRIVS.*)"), kIsolate + "prctl PR_SET_NO_NEW_PRIVS: ERRNO"},
    // Those of every connection.
    {std::regex(R"(close_range\(.*)"), R"(close_range: ERRNO \(virtuald needs .*)"},
    {std::regex(R"(getsockname\(0, .*)"), R"(getsockname of descriptor 0: ERRNO \(it must be .*)"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/", .*)"), "(open|chroot) /: ERRNO"},
    {std::regex(R"(openat\(AT_FDCWD, "/virtual/conf", .*)"), "open /virtual/conf: ERRNO"},
    {std::regex(R"(openat\(AT_FDCWD, "/virtual/domain1.com", .*)"),
     "chroot /virtual/domain1.com: ERRNO"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/etc/passwd", .*)"),
     "open /virtual/domain1.com/etc/passwd: ERRNO"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/etc/group", .*)"),
     "open /virtual/domain1.com/etc/group: ERRNO"},
    {std::regex(R"((fstat|lstat|newfstatat)\(.*)"), "(open|chroot) /[a-z1./]*: ERRNO"},
    {std::regex(R"(read\(.*)"), "read /virtual/(conf|domain1.com/etc/(passwd|group)): ERRNO"},
    {std::regex(R"(chroot\(.*)"), "chroot /virtual/domain1.com: ERRNO"},
    {std::regex(R"(setgroups\(.*)"), "setgroups for uid 33: ERRNO"},
    {std::regex(R"(setgid\(.*)"), "setgid 33: ERRNO"},
    {std::regex(R"(setuid\(.*)"), "setuid 33: ERRNO"},
    {std::regex(R"(execve\("/usr/sbin/service", .*)"),
     "exec /usr/sbin/service in /virtual/domain1.com: ERRNO", 126},
};

/// The message that the failure of `call` must leave; nullptr if it is harmless.
const Refusal* expected_refusal(const TracedCall& call) {
  for (const auto& [pattern, reason] : kHarmless) {
    if (std::regex_match(call.text, pattern)) {
      return nullptr;
    }
  }
  for (const Refusal& refusal : kRefusals) {
    if (std::regex_match(call.text, refusal.call)) {
      return &refusal;
    }
  }
  static const Refusal kUnknown = {std::regex(), "(no rule of this test knows that call)"};
  return &kUnknown;
}

/// The calls in `trace`, from main to the exec of the service. Failures before main, in libc,
/// cannot be reported.
std::vector<TracedCall> parse_trace(const std::string& trace) {
  std::map<std::string, int> numbers;
  std::vector<TracedCall> calls;
  bool in_main = false;
  for (const std::string& line : split_lines(trace)) {
    const std::string name = line.substr(0, line.find('('));
    // The execve that starts virtuald is printed, but strace does not count it.
    const int number = numbers[name]++ + (name == "execve" ? 0 : 1);
    in_main = in_main || line.starts_with("fcntl(0, F_GETFD)");
    // getpid has no errors, and some versions of strace do not know the name of listmount(2).
    if (in_main && name != "getpid" && name != "listmount" && name != "syscall_0x1ca") {
      calls.push_back({name, number, line});
    }
    if (in_main && name == "execve") {
      break;
    }
  }
  return calls;
}

/// virtuald with these options, which starts the service to print the name of its root.
Serving serving_with(const Strings& options) {
  Serving serving;
  serving.arguments = options;
  serving.arguments.insert(serving.arguments.end(), {kConfig, "service", "name"});
  serving.environment = {{"PATH", "/usr/sbin"}};
  return serving;
}

void make_domains() {
  make_two_domains();
  write_file("/virtual/domain1.com/etc/passwd", "root:x:0:0::/:\nwww:x:33:33::/:\n");
  write_file("/virtual/domain1.com/etc/group", "www:x:33:\nextra:x:44:www\n");
  write_file("/virtual/domain1.com/etc/hostname", "www.domain1.com\n");
  std::filesystem::create_directories("/virtual/domain1.com/dev/pts");
  write_file(kConfig, "# ftp\n10.0.0.1 /virtual/domain2.com\n127.0.0.2 /virtual/domain1.com\n");
}

void expect_served(const Served& served) {
  EXPECT_EQ("domain1\n", served.answer);
  EXPECT_EQ(0, served.status);
}

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    NEEDS_STRACE();
    make_domains();
    // A mount for -i to find.
    std::filesystem::create_directory("/virtual/domain1.com/home");
    ASSERT_EQ(0, ::mount("tmpfs", "/virtual/domain1.com/home", "tmpfs", 0, nullptr));
  }

  /// The calls that virtuald makes when nothing fails.
  static std::vector<TracedCall> trace(const Strings& options) {
    Serving serving = serving_with(options);
    serving.under = {"strace", "-o", kTrace};
    expect_served(serve(serving));
    return parse_trace(read_file(kTrace));
  }

  static Served serve_with_fault(const Strings& options, const std::string& fault) {
    Serving serving = serving_with(options);
    serving.under = {"strace", "-o", kTrace, "-e", "inject=" + fault};
    return serve(serving);
  }

  /// Makes every call fail in turn.
  static void fail_each(const Strings& options, const char* error_name, const char* error_text,
                        const std::regex& retried = std::regex("never")) {
    const std::vector<TracedCall> calls = trace(options);
    ASSERT_GT(calls.size(), 20U) << "strace shows too few calls of virtuald";
    int refused = 0;
    for (const TracedCall& call : calls) {
      SCOPED_TRACE(call.text + " fails with " + error_name);
      const Served served = serve_with_fault(
          options, call.name + ":error=" + error_name + ":when=" + std::to_string(call.number));
      ASSERT_NE(read_file(kTrace).find("(INJECTED)"), std::string::npos);
      const Refusal* const refusal =
          std::regex_match(call.text, retried) ? nullptr : expected_refusal(call);
      if (refusal == nullptr) {
        expect_served(served);
      } else {
        const std::regex name("CALL");
        expect_refused(
            {refusal->call, std::regex_replace(refusal->message, name, call.name), refusal->status},
            error_text, served);
        ++refused;
      }
    }
    std::printf("%zu calls made to fail with %s, %d of them refused the connection\n", calls.size(),
                error_name, refused);
  }

  static void expect_refused(const Refusal& refusal, const char* error_text, const Served& served) {
    EXPECT_EQ("", served.answer);
    EXPECT_EQ(refusal.status, served.status);
    ASSERT_FALSE(served.log.empty());
    const std::string message = without_prefix(served.log.back());
    const std::string pattern =
        std::regex_replace(refusal.message, std::regex("ERRNO"), error_text);
    EXPECT_TRUE(std::regex_match(message, std::regex(pattern)))
        << message << "\ninstead of " << pattern;
  }
};

TEST_F(Faults, every_call_failing) {
  fail_each({}, "EIO", kInputError);
}

TEST_F(Faults, every_call_failing_with_verbose_log) {
  fail_each({"-v"}, "EIO", kInputError);
}

TEST_F(Faults, every_call_failing_for_another_user) {
  fail_each({"-v", "-u", "www"}, "EIO", kInputError);
}

TEST_F(Faults, every_call_out_of_memory) {
  fail_each({"-v", "-u", "www"}, "ENOMEM", "(Out of|Cannot allocate) memory");
}

TEST_F(Faults, every_call_interrupted) {
  fail_each({"-v", "-u", "www"}, "EINTR", "Interrupted system call", std::regex(R"(read\(.*)"));
}

TEST_F(Faults, every_call_of_an_isolated_connection_failing) {
  fail_each({"-i"}, "EIO", kInputError);
}

TEST_F(Faults, every_call_of_an_isolated_connection_failing_for_another_user) {
  fail_each({"-iv", "-u", "www"}, "EIO", kInputError);
}

TEST_F(Faults, every_call_of_an_isolated_connection_out_of_memory) {
  fail_each({"-iv", "-u", "www"}, "ENOMEM", "(Out of|Cannot allocate) memory");
}

TEST_F(Faults, every_call_of_an_isolated_connection_interrupted) {
  fail_each({"-iv", "-u", "www"}, "EINTR", "Interrupted system call", std::regex(R"(read\(.*)"));
}

/// A kernel or filter claims success for a call that did nothing.
TEST_F(Faults, setuid_that_does_nothing) {
  expect_refusal(serve_with_fault({"-u", "www"}, "setuid:retval=0:when=1"), 125,
                 "setuid 33: root privileges could be regained; not started");
}

TEST_F(Faults, program_that_cannot_be_executed) {
  const std::map<std::string, std::string> errors = {{"ENOMEM", "(Out of|Cannot allocate) memory"},
                                                     {"EAGAIN", "Resource temporarily unavailable"},
                                                     {"ETXTBSY", "Text file busy"},
                                                     {"E2BIG", "Argument list too long"},
                                                     {"ELIBBAD", ".*"},
                                                     {"EPERM", "Operation not permitted"}};
  for (const auto& [name, text] : errors) {
    SCOPED_TRACE(name);
    expect_refused({std::regex(), "exec /usr/sbin/service in /virtual/domain1.com: ERRNO", 126},
                   text.c_str(), serve_with_fault({}, "execve:error=" + name));
  }
}

/// Stops virtuald when it has read the first piece of a long configuration.
class ConfigChanges : public Faults {
 protected:
  void SetUp() override {
    NEEDS_SHIPPED_PROGRAM();
    Faults::SetUp();
  }

  static constexpr const char* kEntry = "127.0.0.2 /virtual/domain1.com\n";

  /// The lines before the entry take more than one read(2).
  static std::string many_lines() {
    std::string text;
    while (text.size() < 200'000) {
      text += "10.1.2.3 /virtual/domain2.com\n";
    }
    return text;
  }

  Served serve_while(const std::function<void()>& change) {
    return serve_stopped(serving_with({}), "read", 1, change);
  }
};

TEST_F(ConfigChanges, removed_while_it_is_read) {
  write_file(kConfig, many_lines() + kEntry);
  expect_served(serve_while([] { std::filesystem::remove(kConfig); }));
}

TEST_F(ConfigChanges, replaced_while_it_is_read) {
  write_file(kConfig, many_lines() + kEntry);
  expect_served(serve_while([] {
    write_file("/virtual/conf.new", "default /virtual/domain2.com\n");
    std::filesystem::rename("/virtual/conf.new", kConfig);
  }));
}

TEST_F(ConfigChanges, growing_while_it_is_read) {
  write_file(kConfig, many_lines());
  expect_served(serve_while([] { write_file(kConfig, many_lines() + kEntry); }));
}

TEST_F(ConfigChanges, truncated_while_it_is_read) {
  write_file(kConfig, many_lines() + kEntry);
  expect_refusal(serve_while([] { std::filesystem::resize_file(kConfig, 0); }), 125,
                 "/virtual/conf: no entry for 127.0.0.2, and no default");
}

/// Faults that need no tracer.
class Shortage : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_domains();
  }

  static std::function<void()> limit(__rlimit_resource resource, rlim_t value) {
    return [resource, value] {
      const rlimit both = {value, value};
      if (::setrlimit(resource, &both) != 0) {
        ::_exit(200);
      }
    };
  }
};

TEST_F(Shortage, directory_as_configuration) {
  std::filesystem::remove(kConfig);
  std::filesystem::create_directory(kConfig);
  expect_refusal(serve(serving_with({})), 125, "open /virtual/conf: not a regular file");
}

TEST_F(Shortage, fifo_as_configuration_is_not_waited_for) {
  std::filesystem::remove(kConfig);
  ASSERT_EQ(0, ::mkfifo(kConfig, 0644));
  expect_refusal(serve(serving_with({})), 125, "open /virtual/conf: not a regular file");
}

TEST_F(Shortage, no_log_daemon) {
  Serving serving = serving_with({"-v"});
  serving.prepare = [] { ::unlink("/dev/log"); };
  expect_served(serve(serving));
}

/// Fills the log socket, so that it has no room for another message.
void fill_log() {
  const int filler = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/dev/log");
  const auto* const target = reinterpret_cast<const sockaddr*>(&address);
  while (::sendto(filler, "full", 4, 0, target, sizeof address) > 0) {
  }
  if (errno != EAGAIN) {
    ::_exit(200);
  }
}

TEST_F(Shortage, log_daemon_that_does_not_read_is_waited_for_once) {
  ASSERT_EQ(0, ::chmod(kConfig, 0666));  // so that there is more than one message
  Serving serving = serving_with({"-v", "-w"});
  serving.prepare = fill_log;
  const auto begin = std::chrono::steady_clock::now();
  expect_served(serve(serving));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(took.count(), 0.9);
  EXPECT_LT(took.count(), 1.9);
}

TEST_F(Shortage, no_descriptor_left_for_the_log) {
  NEEDS_SHIPPED_PROGRAM();
  Serving serving = serving_with({});
  serving.prepare = limit(RLIMIT_NOFILE, 3);
  const Served served = serve(serving);
  EXPECT_EQ("", served.answer);
  EXPECT_EQ(125, served.status);
}

/// As soon as the log has a descriptor, it reports that there are too few.
TEST_F(Shortage, few_descriptors) {
  const std::regex message("(open|chroot) /.*: " + reason_of(EMFILE));
  rlim_t count = 4;
  for (;; ++count) {
    SCOPED_TRACE(count);
    ASSERT_LT(count, 12U);
    Serving serving = serving_with({});
    serving.prepare = limit(RLIMIT_NOFILE, count);
    const Served served = serve(serving);
    if (served.status == 0) {
      expect_served(served);
      break;
    }
    EXPECT_EQ("", served.answer);
    EXPECT_EQ(125, served.status);
    ASSERT_EQ(1U, served.log.size());
    EXPECT_TRUE(std::regex_match(without_prefix(served.log[0]), message)) << served.log[0];
  }
  EXPECT_GT(count, 5U);
}

TEST_F(Shortage, small_stack) {
  Serving serving = serving_with({"-v"});
  serving.prepare = limit(RLIMIT_STACK, rlim_t{192} * 1024);
  expect_served(serve(serving));
}

TEST_F(Shortage, user_without_processes_left) {
  NEEDS_REAL_ROOT();
  Command other = command_of({"sleep", "60"});
  other.prepare = [] {
    if (::setuid(33) != 0) {
      ::_exit(200);
    }
  };
  const BackgroundProcess process(other);
  const std::string directory = "/proc/" + std::to_string(process.pid());
  ASSERT_TRUE(eventually([&directory] {
    struct stat status {};
    return ::stat(directory.c_str(), &status) == 0 && status.st_uid == 33;
  }));
  Serving serving = serving_with({"-u", "www"});
  serving.prepare = limit(RLIMIT_NPROC, 0);
  expect_refusal(serve(serving), 126,
                 "exec /usr/sbin/service in /virtual/domain1.com: " + reason_of(EAGAIN));
}

}  // namespace
}  // namespace testing_support
