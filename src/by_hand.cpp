// virtuald-by-hand: the part of virtuald that people and scripts use, not connections. virtuald
// executes it for -x and -t. The scripts also run `virtuald-by-hand mount-log SOCKET` and
// `virtuald-by-hand unmount-log DIRECTORY`, for which virtuald has no options.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "virtuald/check/check.h"
#include "virtuald/enter/environment.h"
#include "virtuald/enter/log_mount.h"
#include "virtuald/enter/session.h"
#include "virtuald/error.h"
#include "virtuald/front.h"
#include "virtuald/identity.h"
#include "virtuald/inherited.h"
#include "virtuald/line_reader.h"
#include "virtuald/log.h"
#include "virtuald/number_text.h"
#include "virtuald/options.h"
#include "virtuald/program.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

// Static because of their sizes (error.h).
LineReader reader;
Error error;
Identity identity;
Session session;

/// -x: executes the program in the root, after the session is set up. Returns only if it was not
/// started.
int execute_program(const Options& options, int root, const UserSpec* user) {
  const char* const name = options.operands[0];
  char** const program = options.operands + 1;
  int errors = STDERR_FILENO;
  if (!make_root(root, name, options, reader, error) ||
      (options.stays && !take_null(name, errors, error))) {
    return fail(error);
  }
  int status = kFailed;
  if (user == nullptr ? drop_groups(error)
                      : find_identity(*user, AT_FDCWD, name, reader, identity, error) &&
                            become(identity, error)) {
    const char* const path = make_environment(user, reader);
    const Start start = start_program(program[0], path, program, name, error);
    status = start == Start::failed ? kCannotStart : kProgramMissing;
  }
  ::dup2(errors, STDERR_FILENO);
  return fail(error, status);
}

/// -x, in the process outside: waits until the program ends.
int wait_for_program(const Options& options) {
  int status = 0;
  const bool is_in_time = supervise(session, status);
  const bool is_shown = show_output(session);
  if (is_in_time) {
    return is_shown ? end_like(status) : kFailed;
  }
  const Decimal seconds(options.seconds);
  error.set({options.operands[1], " in ", options.operands[0],
             ": killed because it did not end within ", seconds.text(), " s"});
  return fail(error, kTimeIsUp);
}

/// -x: enters a root and runs a program there.
int enter(const Options& options) {
  UserSpec user;
  if (options.user != nullptr && !parse_user_spec(options.user, user, error)) {
    return fail(error);
  }
  const int root = open_or_refuse(options.operands[0], Subject::root, options, error);
  const UserSpec* const wanted = options.user != nullptr ? &user : nullptr;
  if (root < 0 || (options.stays && !begin_to_stay(error))) {
    return fail(error);
  }
  if (options.stays) {
    return execute_program(options, root, wanted);
  }
  switch (begin_session(options.seconds, session, error)) {
    case Side::outside:
      return wait_for_program(options);
    case Side::inside:
      return execute_program(options, root, wanted);
    case Side::failed:
      break;
  }
  return fail(error);
}

/// -t: checks a configuration, its roots and the program.
int test(const Options& options) {
  const CheckOutcome outcome = check_config(
      {options.operands[0], options.operands[1], options.trust_is_optional, options.isolate},
      reader);
  return outcome == CheckOutcome::good     ? kOk
         : outcome == CheckOutcome::errors ? kNegative
                                           : kFailed;
}

/// Mounts or unmounts the log socket of a domain, whose dev is the working directory. The status of
/// unmount-log says whether it was mounted.
int handle_log(std::string_view verb, const char* path) {
  if (verb == "mount-log") {
    return mount_log(path, error) ? kOk : fail(error);
  }
  const Unmounted outcome = unmount_log(path, error);
  return outcome == Unmounted::yes             ? kOk
         : outcome == Unmounted::nothing_there ? kNegative
                                               : fail(error);
}

int run(int count, char** arguments) {
  const std::string_view verb = count == 3 ? arguments[1] : "";
  if (verb == "mount-log" || verb == "unmount-log") {
    return handle_log(verb, arguments[2]);
  }
  // If the caller ignores it, children cannot be waited for, and other processes may get their
  // pids.
  static_cast<void>(::signal(SIGCHLD, SIG_DFL));
  Options options;
  if (!secure_descriptors(error) || !parse_options(count, arguments, options, error)) {
    return fail(error);
  }
  if (options.mode == Mode::enter) {
    return enter(options);
  }
  if (options.mode == Mode::test) {
    return test(options);
  }
  error.set({"this program handles only -x and -t: run virtuald"});
  return fail(error);
}

}  // namespace
}  // namespace virtuald

int main(int count, char** arguments) {
  return virtuald::run(count, arguments);
}
