#include "log_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <regex>
#include <system_error>

namespace testing_support {

LogSocket::LogSocket(const std::filesystem::path& path)
    : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  std::filesystem::remove(path);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind " + path.string());
  }
  // As log daemons do, so that every user can log.
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(0666));
}

LogSocket::~LogSocket() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

std::vector<std::string> LogSocket::take() {
  std::vector<std::string> messages;
  char buffer[65536];
  ssize_t count = 0;
  while ((count = ::recv(socket_.get(), buffer, sizeof buffer, 0)) >= 0) {
    messages.emplace_back(buffer, static_cast<std::size_t>(count));
  }
  return messages;
}

std::string without_prefix(const std::string& message, int priority) {
  const std::regex pattern("<" + std::to_string(priority) + R"(>virtuald\[[0-9]+\]: ([^]*))");
  std::smatch match;
  return std::regex_match(message, match, pattern) ? match[1].str() : message;
}

}  // namespace testing_support
