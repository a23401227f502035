#include "daemons.h"

#include "paths.h"
#include "world.h"

namespace testing_support {

namespace fs = std::filesystem;

std::string daemon_path(const std::string& package, const std::string& path) {
  const std::string root = std::string(kDaemonDirectory) + "/" + package;
  if (path.starts_with("/usr/") && !fs::exists(root + path) && fs::exists(root + path.substr(4))) {
    return root + path.substr(4);
  }
  return root + path;
}

void overlay(const std::string& directory, const std::vector<std::string>& packages) {
  std::vector<fs::path> layers;
  for (const std::string& package : packages) {
    if (fs::exists(daemon_path(package, directory))) {
      layers.emplace_back(daemon_path(package, directory));
    }
  }
  make_writable(directory, layers);
}

}  // namespace testing_support
