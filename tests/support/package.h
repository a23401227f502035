// Installs virtuald for tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace testing_support {

/// Puts virtuald into `prefix`/bin, and virtuald-by-hand where virtuald looks for it. Returns both
/// paths.
std::vector<std::string> install_programs(const std::filesystem::path& prefix);

/// Makes the Debian package in `directory`, and returns its path. Throws on failure.
std::filesystem::path make_package(const std::filesystem::path& directory);

}  // namespace testing_support
