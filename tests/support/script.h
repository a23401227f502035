// The scripts, under each shell that they must work in.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "process.h"

namespace testing_support {

/// A test that runs for every shell; GetParam() is the shell. Instantiate it with
/// INSTANTIATE_SHELLS(Name).
class ShellTest : public ::testing::TestWithParam<const char*> {
 public:
  /// `name` (an absolute path, or a name in the source's scripts/bin) with `arguments`, run by the
  /// shell, with the program under test as VIRTUALD.
  [[nodiscard]] Command script(const std::string& name,
                               const std::vector<std::string>& arguments = {}) const;

  /// Runs that command to its end.
  [[nodiscard]] Outcome run_script(const std::string& name,
                                   const std::vector<std::string>& arguments = {}) const;
};

}  // namespace testing_support

#define INSTANTIATE_SHELLS(name)                                               \
  INSTANTIATE_TEST_SUITE_P(Shells, name, ::testing::Values("dash", "busybox"), \
                           [](const auto& shell) { return std::string(shell.param); })
