#include "contenders.h"

#include <cstdlib>
#include <optional>
#include <sstream>

#include "files.h"
#include "paths.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_on_path(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const fs::path candidate = fs::path(directory) / name;
    if (fs::is_regular_file(candidate)) {
      return candidate;
    }
  }
  return std::nullopt;
}

/// Searches PATH and the packages that tests/run unpacks.
std::optional<fs::path> find_program(const std::string& name) {
  const fs::path unpacked =
      fs::path(testing_support::kDaemonDirectory) / "bubblewrap/usr/bin" / name;
  return fs::exists(unpacked) ? unpacked : find_on_path(name);
}

}  // namespace

Contender load_contender(const std::string& name, Form form, const fs::path& path,
                         const std::vector<std::string>& options) {
  return {name, form, testing_support::read_file(path), options};
}

std::vector<Contender> load_usual_contenders() {
  std::vector<Contender> contenders;
  contenders.push_back(load_contender("the service alone", Form::service, BENCH_NOOP));
  contenders.push_back(load_contender("the limit, no libc", Form::root, BENCH_LIMIT));
  contenders.push_back(load_contender("virtuald", Form::config, BENCH_VIRTUALD));
  contenders.push_back(load_contender("virtuald -i", Form::config, BENCH_VIRTUALD, {"-i"}));
  contenders.push_back(load_contender("virtuald, dynamic", Form::config, BENCH_VIRTUALD_DYNAMIC));
  const struct {
    const char* name;
    Form form;
    const char* program;
    std::vector<std::string> options;
  } kPeers[] = {{"chroot, coreutils", Form::root, "chroot", {}},
                {"chpst -/, runit", Form::root, "chpst", {"-/"}},
                {"tcpd, no root", Form::wrapped, "tcpd", {}},
                // With the namespaces of virtuald -i.
                {"unshare -muiCR, util-linux", Form::root, "unshare", {"-muiCR"}},
                {"bwrap, bubblewrap",
                 Form::bound,
                 "bwrap",
                 {"--unshare-uts", "--unshare-ipc", "--unshare-cgroup", "--bind"}}};
  for (const auto& peer : kPeers) {
    if (const std::optional<fs::path> path = find_program(peer.program)) {
      contenders.push_back(load_contender(peer.name, peer.form, *path, peer.options));
    }
  }
  return contenders;
}

bool makes_root(const Contender& contender) {
  return contender.form == Form::root || contender.form == Form::bound ||
         contender.form == Form::config;
}

void install_contender(Contender& contender, const fs::path& directory) {
  static int count = 0;
  contender.program = directory / std::to_string(++count);
  testing_support::write_program(contender.program, contender.image);
}

Launch launch_of(const Contender& contender, const Place& place) {
  const Form form = contender.form;
  const std::string outside = place.root.string() + place.service;
  const std::string program = contender.program.string();
  if (form == Form::service || form == Form::wrapped) {
    return {form == Form::service ? outside : program, {outside}};
  }
  Launch launch = {program, {program}};
  launch.arguments.insert(launch.arguments.end(), contender.options.begin(),
                          contender.options.end());
  launch.arguments.push_back(form == Form::root || form == Form::bound ? place.root : place.config);
  if (form == Form::bound) {
    launch.arguments.emplace_back("/");
  }
  launch.arguments.push_back(form == Form::reader ? outside : place.service);
  return launch;
}

}  // namespace bench
