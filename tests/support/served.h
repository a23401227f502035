// Domains, and connections to virtuald as a super server makes them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "log_socket.h"
#include "must_run.h"
#include "process.h"

namespace testing_support {

/// Makes /virtual/NAME, the root of a domain: /name says NAME, /bin/service is the test service,
/// and /etc has the users root, www (33, also in the group extra, 44) and mail (8).
void make_domain(const std::string& name);

/// Has virtuald serve one connection, which is on its descriptors 0 to 2.
struct Call {
  std::vector<std::string> options;                        // before the configuration
  std::string config = "/virtual/conf";                    // the configuration
  std::vector<std::string> service = {"service", "name"};  // the program and its arguments
  std::vector<std::string> under;                          // put before all, as a tracer
  std::string address = "127.0.0.1";                       // what the client reaches
  std::function<void()> prepare;                           // runs in the child before the program
};

/// What came of it.
struct Served {
  int status = -1;               // as Outcome::status
  std::string answer;            // all that the client got
  std::vector<std::string> log;  // all that came to /dev/log, `<priority>` and the text
};

Served serve(const Call& call, LogSocket& log);

/// A connection under way, for tests that have something to do meanwhile.
class Serving {
 public:
  explicit Serving(const Call& call);

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits for its end.
  Served finish(LogSocket& log);

 private:
  pid_t pid_ = -1;
  Descriptor client_;
};

/// Serves one connection, stopped in the middle: right after its `number`-th call of `name` (as
/// strace names it), `change` runs. `call.under` is not heeded.
Served serve_stopped(const Call& call, const std::string& name, int number,
                     const std::function<void()>& change, LogSocket& log);

/// The message that virtuald's own datagram carries, as `<priority>text` without ident and pid.
std::string shorten(const std::string& datagram);

}  // namespace testing_support

/// Leaves the test where strace(1) is not installed.
#define NEEDS_STRACE()                                        \
  do {                                                        \
    if (testing_support::run({"strace", "-V"}).status != 0) { \
      SKIP_OR_FAIL("needs the package strace");               \
    }                                                         \
  } while (false)
