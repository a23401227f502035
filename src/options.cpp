#include "virtuald/options.h"

#include <unistd.h>

#include <charconv>
#include <string_view>

namespace virtuald {
namespace {

/// Returns what is wrong with the options and operands as a whole, or nullptr.
const char* find_operand_fault(const Options& options, int count) {
  const bool has_service_options = options.argument_zero != nullptr || options.user != nullptr;
  if (options.mode == Mode::enter) {
    return options.argument_zero != nullptr        ? "-a cannot be combined with -x"
           : options.stays && options.seconds != 0 ? "-b and -l cannot be combined"
           : count < 2                             ? "-x takes a root and a program to run in it"
                                                   : nullptr;
  }
  if (options.stays || options.seconds != 0) {
    return "-b and -l need -x";
  }
  if (options.mode == Mode::serve) {
    // Kernels before 5.18 can start a program without even an argument 0; the count is then -1.
    return count < 1    ? "no configuration file given (virtuald -h shows the usage)"
           : count == 1 ? "no program to run given (virtuald -h shows the usage)"
                        : nullptr;
  }
  if (options.mode == Mode::test) {
    return has_service_options      ? "-a and -u cannot be combined with -t"
           : count < 1 || count > 2 ? "-t takes a configuration file and optionally a program"
                                    : nullptr;
  }
  if (options.mode == Mode::query) {
    return has_service_options || options.isolate ? "-a, -i and -u cannot be combined with -q"
           : count != 2                           ? "-q takes an address and a configuration file"
                                                  : nullptr;
  }
  return count != 0 ? "-V and -h take no operands" : nullptr;
}

/// Parses the argument of -l.
bool parse_seconds(std::string_view text, int& seconds) {
  constexpr int kDay = 86400;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return code == std::errc{} && end == text.data() + text.size() && seconds >= 1 && seconds <= kDay;
}

}  // namespace

bool parse_options(int count, char** arguments, Options& options, Error& error) {
  ::opterr = 0;
  int mode_options = 0;
  for (int option = 0; (option = ::getopt(count, arguments, "+:ibva:u:l:wxtqVh")) != -1;) {
    const char text[] = {'-', static_cast<char>(optopt), '\0'};
    switch (option) {
      case 'i':
        options.isolate = true;
        break;
      case 'b':
        options.stays = true;
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
      case 'l':
        if (!parse_seconds(optarg, options.seconds)) {
          return error.fail({"-l ", optarg, ": not a number of seconds, 1 to 86400"});
        }
        break;
      case 'x':
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
    return error.fail({"only one of -x, -t, -q, -V and -h can be given"});
  }
  options.operands = arguments + optind;
  const char* const fault = find_operand_fault(options, count - optind);
  return fault == nullptr || error.fail({fault});
}

}  // namespace virtuald
