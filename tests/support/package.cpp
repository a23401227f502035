#include "package.h"

#include <stdexcept>
#include <string>

#include "paths.h"
#include "process.h"

namespace testing_support {

namespace fs = std::filesystem;

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
