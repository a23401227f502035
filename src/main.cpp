// virtuald: gives every local address of a machine its own root directory.

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "virtuald/address.h"
#include "virtuald/config.h"
#include "virtuald/error.h"
#include "virtuald/front.h"
#include "virtuald/identity.h"
#include "virtuald/inherited.h"
#include "virtuald/line_reader.h"
#include "virtuald/log.h"
#include "virtuald/number_text.h"
#include "virtuald/options.h"
#include "virtuald/program.h"

namespace virtuald {
namespace {

// Static because of their sizes (error.h), and in one object, so that the parts that every
// connection touches are at its beginning, on a page that is already in use.
struct {
  LineReader reader;
  Error error;
  Message connection;  // of -v
  Identity identity;
} large;
LineReader& reader = large.reader;
Error& error = large.error;

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

/// Serves one connection. Returns only if the service was not started.
int serve(const Options& options) {
  const char* const config = options.operands[0];
  char** const program = options.operands + 1;

  open_log();
  UserSpec user;
  if (options.user != nullptr && !parse_user_spec(options.user, user, error)) {
    return fail(error);
  }
  Address local;
  if (!read_local_address(STDIN_FILENO, local, error)) {
    return fail(error);
  }
  const int config_descriptor = open_or_refuse(config, Subject::config, options, error);
  if (config_descriptor < 0) {
    return fail(error);
  }
  Match match;
  if (find_root(config_descriptor, config, local, reader, match, error) != Lookup::found) {
    return fail(error);
  }
  if (options.verbose) {
    log_connection(options, local, match);
  }
  const int root = open_or_refuse(match.directory, Subject::root, options, error);
  if (root < 0 || (options.isolate && !leave_terminal(error)) ||
      !make_root(root, match.directory, options, reader, error)) {
    return fail(error);
  }
  if (options.user != nullptr &&
      (!find_identity(user, AT_FDCWD, match.directory, reader, large.identity, error) ||
       !become(large.identity, error))) {
    return fail(error);
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
  return fail(error, start == Start::failed ? kCannotStart : kProgramMissing);
}

/// -q: the directory that a connection to an address would get.
int query(const Options& options) {
  const char* const config = options.operands[1];
  Address address;
  if (!parse_address(options.operands[0], address)) {
    error.set({"-q ", options.operands[0], ": not an address"});
    return fail(error);
  }
  const int descriptor = open_or_refuse(config, Subject::config, options, error);
  if (descriptor < 0) {
    return fail(error);
  }
  Match match;
  const Lookup outcome = find_root(descriptor, config, address, reader, match, error);
  if (outcome != Lookup::found) {
    return fail(error, outcome == Lookup::no_entry ? kNegative : kFailed);
  }
  return print(match.directory) && print("\n") ? kOk : kFailed;
}

/// -x and -t are in a separate program, so that a connection need not load their code.
int execute_by_hand(char** arguments) {
  char path[PATH_MAX];  // if static, it would cost every connection another page
  constexpr std::string_view kPlace = VIRTUALD_BY_HAND;
  constexpr std::size_t kRoom = sizeof path - kPlace.size() - 1;
  std::size_t size = 0;
  if (const ssize_t count = ::readlink("/proc/self/exe", path, kRoom); count > 0) {
    size = static_cast<std::size_t>(count);
  } else {  // without /proc: the name that it was started with
    const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    size = std::min(std::strlen(name), kRoom);
    std::memcpy(path, name, size);
  }
  const std::size_t directory = std::string_view(path, size).rfind('/') + 1;
  std::memcpy(path + directory, kPlace.data(), kPlace.size());
  path[directory + kPlace.size()] = '\0';
  ::execv(path, arguments);
  error.fail_errno("exec", path, errno);
  return fail(error);
}

int run(int count, char** arguments) {
  Options options;
  if (!secure_descriptors(error) || !parse_options(count, arguments, options, error)) {
    open_log();
    return fail(error);
  }
  switch (options.mode) {
    case Mode::serve:
      return serve(options);
    case Mode::enter:
    case Mode::test:
      return execute_by_hand(arguments);
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
