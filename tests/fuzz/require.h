// What must hold, whatever the input, and where that cannot be asked.
#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the program, as a fuzzer takes notice of, unless `condition` holds.
#define REQUIRE(condition)                                                                \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

/// Ends the program as skipped with `reason`, which ctest knows by 77: or, where
/// VIRTUALD_MUST_RUN=1 says that everything has to be there, as failed.
[[noreturn]] inline void skip(const char* reason) {
  std::fprintf(stderr, "skipped: %s\n", reason);
  std::exit(std::getenv("VIRTUALD_MUST_RUN") != nullptr ? EXIT_FAILURE : 77);
}
