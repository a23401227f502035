#include "virtuald/options.h"

#include <unistd.h>

namespace virtuald {
namespace {

/// What is missing or too much among the operands, or nullptr.
const char* find_operand_fault(const Options& options, int count) {
  const bool has_service_options = options.argument_zero != nullptr || options.user != nullptr;
  if (options.mode == Mode::serve) {
    // Older kernels than 5.18 start a program without even an argument 0; the count is then -1.
    return count < 1    ? "no configuration file given (virtuald -h shows the usage)"
           : count == 1 ? "no program to run given (virtuald -h shows the usage)"
                        : nullptr;
  }
  if (options.mode == Mode::test) {
    return has_service_options      ? "-a and -u do not go with -t"
           : count < 1 || count > 2 ? "-t takes a configuration file and perhaps a program"
                                    : nullptr;
  }
  if (options.mode == Mode::query) {
    return has_service_options || options.isolate ? "-a, -i and -u do not go with -q"
           : count != 2                           ? "-q takes an address and a configuration file"
                                                  : nullptr;
  }
  return count != 0 ? "-V and -h take nothing" : nullptr;
}

}  // namespace

bool parse_options(int count, char** arguments, Options& options, Error& error) {
  ::opterr = 0;
  int mode_options = 0;
  for (int option = 0; (option = ::getopt(count, arguments, "+:iva:u:wtqVh")) != -1;) {
    const char text[] = {'-', static_cast<char>(optopt), '\0'};
    switch (option) {
      case 'i':
        options.isolate = true;
        break;
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
      case 'q':
      case 'V':
      case 'h':
        options.mode = static_cast<Mode>(option);
        ++mode_options;
        break;
      case ':':
        return error.fail({"option ", text, " needs an argument (virtuald -h shows the usage)"});
      default:
        return error.fail({"unknown option ", text, " (virtuald -h shows the usage)"});
    }
  }
  if (mode_options > 1) {
    return error.fail({"only one of -t, -q, -V and -h can be given"});
  }
  options.operands = arguments + optind;
  const char* const fault = find_operand_fault(options, count - optind);
  return fault == nullptr || error.fail({fault});
}

}  // namespace virtuald
