// What must hold, whatever the input.
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
