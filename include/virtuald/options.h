// The command line.
#pragma once

#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// What -h prints.
constexpr std::string_view kUsage =
    "usage: virtuald [-ivw] [-a argv0] [-u user[:group]] config program [argument ...]\n"
    "       virtuald -x [-iw] [-b | -l seconds] [-u user[:group]] root program [argument ...]\n"
    "       virtuald -t [-iw] config [program]\n"
    "       virtuald -q [-w] address config\n"
    "       virtuald -V | -h\n";

enum class Mode { serve, enter = 'x', test = 't', query = 'q', version = 'V', help = 'h' };

struct Options {
  Mode mode = Mode::serve;
  bool verbose = VIRTUALD_VERBOSE_LOG;  // -v
  bool trust_is_optional = false;       // -w
  bool isolate = false;                 // -i
  const char* argument_zero = nullptr;  // -a, or nullptr
  const char* user = nullptr;           // -u, or nullptr
  bool stays = false;                   // -b
  int seconds = 0;                      // -l, or 0 for no limit
  char** operands = nullptr;            // as many as the mode takes, and a program's own
};

/// Options end at the first operand, so a service's own options are never mistaken for virtuald's.
/// Fails on an unknown option, on options that cannot be combined, and on missing or excess
/// operands.
[[nodiscard]] bool parse_options(int count, char** arguments, Options& options, Error& error);

}  // namespace virtuald
