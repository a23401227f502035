// Look-ups in configurations that tests write.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "files.h"
#include "virtuald/config.h"

namespace virtuald {

/// Looks up `address` in a file that contains `text`: "DIRECTORY from line N", "no entry: MESSAGE"
/// or "failed: MESSAGE". Messages call the file CONFIG.
inline std::string lookup(std::string_view text, const char* address_text) {
  const testing_support::TemporaryDirectory directory;
  testing_support::write_file(directory.path() / "config", text);
  Address address;
  if (!parse_address(address_text, address)) {
    throw std::invalid_argument("not an address");
  }
  const int descriptor = ::open((directory.path() / "config").c_str(), O_RDONLY | O_CLOEXEC);
  static LineReader reader;
  Match match;
  Error error;
  const Lookup outcome = find_root(descriptor, "CONFIG", address, reader, match, error);
  ::close(descriptor);
  switch (outcome) {
    case Lookup::found:
      return std::string(match.directory) + " from line " + std::to_string(match.line_number);
    case Lookup::no_entry:
      return "no entry: " + std::string(error.text());
    case Lookup::failed:
      break;
  }
  return "failed: " + std::string(error.text());
}

}  // namespace virtuald
