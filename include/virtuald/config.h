// The configuration file: the grammar of a line, and the look-up of an address.
#pragma once

#include <cstddef>
#include <string_view>

#include "virtuald/address.h"
#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// The longest line that is accepted, without its line end: more than an address and a path of
/// PATH_MAX need.
constexpr std::size_t kMaxLine = LineReader::kMaxKept;

/// A parsed line. See virtuald.conf(5) for the grammar.
struct Line {
  enum class Kind {
    blank,     // nothing, or a comment
    entry,     // `address` gets `directory`
    fallback,  // "default": every address gets `directory`
    fault      // neither; `reason` and `culprit` say why
  };
  Kind kind = Kind::blank;
  Address address;
  std::string_view directory;    // absolute, without white space; points into the parsed text
  std::string_view culprit;      // the offending word, or empty
  const char* reason = nullptr;  // follows `culprit`
};

/// Parses the line at `begin`, which ends in \n, and returns where the next one begins.
[[nodiscard]] const char* parse_line(const char* begin, Line& line);

/// Where an address was found.
struct Match {
  std::size_t line_number = 0;      // counted from 1
  const char* directory = nullptr;  // NUL-terminated, owned by the reader
};

/// Outcome of find_root.
enum class Lookup { found, no_entry, failed };

/// Reads the configuration from `descriptor` up to the first line that matches `address`. A faulty
/// line before it ends the search: a connection must not fall through a broken line to a later one.
/// `path` is for messages. Unless the result is `found`, `error` says why.
[[nodiscard]] Lookup find_root(int descriptor, std::string_view path, const Address& address,
                               LineReader& reader, Match& match, Error& error);

}  // namespace virtuald
