// -t: what is wrong with a configuration, and with what it names.
#pragma once

#include <cstddef>
#include <string_view>

namespace virtuald {

/// What to check.
struct CheckRequest {
  char* config = nullptr;  // as it was when check_config returns (see open_trusted)
  const char* program =
      nullptr;  // to be looked for in every root, on kDefaultSearchPath; or nullptr
  bool trust_is_optional = false;  // -w: distrust is a warning
};

struct CheckResult {
  std::size_t entries = 0;
  std::size_t errors = 0;    // a connection would be refused
  std::size_t warnings = 0;  // a connection would be served, but hardly as meant
};

/// Reports every fault of every line of `request.config`, in its order, through `report`: one line
/// without its end, `path:line: reason` for errors and `path:line: warning: reason` for warnings.
/// Nothing is changed and nothing but the dynamic loaders of the roots is run: with a program and
/// as root, each root's own loader is asked, in a child of no other descriptors, whether it finds
/// the program's libraries.
[[nodiscard]] CheckResult check_config(const CheckRequest& request,
                                       void (*report)(std::string_view line));

}  // namespace virtuald
