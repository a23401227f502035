// Every system call on the way of a connection made to fail: it is refused, and the log says what
// failed on what.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "process.h"
#include "served.h"
#include "world.h"

namespace testing_support {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kConfig = "/virtual/conf";
constexpr const char* kTrace = "/tmp/trace";

/// The words of musl's strerror(3), and of glibc's.
constexpr const char* kInputError = "(I/O|Input/output) error";

/// One call that virtuald makes, as strace writes it.
struct TracedCall {
  std::string name;
  int number = 0;    // counted from 1 among the calls of that name
  std::string text;  // name(arguments) = result
};

/// Those that may fail: the connection is served all the same. With the reason why that is right.
const std::vector<std::pair<std::regex, const char*>> kHarmless = {
    {std::regex(R"(close\(.*)"), "what stays open here is closed by exec"},
    {std::regex(R"(fcntl\(\d+, F_SETFD.*)"), "open(2) has set that flag; musl is careful"},
    {std::regex(R"(close_range\(.*)"), "/proc/self/fd says what to close instead"},
    {std::regex(R"(socket\(AF_UNIX.*|connect\(.*|sendmsg\(.*)"), "a host may have no log daemon"},
    {std::regex(R"(getpid\(\).*)"), "it has no errors"},
    {std::regex(R"(getpeername\(.*)"), "-v says that the client is gone"},
    {std::regex(R"(rt_sig(action|procmask)\(.*)"), "the kernel refuses only wrong arguments"},
    {std::regex(R"(setuid\(0\).*|setgroups\(0, .*)"), "failing is the proof that root is gone"},
};

/// What is logged when one of the others fails; "ERRNO" is the error's text.
struct Refusal {
  std::regex call;
  const char* message;
  int status = 125;
};
const std::vector<Refusal> kRefusals = {
    {std::regex(R"(fcntl\([012], F_GETFD\).*)"), "open /dev/null: ERRNO"},
    {std::regex(R"(getsockname\(0, .*)"), R"(getsockname of descriptor 0: ERRNO \(it must be .*)"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/", .*)"), "(open|chroot) /: ERRNO"},
    {std::regex(R"(openat\(\d+, "virtual", .*)"), "(open|chroot) /virtual: ERRNO"},
    {std::regex(R"(openat\(\d+, "conf", .*)"), "open /virtual/conf: ERRNO"},
    {std::regex(R"(openat\(\d+, "domain1.com", .*)"), "chroot /virtual/domain1.com: ERRNO"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/etc/passwd", .*)"),
     "open /virtual/domain1.com/etc/passwd: ERRNO"},
    {std::regex(R"(open(at)?\((AT_FDCWD, )?"/etc/group", .*)"),
     "open /virtual/domain1.com/etc/group: ERRNO"},
    {std::regex(R"((fstat|newfstatat)\(.*)"), "(open|chroot) /[a-z1./]*: ERRNO"},
    {std::regex(R"(read\(.*)"), "read /virtual/(conf|domain1.com/etc/(passwd|group)): ERRNO"},
    {std::regex(R"(fchdir\(.*)"), "chdir /virtual/domain1.com: ERRNO"},
    {std::regex(R"(chroot\(.*)"), "chroot /virtual/domain1.com: ERRNO"},
    {std::regex(R"(setgroups\(.*)"), "setgroups for uid 33: ERRNO"},
    {std::regex(R"(setgid\(.*)"), "setgid 33: ERRNO"},
    {std::regex(R"(setuid\(.*)"), "setuid 33: ERRNO"},
    {std::regex(R"(execve\("/bin/service", .*)"),
     "exec /bin/service in /virtual/domain1.com: ERRNO", 126},
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

