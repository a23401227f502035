// Skips that cannot go unnoticed.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

/// Skips the test with `reason`; with VIRTUALD_MUST_RUN=1, which requires that nothing is missing,
/// fails it.
#define SKIP_OR_FAIL(reason)                           \
  do {                                                 \
    if (std::getenv("VIRTUALD_MUST_RUN") != nullptr) { \
      FAIL() << "must run, but: " << (reason);         \
    }                                                  \
    GTEST_SKIP() << (reason);                          \
  } while (false)
