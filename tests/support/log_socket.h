// A log daemon for tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network.h"

namespace testing_support {

/// Receives what programs send to syslog. Only for a private world, because it replaces /dev/log.
class LogSocket {
 public:
  explicit LogSocket(const std::filesystem::path& path = "/dev/log");
  ~LogSocket();
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  [[nodiscard]] int descriptor() const { return socket_.get(); }

  /// The datagrams that have arrived since the last call, unchanged.
  std::vector<std::string> take();

 private:
  std::filesystem::path path_;
  Descriptor socket_;
};

/// Returns `text` for `<27>virtuald[123]: text`. Returns a message of another program or priority
/// unchanged, so that comparisons fail.
std::string without_prefix(const std::string& message, int priority = 27);

}  // namespace testing_support
