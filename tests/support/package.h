// What is installed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace testing_support {

/// Puts virtuald into `prefix`/bin, and the program beside it where it looks for that. Returns the
/// paths of both.
std::vector<std::string> install_programs(const std::filesystem::path& prefix);

/// Makes it in `directory`, and returns where it is. Throws if it cannot.
std::filesystem::path make_package(const std::filesystem::path& directory);

}  // namespace testing_support
