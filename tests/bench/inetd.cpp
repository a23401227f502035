#include "inetd.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <map>
#include <stdexcept>
#include <string>

#include "files.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "service.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

const fs::path kInetd =
    fs::path(testing_support::kDaemonDirectory) / "openbsd-inetd/usr/sbin/inetd";
const fs::path kConfig = "/virtual/inetd.conf";

std::uint16_t port_of(std::size_t index) {
  return static_cast<std::uint16_t>(5000 + index);
}

/// A line whose limit of connections per minute is too high to be reached.
std::string config_line(const Launch& launch, std::uint16_t port) {
  std::string line = std::to_string(port) + " stream tcp4 nowait.1000000 root " + launch.program;
  for (const std::string& argument : launch.arguments) {
    line += " " + argument;
  }
  return line + "\n";
}

/// Makes `connections` to `port`, where inetd starts `name`. Returns the average time of one, in
/// microseconds.
double load(std::uint16_t port, const std::string& name, std::size_t connections) {
  std::atomic<std::size_t> begun = 0;
  const auto be_client = [&] {
    while (begun++ < connections) {
      const std::string answer =
          testing_support::receive_all(testing_support::connect_to("127.0.0.1", port).get());
      if (answer != std::string(1, kAnswer)) {
        throw std::runtime_error(name + ", under inetd: wrong answer: \"" + answer + "\"");
      }
    }
  };
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::future<void>> clients;
  for (std::size_t client = 0; client < kAtATime; ++client) {
    clients.push_back(std::async(std::launch::async, be_client));
  }
  for (std::future<void>& client : clients) {
    client.get();
  }
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
  return time.count() / static_cast<double>(connections);
}

}  // namespace

bool has_inetd() {
  return fs::exists(kInetd);
}

std::vector<Summary> race_under_inetd(const std::vector<const Contender*>& contenders,
                                      const Place& place, std::size_t connections,
                                      std::size_t rounds) {
  std::string config;
  for (std::size_t index = 0; index < contenders.size(); ++index) {
    config += config_line(launch_of(*contenders[index], place), port_of(index));
  }
  testing_support::write_file(kConfig, config);
  testing_support::Command command;
  command.arguments = {kInetd, "-i", kConfig};
  command.environment =
      std::map<std::string, std::string>{{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  const testing_support::BackgroundProcess inetd(command);
  return take_turns(contenders.size(), 1, rounds, [&](std::size_t index) {
    return load(port_of(index), contenders[index]->name, connections);
  });
}

}  // namespace bench
