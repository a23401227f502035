// -t: what is wrong with a configuration, and with what it names.
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
  good,         // perhaps with warnings: a connection would be served, but hardly as meant
  errors,       // a connection would be refused
  not_reported  // standard output failed, which standard error says
};

/// Prints every fault of every line of `request.config`, in its order: a line
/// `config:line: reason` for errors and `config:line: warning: reason` for warnings; and on the
/// last line their numbers. Nothing is changed and nothing but the dynamic loaders of the roots is
/// run: with a program and as root, each root's own loader is asked, in a child of no other
/// descriptors, whether it finds the program's libraries; with -i and as root, each root is
/// isolated for a moment, in a child. What the program would lack once it runs (needs.h) is a
/// warning.
[[nodiscard]] CheckOutcome check_config(const CheckRequest& request, LineReader& reader);

}  // namespace virtuald
