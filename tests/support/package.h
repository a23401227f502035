// The Debian package.
#pragma once

#include <filesystem>

namespace testing_support {

/// Makes it in `directory`, and returns where it is. Throws if it cannot.
std::filesystem::path make_package(const std::filesystem::path& directory);

}  // namespace testing_support