/// The calls in `trace`, from main to the exec of the service. What libc does before main is left
/// out: there is nobody to report it.
std::vector<TracedCall> parse_trace(const std::string& trace) {
  std::map<std::string, int> numbers;
  std::vector<TracedCall> calls;
  bool in_main = false;
  for (const std::string& line : split_lines(trace)) {
    const std::string name = line.substr(0, line.find('('));
    // The execve that starts virtuald is shown, but no number of strace's.
    const int number = numbers[name]++ + (name == "execve" ? 0 : 1);
    in_main = in_main || line.starts_with("fcntl(0, F_GETFD)");
    if (in_main) {
      calls.push_back({name, number, line});
    }
    if (in_main && name == "execve") {
      break;
    }
  }
  return calls;
}

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    NEEDS_STRACE();
    if (std::string(kVirtuald).ends_with("_dynamic")) {
      GTEST_SKIP() << "the calls of a sanitizer are not virtuald's";
    }
    make_domain("domain1.com");
    make_domain("other.com");
    write_file(kConfig, "# ftp\n10.0.0.1 /virtual/other.com\n127.0.0.1 /virtual/domain1.com\n");
  }

  /// The calls that virtuald makes when nothing fails.
  std::vector<TracedCall> trace(const Strings& options) {
    Call call;
    call.options = options;
    call.under = {"strace", "-o", kTrace};
    const Served served = serve(call, log_);
    EXPECT_EQ(served.answer, "domain1.com\n");
    EXPECT_EQ(served.status, 0);
    return parse_trace(read_file(kTrace));
  }

  Served serve_with_fault(const Strings& options, const std::string& fault) {
    Call call;
    call.options = options;
    call.under = {"strace", "-o", kTrace, "-e", "inject=" + fault};
    return serve(call, log_);
  }

  /// Lets every call fail in turn.
  void fail_each(const Strings& options, const char* error_name, const char* error_text,
                 const std::regex& retried = std::regex("never")) {
    const std::vector<TracedCall> calls = trace(options);
    ASSERT_GT(calls.size(), 20U) << "strace has shown no more of virtuald";
    int refused = 0;
    for (const TracedCall& call : calls) {
      SCOPED_TRACE(call.text + " fails with " + error_name);
      const Served served = serve_with_fault(
          options, call.name + ":error=" + error_name + ":when=" + std::to_string(call.number));
      ASSERT_NE(read_file(kTrace).find("(INJECTED)"), std::string::npos);
      const Refusal* const refusal =
          std::regex_match(call.text, retried) ? nullptr : expected_refusal(call);
      if (refusal == nullptr) {
        EXPECT_EQ(served.answer, "domain1.com\n");
        EXPECT_EQ(served.status, 0);
      } else {
        expect_refused(*refusal, error_text, served);
        ++refused;
      }
    }
    std::printf("%zu calls made to fail with %s, %d of them refused the connection\n", calls.size(),
                error_name, refused);
  }

  static void expect_refused(const Refusal& refusal, const char* error_text, const Served& served) {
    EXPECT_EQ(served.answer, "");
    EXPECT_EQ(served.status, refusal.status);
    ASSERT_FALSE(served.log.empty());
    const std::string pattern =
        "<27>" + std::regex_replace(std::string(refusal.message), std::regex("ERRNO"), error_text);
    EXPECT_TRUE(std::regex_match(served.log.back(), std::regex(pattern)))
        << served.log.back() << "\nis not " << pattern;
  }

  LogSocket log_;
};

TEST_F(Faults, EachCallFailing) {
  fail_each({}, "EIO", kInputError);
}

TEST_F(Faults, EachCallFailingWithVerboseLog) {
  fail_each({"-v"}, "EIO", kInputError);
}

TEST_F(Faults, EachCallFailingForAnotherUser) {
  fail_each({"-v", "-u", "www"}, "EIO", kInputError);
}

TEST_F(Faults, EachCallOutOfMemory) {
  fail_each({"-v", "-u", "www"}, "ENOMEM", "(Out of|Cannot allocate) memory");
}

