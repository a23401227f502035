// virtuald: gives every local address of a machine a file system of its own.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "virtuald/address.h"
#include "virtuald/check/check.h"
#include "virtuald/config.h"
#include "virtuald/enter/environment.h"
#include "virtuald/enter/session.h"
#include "virtuald/error.h"
#include "virtuald/identity.h"
#include "virtuald/inherited.h"
#include "virtuald/isolation.h"
#include "virtuald/line_reader.h"
#include "virtuald/log.h"
#include "virtuald/number_text.h"
#include "virtuald/options.h"
#include "virtuald/program.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

// The exit statuses; 125 to 127 are those of chroot(1), env(1) and their like.
constexpr int kOk = 0;
constexpr int kNegative = 1;          // -t: errors; -q: no entry
constexpr int kTimeIsUp = 124;        // -x -l: as timeout(1) has it
constexpr int kFailed = 125;          // virtuald itself failed
constexpr int kCannotStart = 126;     // the program is there but does not start
constexpr int kProgramMissing = 127;  // it is not there

// Static, by their sizes (error.h), and in one object, so that what every connection touches is at
// its beginning, on a page that is in use already.
struct {
  LineReader reader;
  Error error;
  Message connection;  // of -v
  Identity identity;
  Session session;  // of -x
} large;
LineReader& reader = large.reader;
Error& error = large.error;

int fail(int status = kFailed) {
  log_message(Priority::error, error.text());
  return status;
}

/// Opens what only root may change, or -1. With -w, distrust is only logged.
int open_or_refuse(const char* path, Subject subject, const Options& options) {
  const auto [outcome, descriptor] = open_trusted(path, subject, error);
  if (outcome == Opened::Outcome::distrusted) {
    if (!options.trust_is_optional) {
      return -1;
    }
    log_message(Priority::warning, error.text());
  }
  return descriptor;
}

/// -v: one line for each connection.
void log_connection(const Options& options, const Address& local, const Match& match) {
  Address peer;
  std::uint16_t port = 0;
  const bool has_peer = read_peer_address(STDIN_FILENO, peer, port);
  AddressText texts[2];
  const Decimal port_text(port);
  const Decimal line(static_cast<long long>(match.line_number));
  large.connection.set({"from ",
                        has_peer ? format_address(peer, texts[0]) : "a client that is gone",
                        " port ", port_text.text(), " to ", format_address(local, texts[1]), ": ",
                        options.operands[0], ":", line.text(), ": root ", match.directory,
                        options.isolate ? ", isolated" : "", ", program ", options.operands[1]});
  log_message(Priority::info, large.connection.text());
}

/// Makes the directory the root, which with -i cannot be left.
bool make_root(const Options& options, int directory, const char* name) {
  const Privileges privileges =
      options.user != nullptr ? Privileges::none_new : Privileges::of_files;
  return options.isolate ? isolate(directory, name, privileges, reader, error)
                         : enter_root(directory, name, error);
}

/// One connection, from its socket to its service. Returns only if the service was not started.
int serve(const Options& options) {
  const char* const config = options.operands[0];
  char** const program = options.operands + 1;

  open_log();
  UserSpec user;
  if (options.user != nullptr && !parse_user_spec(options.user, user, error)) {
    return fail();
  }
  Address local;
  if (!read_local_address(STDIN_FILENO, local, error)) {
    return fail();
  }
  const int config_descriptor = open_or_refuse(config, Subject::config, options);
  if (config_descriptor < 0) {
    return fail();
  }
  Match match;
  if (find_root(config_descriptor, config, local, reader, match, error) != Lookup::found) {
    return fail();
  }
  if (options.verbose) {
    log_connection(options, local, match);
  }
  const int root = open_or_refuse(match.directory, Subject::root, options);
  if (root < 0 || (options.isolate && !leave_terminal(error)) ||
      !make_root(options, root, match.directory)) {
    return fail();
  }
  if (options.user != nullptr &&
      (!find_identity(user, AT_FDCWD, match.directory, reader, large.identity, error) ||
       !become(large.identity, error))) {
    return fail();
  }
  reset_signals();
  if (options.isolate) {
    leave_administrators_shell();
  }
  const char* const name = program[0];
  if (options.argument_zero != nullptr) {
    program[0] = const_cast<char*>(options.argument_zero);
  }
  const char* const path = std::getenv("PATH");
  const Start start = start_program(name, path != nullptr ? path : kDefaultSearchPath, program,
                                    match.directory, error);
  return fail(start == Start::failed ? kCannotStart : kProgramMissing);
}

