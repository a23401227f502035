// virtuald: gives every local address of a machine a file system of its own.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "virtuald/address.h"
#include "virtuald/check/check.h"
#include "virtuald/config.h"
#include "virtuald/error.h"
#include "virtuald/identity.h"
#include "virtuald/inherited.h"
#include "virtuald/log.h"
#include "virtuald/number_text.h"
#include "virtuald/program.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

// The exit statuses; 125 to 127 are those of chroot(1), env(1) and their like.
constexpr int kOk = 0;
constexpr int kNegative = 1;          // -t: errors; -q: no entry
constexpr int kFailed = 125;          // virtuald itself failed
constexpr int kCannotStart = 126;     // the program is there but does not start
constexpr int kProgramMissing = 127;  // it is not there

constexpr std::string_view kUsage =
    "usage: virtuald [-vw] [-a argv0] [-u user[:group]] config program [argument ...]\n"
    "       virtuald -t [-w] config [program]\n"
    "       virtuald -q [-w] address config\n"
    "       virtuald -V | -h\n";

enum class Mode { serve, test, query, version, help };

struct Options {
  Mode mode = Mode::serve;
  bool verbose = VIRTUALD_VERBOSE_LOG;
  bool trust_is_optional = false;
  const char* argument_zero = nullptr;
  const char* user = nullptr;
  char** operands = nullptr;
  int operand_count = 0;
};

