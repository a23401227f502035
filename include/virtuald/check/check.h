// -t: finds faults in a configuration, and in the roots and programs that it leads to.
#pragma once

#include "virtuald/line_reader.h"

namespace virtuald {

/// What to check.
struct CheckRequest {
  const char* config;
  const char* program;     // to be looked for in every root, on kDefaultSearchPath; or nullptr
  bool trust_is_optional;  // -w: distrust is a warning
  bool isolates;           // -i: also whether the kernel can isolate each root
};

enum class CheckOutcome {
  good,         // perhaps with warnings: connections would be served, but maybe not as intended
  errors,       // some connections would be refused
  not_reported  // standard output could not be written; the reason is on standard error
};

/// Prints the faults in `request.config` in the order of its lines: `config:line: reason` for an
/// error, `config:line: warning: reason` for a warning, and on the last line how many there are.
/// Changes nothing. Run as root, it asks each root's own dynamic loader whether it finds the
/// program's libraries (loader.h), and with -i isolates each root for a moment in a child; it runs
/// nothing else. Whatever the program would lack once it runs (needs.h) is a warning.
[[nodiscard]] CheckOutcome check_config(const CheckRequest& request, LineReader& reader);

}  // namespace virtuald