/// -x: becomes the program in the root, once in a session of its own. Returns only if it was not
/// started.
int become_program(const Options& options, int root, const UserSpec* user) {
  const char* const name = options.operands[0];
  char** const program = options.operands + 1;
  int errors = STDERR_FILENO;
  if (!make_root(options, root, name) || (options.stays && !take_null(name, errors, error))) {
    return fail();
  }
  int status = kFailed;
  if (user == nullptr ? drop_groups(error)
                      : find_identity(*user, AT_FDCWD, name, reader, large.identity, error) &&
                            become(large.identity, error)) {
    const char* const path = make_environment(user, reader);
    const Start start = start_program(program[0], path, program, name, error);
    status = start == Start::failed ? kCannotStart : kProgramMissing;
  }
  ::dup2(errors, STDERR_FILENO);
  return fail(status);
}

/// -x: the side of the one who waits for the program.
int see_to_its_end(const Options& options) {
  int status = 0;
  if (supervise(large.session, status)) {
    return end_like(status);
  }
  const Decimal seconds(options.seconds);
  error.set({options.operands[1], " in ", options.operands[0],
             ": killed, since it did not end within ", seconds.text(), " s"});
  return fail(kTimeIsUp);
}

/// -x: a root entered by hand.
int enter(const Options& options) {
  UserSpec user;
  if (options.user != nullptr && !parse_user_spec(options.user, user, error)) {
    return fail();
  }
  const int root = open_or_refuse(options.operands[0], Subject::root, options);
  const UserSpec* const wanted = options.user != nullptr ? &user : nullptr;
  if (root < 0 || (options.stays && !begin_to_stay(error))) {
    return fail();
  }
  if (options.stays) {
    return become_program(options, root, wanted);
  }
  switch (begin_session(options.seconds, large.session, error)) {
    case Side::outside:
      return see_to_its_end(options);
    case Side::inside:
      return become_program(options, root, wanted);
    case Side::failed:
      break;
  }
  return fail();
}

/// -q: the directory that a connection to an address would get.
int query(const Options& options) {
  const char* const config = options.operands[1];
  Address address;
  if (!parse_address(options.operands[0], address)) {
    error.set({"-q ", options.operands[0], ": not an address"});
    return fail();
  }
  const int descriptor = open_or_refuse(config, Subject::config, options);
  if (descriptor < 0) {
    return fail();
  }
  Match match;
  const Lookup outcome = find_root(descriptor, config, address, reader, match, error);
  if (outcome != Lookup::found) {
    return fail(outcome == Lookup::no_entry ? kNegative : kFailed);
  }
  return print(match.directory) && print("\n") ? kOk : kFailed;
}

/// -t: what is wrong with a configuration, and with what it names.
int test(const Options& options) {
  const CheckOutcome outcome = check_config(
      {options.operands[0], options.operands[1], options.trust_is_optional, options.isolate},
      reader);
  return outcome == CheckOutcome::good     ? kOk
         : outcome == CheckOutcome::errors ? kNegative
                                           : kFailed;
}

int run(int count, char** arguments) {
  Options options;
  if (!secure_descriptors(error) || !parse_options(count, arguments, options, error)) {
    open_log();
    return fail();
  }
  switch (options.mode) {
    case Mode::serve:
      return serve(options);
    case Mode::enter:
      return enter(options);
    case Mode::test:
      return test(options);
    case Mode::query:
      return query(options);
    case Mode::version:
      return print("virtuald " VIRTUALD_VERSION "\n") ? kOk : kFailed;
    case Mode::help:
      break;
  }
  return print(kUsage) ? kOk : kFailed;
}

}  // namespace
}  // namespace virtuald

int main(int count, char** arguments) {
  return virtuald::run(count, arguments);
}
