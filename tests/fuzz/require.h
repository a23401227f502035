// Checks for fuzz targets, and skips.
#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the program in a way that a fuzzer notices, unless `condition` holds.
#define REQUIRE(condition)                                                                \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

/// Ends the program as skipped, with `reason` and status 77, which ctest knows; with
/// VIRTUALD_MUST_RUN=1, which requires that nothing is missing, as failed.
[[noreturn]] inline void skip(const char* reason) {
  std::fprintf(stderr, "skipped: %s\n", reason);
  std::exit(std::getenv("VIRTUALD_MUST_RUN") != nullptr ? EXIT_FAILURE : 77);
}
