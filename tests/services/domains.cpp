#include "domains.h"

#include <sys/stat.h>

#include "files.h"
#include "paths.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

void install(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  fs::permissions(to, fs::perms(0755));
}

/// Makes `directory` writable, with the files that the packages have for it.
void overlay(const std::string& directory, std::vector<std::string> packages) {
  packages.emplace_back("netbase");  // names of services and protocols
  std::vector<fs::path> layers;
  for (const std::string& package : packages) {
    const std::string layer = daemon_path(package, directory);
    if (fs::exists(layer)) {
      layers.emplace_back(layer);
    }
  }
  make_writable(directory, layers);
}

}  // namespace

void make_machine(const std::vector<std::string>& packages) {
  static bool is_made = false;
  if (is_made) {
    return;
  }
  overlay("/usr", packages);
  overlay("/etc", packages);
  for (const Domain& domain : kDomains) {
    add_address(domain.ipv4 + "/32");
    add_address(domain.ipv6 + "/128");
  }
  add_address(std::string(kNobody) + "/32");
  // The HOWTO's lines name both places.
  install(kVirtuald, "/usr/local/bin/virtuald");
  install(kVirtuald, "/usr/bin/virtuald");
  for (const char* service : {"ftp", "pop", "mail", "www"}) {
    const std::string name = std::string("conf.") + service;
    write_file(fs::path("/virtual") / name, read_file(fs::path(kSourceDirectory) / "conf" / name));
  }
  is_made = true;
}

void make_small_roots(const std::vector<std::string>& names) {
  for (const Domain& domain : kDomains) {
    write_file(domain.root() / "name", domain.name);
    for (const std::string& name : names) {
      install(kService, domain.root() / "usr/sbin" / name);
    }
  }
}

std::string daemon_path(const std::string& package, const std::string& path) {
  return std::string(kDaemonDirectory) + "/" + package + path;
}

BackgroundProcess start_inetd(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  write_file("/run/inetd.conf", text);
  Command command;
  command.arguments = {daemon_path("openbsd-inetd", "/usr/sbin/inetd"), "-d", "/run/inetd.conf"};
  return BackgroundProcess(command);
}

}  // namespace testing_support