/// All of `text` to standard output; false, said on standard error, if that cannot be.
bool print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0) {
      Error error;
      error.set_errno("write", "standard output", errno);
      write_standard_error(error.message());
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string_view search_path() {
  const char* const path = std::getenv("PATH");
  return path != nullptr ? std::string_view(path) : kDefaultSearchPath;
}

/// Options end at the first operand, so that a service's own are never taken for ours.
bool parse_options(int count, char** arguments, Options& options, Error& error) {
  ::opterr = 0;
  int mode_options = 0;
  const auto set_mode = [&options, &mode_options](Mode mode) {
    options.mode = mode;
    ++mode_options;
  };
  for (int option = 0; (option = ::getopt(count, arguments, "+:va:u:wtqVh")) != -1;) {
    const char text[] = {'-', static_cast<char>(optopt), '\0'};
    switch (option) {
      case 'v':
        options.verbose = true;
        break;
      case 'w':
        options.trust_is_optional = true;
        break;
      case 'a':
        options.argument_zero = optarg;
        break;
      case 'u':
        options.user = optarg;
        break;
      case 't':
        set_mode(Mode::test);
        break;
      case 'q':
        set_mode(Mode::query);
        break;
      case 'V':
        set_mode(Mode::version);
        break;
      case 'h':
        set_mode(Mode::help);
        break;
      case ':':
        error.set({"option ", text, " needs an argument (virtuald -h shows the usage)"});
        return false;
      default:
        error.set({"unknown option ", text, " (virtuald -h shows the usage)"});
        return false;
    }
  }
  options.operands = arguments + optind;
  options.operand_count = count - optind;
  if (mode_options > 1) {
    error.set({"only one of -t, -q, -V and -h can be given"});
    return false;
  }
  return true;
}

/// What is missing or too much among the operands, or nullptr.
const char* find_operand_fault(const Options& options) {
  const int count = options.operand_count;
  const bool has_service_options = options.argument_zero != nullptr || options.user != nullptr;
  switch (options.mode) {
    case Mode::serve:
      // Older kernels than 5.18 start a program without even an argument 0; the count is then -1.
      return count < 1    ? "no configuration file given (virtuald -h shows the usage)"
             : count == 1 ? "no program to run given (virtuald -h shows the usage)"
                          : nullptr;
    case Mode::test:
      return has_service_options      ? "-a and -u do not go with -t"
             : count < 1 || count > 2 ? "-t takes a configuration file and perhaps a program"
                                      : nullptr;
    case Mode::query:
      return has_service_options ? "-a and -u do not go with -q"
             : count != 2        ? "-q takes an address and a configuration file"
                                 : nullptr;
    case Mode::version:
    case Mode::help:
      break;
  }
  return count != 0 ? "-V and -h take nothing" : nullptr;
}

/// Opens what only root may change, or says why not. With -w, distrust is only logged.
int open_or_refuse(char* path, Subject subject, const Options& options, Error& error) {
  const Opened opened = open_trusted(path, subject, error);
  if (opened.descriptor >= 0 && !opened.trusted) {
    if (!options.trust_is_optional) {
      return -1;
    }
    log_message(Priority::warning, error.message());
    error.clear();
  }
  return opened.descriptor;
}

/// -v: one line for each connection.
void log_connection(const Options& options, const Address& local, const Match& match) {
  const char* const config = options.operands[0];
  const char* const program = options.operands[1];
  Address peer;
  std::uint16_t port = 0;
  const bool has_peer = read_peer_address(STDIN_FILENO, peer, port);
  AddressText peer_text;
  AddressText local_text;
  const Decimal port_text(port);
  const Decimal line(static_cast<long long>(match.line_number));
  static Error message;
  message.set({"from ", has_peer ? format_address(peer, peer_text) : "a client that is gone",
               " port ", port_text.text(), " to ", format_address(local, local_text), ": ", config,
               ":", line.text(), ": root ", match.directory, ", program ", program});
  log_message(Priority::info, message.message());
}

int fail(const Error& error, int status = kFailed) {
  log_message(Priority::error, error.message());
  return status;
}

/// One connection, from its socket to its service. Returns only if the service was not started.
int serve(const Options& options) {
  static Error error;
  char* const config = options.operands[0];
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
  if (find_root(config_descriptor, config, local, match, error) != Lookup::found) {
    return fail(error);
  }
  if (options.verbose) {
    log_connection(options, local, match);
  }
  const int root = open_or_refuse(match.directory, Subject::root, options, error);
  if (root < 0 || !enter_root(root, match.directory, error)) {
    return fail(error);
  }
  static Identity identity;
  if (options.user != nullptr &&
      (!find_identity(user, AT_FDCWD, match.directory, identity, error) ||
       !become(identity, error))) {
    return fail(error);
  }
  reset_signals();
  const char* const name = program[0];
  if (options.argument_zero != nullptr) {
    program[0] = const_cast<char*>(options.argument_zero);
  }
  static StartFailure failure;
  start_program(name, search_path(), program, match.directory, failure);
  return fail(failure.error, failure.found ? kCannotStart : kProgramMissing);
}

/// -q: the directory that a connection to an address would get.
int query(const Options& options) {
  static Error error;
  Address address;
  const char* const text = options.operands[0];
  char* const config = options.operands[1];
  if (!parse_address(text, address)) {
    error.set({"-q ", text, ": not an address"});
    return fail(error);
  }
  const int descriptor = open_or_refuse(config, Subject::config, options, error);
  if (descriptor < 0) {
    return fail(error);
  }
  Match match;
  const Lookup outcome = find_root(descriptor, config, address, match, error);
  if (outcome != Lookup::found) {
    return fail(error, outcome == Lookup::no_entry ? kNegative : kFailed);
  }
  return print(match.directory) && print("\n") ? kOk : kFailed;
}

/// What -t has to say, in pieces large enough that a long report costs no more than a short one.
class Report {
 public:
  void add(std::string_view line) {
    if (line.size() + 1 > sizeof text_ - size_) {
      flush();
    }
    size_ += line.copy(text_ + size_, sizeof text_ - 1);
    text_[size_++] = '\n';
  }

  /// False if something could not be printed.
  bool flush() {
    failed_ = failed_ || !print({text_, size_});
    size_ = 0;
    return !failed_;
  }

 private:
  bool failed_ = false;
  std::size_t size_ = 0;
  char text_[2 * Error::kCapacity] = {};
};

/// -t: every fault on a line of its own, and their number on the last.
int test(const Options& options) {
  static Report report;
  const CheckRequest request = {options.operands[0], options.operands[1],
                                options.trust_is_optional};
  const CheckResult result = check_config(request, [](std::string_view line) { report.add(line); });
  static Error summary;
  const Decimal entries(static_cast<long long>(result.entries));
  const Decimal errors(static_cast<long long>(result.errors));
  const Decimal warnings(static_cast<long long>(result.warnings));
  summary.set({request.config, ": entries: ", entries.text(), ", errors: ", errors.text(),
               ", warnings: ", warnings.text()});
  report.add(summary.message());
  if (!report.flush()) {
    return kFailed;
  }
  return result.errors == 0 ? kOk : kNegative;
}

int run(int count, char** arguments) {
  static Error error;
  Options options;
  bool ok = secure_descriptors(error) && parse_options(count, arguments, options, error);
  if (const char* fault = ok ? find_operand_fault(options) : nullptr; fault != nullptr) {
    error.set({fault});
    ok = false;
  }
  if (!ok) {
    open_log();
    return fail(error);
  }
  switch (options.mode) {
    case Mode::serve:
      return serve(options);
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
