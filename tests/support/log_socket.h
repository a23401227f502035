// A log daemon of the test's own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network.h"

namespace testing_support {

/// Receives what programs send to syslog. In a private world only, since it takes /dev/log.
class LogSocket {
 public:
  explicit LogSocket(const std::filesystem::path& path = "/dev/log");
  ~LogSocket();
  LogSocket(const LogSocket&) = delete;
  LogSocket& operator=(const LogSocket&) = delete;

  [[nodiscard]] int descriptor() const { return socket_.get(); }

  /// The datagrams that have come since the last call, as they came.
  std::vector<std::string> take();

 private:
  std::filesystem::path path_;
  Descriptor socket_;
};

/// `<27>virtuald[123]: text` as `text`; a message that is not virtuald's, or has another priority,
/// as it is, so that comparisons fail.
std::string without_prefix(const std::string& message, int priority = 27);

}  // namespace testing_support