TEST_F(Faults, EachCallInterrupted) {
  fail_each({"-v", "-u", "www"}, "EINTR", "Interrupted system call", std::regex(R"(read\(.*)"));
}

/// A kernel or filter that says that a call succeeded which did nothing.
TEST_F(Faults, SetuidThatDoesNothingIsFoundOut) {
  const Served served = serve_with_fault({"-u", "www"}, "setuid:retval=0:when=1");
  EXPECT_EQ(served.answer, "");
  EXPECT_EQ(served.status, 125);
  EXPECT_EQ(served.log, Strings{"<27>setuid 33: root can be had back: not started"});
}

TEST_F(Faults, ProgramThatCannotBeExecutedIsCannotStart) {
  const std::map<std::string, std::string> errors = {{"ENOMEM", "(Out of|Cannot allocate) memory"},
                                                     {"EAGAIN", "Resource temporarily unavailable"},
                                                     {"ETXTBSY", "Text file busy"},
                                                     {"E2BIG", "Argument list too long"},
                                                     {"ELIBBAD", ".*"},
                                                     {"EPERM", "Operation not permitted"}};
  for (const auto& [name, text] : errors) {
    SCOPED_TRACE(name);
    expect_refused({std::regex(), "exec /bin/service in /virtual/domain1.com: ERRNO", 126},
                   text.c_str(), serve_with_fault({}, "execve:error=" + name));
  }
}

/// Stops virtuald when it has read the first piece of a long configuration.
class ConfigChanges : public Faults {
 protected:
  static constexpr const char* kEntry = "127.0.0.1 /virtual/domain1.com\n";

  /// What goes before the entry takes more than one read(2).
  static std::string many_lines() {
    std::string text;
    while (text.size() < 200'000) {
      text += "10.1.2.3 /virtual/other.com\n";
    }
    return text;
  }

  Served serve_while(const std::function<void()>& change) {
    return serve_stopped({}, "read", 1, change, log_);
  }
};

TEST_F(ConfigChanges, RemovedWhileReadServesFromWhatWasOpened) {
  write_file(kConfig, many_lines() + kEntry);
  const Served served = serve_while([] { std::filesystem::remove(kConfig); });
  EXPECT_EQ(served.answer, "domain1.com\n");
}

TEST_F(ConfigChanges, ReplacedWhileReadServesFromWhatWasOpened) {
  write_file(kConfig, many_lines() + kEntry);
  const Served served = serve_while([] {
    write_file("/virtual/conf.new", "default /virtual/other.com\n");
    std::filesystem::rename("/virtual/conf.new", kConfig);
  });
  EXPECT_EQ(served.answer, "domain1.com\n");
}

TEST_F(ConfigChanges, GrowingWhileReadIsReadToItsNewEnd) {
  write_file(kConfig, many_lines());
  const Served served = serve_while([] { write_file(kConfig, many_lines() + kEntry); });
  EXPECT_EQ(served.answer, "domain1.com\n");
}

TEST_F(ConfigChanges, TruncatedWhileReadIsRefused) {
  write_file(kConfig, many_lines() + kEntry);
  const Served served = serve_while([] { std::filesystem::resize_file(kConfig, 0); });
  EXPECT_EQ(served.answer, "");
  EXPECT_EQ(served.status, 125);
  EXPECT_EQ(served.log, Strings{"<27>/virtual/conf: no entry for 127.0.0.1, and no default"});
}

/// Faults that need no tracer.
class Shortage : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_domain("domain1.com");
    write_file(kConfig, "127.0.0.1 /virtual/domain1.com\n");
  }

  static std::function<void()> limit(__rlimit_resource resource, rlim_t value) {
    return [resource, value] {
      const rlimit both = {value, value};
      if (::setrlimit(resource, &both) != 0) {
        ::_exit(200);
      }
    };
  }

  static void expect_no_regular_file(const Served& served) {
    EXPECT_EQ(served.answer, "");
    EXPECT_EQ(served.status, 125);
    EXPECT_EQ(served.log, Strings{"<27>open /virtual/conf: not a regular file"});
  }
};

