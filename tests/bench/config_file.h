// Configurations of any length.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace bench {

enum class Family { ipv4, ipv6, mixed };

/// The place of the line that matches; `none` if none does.
enum class Position { first, middle, last, none };

struct ConfigShape {
  std::size_t entries = 0;
  Family family = Family::ipv4;
  Position position = Position::last;
};

/// Writes a configuration with `shape.entries` lines to `path`; the one at `shape.position` gives
/// `address` the directory `root`.
void write_config(const std::filesystem::path& path, const ConfigShape& shape,
                  const std::string& address, const std::string& root);

}  // namespace bench
