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

/// Makes a root with the static test service in usr/sbin and a file `name` with the root's name.
void make_root(const std::filesystem::path& root, const std::string& name);

/// How a connection is made and how virtuald is started.
struct Serving {
  std::vector<std::string> arguments;  // of virtuald, without argument 0
  std::string address = "127.0.0.2";   // the client connects to it
  std::string listen_on;               // the listener's address, if it is another one
  std::map<std::string, std::string> environment;
  std::string request;             // what the client sends
  std::function<void()> prepare;   // runs in the process that becomes virtuald
  std::vector<std::string> under;  // a tracer, with its arguments, that starts virtuald
};

/// The result of a connection.
struct Served {
  int status = -1;
  std::string answer;            // all that the client received
  std::vector<std::string> log;  // what the host's /dev/log received
};

/// Serves one connection, from accept to the end of the process, with the socket as descriptors 0
/// to 2, and listens at /dev/log.
Served serve(const Serving& serving);

/// The same with only these arguments.
Served serve(const std::vector<std::string>& arguments);

/// Serves a connection under strace(1), which stops virtuald right after its `number`-th call of
/// `name`, and runs `change` while virtuald is stopped. Ignores `serving.under`.
Served serve_stopped(const Serving& serving, const std::string& name, int number,
                     const std::function<void()>& change);

/// Expects that the client got nothing, the status was `status`, and the log got one line,
/// `message`, at LOG_ERR.
void expect_refusal(const Served& served, int status, const std::string& message);

/// strerror(3) of `code` in the libc of the program under test.
std::string reason_of(int code);

/// Makes the roots /virtual/domain1.com, for 127.0.0.2 and ::1, and /virtual/domain2.com, for
/// 127.0.0.3, with their configuration, /virtual/conf.
void make_two_domains();

}  // namespace testing_support

/// Skips the test if virtuald has a sanitizer, which makes system calls, prints messages and needs
/// files.
#define NEEDS_NO_SANITIZER()                                                    \
  do {                                                                          \
    if (testing_support::kVirtualdHasSanitizer) {                               \
      GTEST_SKIP() << "virtuald has a sanitizer, which makes calls of its own"; \
    }                                                                           \
  } while (false)

/// Skips the test if the program under test does not start like the one that ships.
#define NEEDS_SHIPPED_PROGRAM()                                            \
  do {                                                                     \
    if (!testing_support::kVirtualdShips) {                                \
      GTEST_SKIP() << "virtuald is built for a sanitizer or for coverage"; \
    }                                                                      \
  } while (false)

/// Skips the test if strace(1) is missing, or if virtuald has a sanitizer, whose calls strace's
/// faults and stops would hit instead of virtuald's.
#define NEEDS_STRACE()                                        \
  do {                                                        \
    NEEDS_NO_SANITIZER();                                     \
    if (testing_support::run({"strace", "-V"}).status != 0) { \
      SKIP_OR_FAIL("needs the package strace");               \
    }                                                         \
  } while (false)