TEST_F(Shortage, DirectoryAsConfigurationIsRefused) {
  std::filesystem::remove(kConfig);
  std::filesystem::create_directory(kConfig);
  LogSocket log;
  expect_no_regular_file(serve({}, log));
  std::filesystem::remove(kConfig);
}

TEST_F(Shortage, FifoAsConfigurationIsRefusedWithoutWaiting) {
  std::filesystem::remove(kConfig);
  ASSERT_EQ(::mkfifo(kConfig, 0644), 0);
  LogSocket log;
  expect_no_regular_file(serve({}, log));
  std::filesystem::remove(kConfig);
}

TEST_F(Shortage, WithoutLogDaemonConnectionsAreServed) {
  Call call;
  call.options = {"-v"};
  std::filesystem::remove("/dev/log");
  LogSocket elsewhere("/tmp/log");
  const Served served = serve(call, elsewhere);
  EXPECT_EQ(served.answer, "domain1.com\n");
  EXPECT_EQ(served.log, Strings{});
}

TEST_F(Shortage, LogDaemonThatDoesNotReadIsWaitedForASecondInAll) {
  LogSocket log;
  const Descriptor filler(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/dev/log");
  while (::sendto(filler.get(), "full", 4, 0, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  ASSERT_EQ(::chmod(kConfig, 0666), 0);
  Call call;
  call.options = {"-vw"};
  const auto begin = std::chrono::steady_clock::now();
  Serving serving(call);
  const Served served = serving.finish(log);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(served.answer, "domain1.com\n");
  EXPECT_GT(took.count(), 0.9);
  EXPECT_LT(took.count(), 1.9);
}

/// Too few descriptors: as soon as there is one for it, the log says so.
TEST_F(Shortage, DescriptorLimitRefusesOrServes) {
  LogSocket log;
  int refusals = 0;
  for (rlim_t count = 3; count <= 12; ++count) {
    SCOPED_TRACE(count);
    Call call;
    call.prepare = limit(RLIMIT_NOFILE, count);
    const Served served = serve(call, log);
    if (served.status == 0) {
      EXPECT_EQ(served.answer, "domain1.com\n");
      EXPECT_EQ(served.log, Strings{});
      continue;
    }
    ++refusals;
    EXPECT_EQ(served.answer, "");
    EXPECT_EQ(served.status, 125);
    if (count == 3) {
      EXPECT_EQ(served.log, Strings{});
    } else {
      ASSERT_EQ(served.log.size(), 1U);
      EXPECT_TRUE(std::regex_match(
          served.log[0], std::regex("<27>(open|chroot) /.*: "
                                    "(No file descriptors available|Too many open files)")))
          << served.log[0];
    }
  }
  EXPECT_GT(refusals, 1);
  EXPECT_LT(refusals, 6);
}

TEST_F(Shortage, SmallStackIsEnough) {
  LogSocket log;
  Call call;
  call.options = {"-v"};
  call.prepare = limit(RLIMIT_STACK, 192 * 1024);
  const Served served = serve(call, log);
  EXPECT_EQ(served.answer, "domain1.com\n");
  EXPECT_EQ(served.status, 0);
}

TEST_F(Shortage, UserWithoutProcessesLeftIsRefused) {
  NEEDS_REAL_ROOT();
  Command other;
  other.arguments = {"sleep", "60"};
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
  LogSocket log;
  Call call;
  call.options = {"-u", "www"};
  call.prepare = limit(RLIMIT_NPROC, 0);
  const Served served = serve(call, log);
  EXPECT_EQ(served.answer, "");
  EXPECT_EQ(served.status, 126);
  EXPECT_EQ(served.log, Strings{"<27>exec /bin/service in /virtual/domain1.com: "
                                "Resource temporarily unavailable"});
}

}  // namespace
}  // namespace testing_support
