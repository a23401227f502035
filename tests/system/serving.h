// virtuald on a real connection, started as inetd starts it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "must_run.h"
#include "paths.h"
#include "process.h"

namespace testing_support {

/// A root with the static test service in usr/sbin and a file `name` that says whose root it is.
void make_root(const std::filesystem::path& root, const std::string& name);

/// How a connection is made and what virtuald is started with.
struct Serving {
  std::vector<std::string> arguments;  // of virtuald, without argument 0
  std::string address = "127.0.0.2";   // that the client connects to
  std::string listen_on;               // if not empty, what is listened on instead
  std::map<std::string, std::string> environment;
  std::string request;             // what the client sends
  std::function<void()> prepare;   // runs in the process that becomes virtuald
  std::vector<std::string> under;  // a tracer and its arguments, which starts virtuald then
};

/// What came of it.
struct Served {
  int status = -1;
  std::string answer;            // all that the client received
  std::vector<std::string> log;  // what the host's /dev/log received
};

/// One connection from accept to the end of the process, the socket being descriptors 0 to 2.
/// Listens at /dev/log meanwhile.
Served serve(const Serving& serving);

/// The same, with the arguments alone.
Served serve(const std::vector<std::string>& arguments);

/// A connection that strace(1) stops once: right after virtuald's `number`-th call of `name`,
/// `change` runs. `serving.under` is not heeded.
Served serve_stopped(const Serving& serving, const std::string& name, int number,
                     const std::function<void()>& change);

/// Expects that the client got nothing, the status was `status`, and the log one line, `message`,
/// at LOG_ERR.
void expect_refusal(const Served& served, int status, const std::string& message);

/// strerror(3) of `code` as the tested program's libc words it.
std::string reason_of(int code);

/// Two roots, /virtual/domain1.com and /virtual/domain2.com, and /virtual/conf, which gives them
/// 127.0.0.2 and ::1, and 127.0.0.3.
void make_two_domains();

}  // namespace testing_support

/// Leaves the test where a sanitizer makes calls of its own, has messages of its own, or needs
/// files.
#define NEEDS_NO_SANITIZER()                                                    \
  do {                                                                          \
    if (testing_support::kVirtualdHasSanitizer) {                               \
      GTEST_SKIP() << "virtuald has a sanitizer, which makes calls of its own"; \
    }                                                                           \
  } while (false)

/// Leaves the test where the start of the tested program is another than that of the one that
/// ships.
#define NEEDS_SHIPPED_PROGRAM()                                              \
  do {                                                                       \
    if (!testing_support::kVirtualdShips) {                                  \
      GTEST_SKIP() << "virtuald is linked for a sanitizer or to be counted"; \
    }                                                                        \
  } while (false)

/// Leaves the test where strace(1) is not installed, and where its faults and stops would hit
/// calls of a sanitizer instead of virtuald's own.
#define NEEDS_STRACE()                                        \
  do {                                                        \
    NEEDS_NO_SANITIZER();                                     \
    if (testing_support::run({"strace", "-V"}).status != 0) { \
      SKIP_OR_FAIL("needs the package strace");               \
    }                                                         \
  } while (false)
