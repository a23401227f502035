// Skips that cannot hide.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

/// Leaves the test as skipped with `reason`: or, where VIRTUALD_MUST_RUN=1 says that everything has
/// to be there, as failed.
#define SKIP_OR_FAIL(reason)                           \
  do {                                                 \
    if (std::getenv("VIRTUALD_MUST_RUN") != nullptr) { \
      FAIL() << "must run, but: " << (reason);         \
    }                                                  \
    GTEST_SKIP() << (reason);                          \
  } while (false)
