#include "config_file.h"

#include <cstdio>

#include "files.h"

namespace bench {
namespace {

std::size_t line_of(const ConfigShape& shape) {
  switch (shape.position) {
    case Position::first:
      return 0;
    case Position::middle:
      return shape.entries / 2;
    case Position::last:
      return shape.entries - 1;
    case Position::none:
      break;
  }
  return shape.entries;
}

/// An entry that matches nothing here.
std::string other_entry(const ConfigShape& shape, std::size_t index) {
  const bool is_ipv6 =
      shape.family == Family::ipv6 || (shape.family == Family::mixed && index % 2 == 1);
  const auto number = static_cast<unsigned>(index);
  char line[96];
  if (is_ipv6) {
    std::snprintf(line, sizeof line, "2001:db8:%x:%x::81 /virtual/customer%07u.example.com\n",
                  number >> 16, number & 0xffff, number);
  } else {
    std::snprintf(line, sizeof line, "10.%u.%u.%u /virtual/customer%07u.example.com\n",
                  number >> 16 & 255, number >> 8 & 255, number & 255, number);
  }
  return line;
}

}  // namespace

void write_config(const std::filesystem::path& path, const ConfigShape& shape,
                  const std::string& address, const std::string& root) {
  const std::size_t match = line_of(shape);
  std::string text;
  for (std::size_t index = 0; index < shape.entries; ++index) {
    text += index == match ? address + " " + root + "\n" : other_entry(shape, index);
  }
  testing_support::write_file(path, text);
}

}  // namespace bench
