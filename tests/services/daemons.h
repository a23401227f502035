// The daemons of tests/daemons, which tests/run unpacks and does not install.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "must_run.h"

namespace testing_support {

/// Where a package of tests/daemons has `path`. On an older Debian, files of /usr may be outside
/// it.
std::string daemon_path(const std::string& package, const std::string& path);

/// Makes `directory` of the private world writable, with the files that the packages have for it.
void overlay(const std::string& directory, const std::vector<std::string>& packages);

}  // namespace testing_support

/// Skips the test unless these packages are unpacked.
#define NEEDS_PACKAGES(...)                                                      \
  do {                                                                           \
    for (const char* package : {__VA_ARGS__}) {                                  \
      if (!std::filesystem::exists(testing_support::daemon_path(package, ""))) { \
        SKIP_OR_FAIL(std::string("needs the Debian package ") + package +        \
                     ": tests/run unpacks it");                                  \
      }                                                                          \
    }                                                                            \
  } while (false)
