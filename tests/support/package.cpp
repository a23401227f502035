#include "package.h"

#include <stdexcept>
#include <string>

#include "paths.h"
#include "process.h"

namespace testing_support {

namespace fs = std::filesystem;

std::vector<std::string> install_programs(const fs::path& prefix) {
  const fs::path program = prefix / "bin" / "virtuald";
  const fs::path beside = program.parent_path() /
                          fs::path(kByHand).lexically_relative(fs::path(kVirtuald).parent_path());
  fs::create_directories(program.parent_path());
  fs::create_directories(beside.lexically_normal().parent_path());
  fs::copy_file(kVirtuald, program);
  fs::copy_file(kByHand, beside.lexically_normal());
  return {program, beside.lexically_normal()};
}

fs::path make_package(const fs::path& directory) {
  const std::string config = std::string(kBuildDirectory) + "/CPackConfig.cmake";
  const Outcome outcome = run({"cpack", "-G", "DEB", "--config", config, "-B", directory.string()});
  if (outcome.status != 0) {
    throw std::runtime_error("cpack: " + outcome.errors);
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".deb") {
      return entry.path();
    }
  }
  throw std::runtime_error("cpack: no package in " + directory.string());
}

}  // namespace testing_support
