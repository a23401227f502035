// The configuration file: one line's grammar, and the look-up of an address.
#pragma once

#include <cstddef>
#include <string_view>

#include "virtuald/address.h"
#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// The longest line that is taken, without its end: a path of PATH_MAX and an address with room to
/// spare.
constexpr std::size_t kMaxLine = LineReader::kMaxKept;

/// What one line says. See virtuald.conf(5) for the grammar.
struct Line {
  enum class Kind {
    blank,     // nothing, or a comment
    entry,     // `address` gets `directory`
    fallback,  // "default": every address gets `directory`
    fault      // neither; `reason` and `culprit` say why
  };
  Kind kind = Kind::blank;
  Address address;
  std::string_view directory;    // absolute, without white space; into the parsed text
  std::string_view culprit;      // the word that is wrong, or empty
  const char* reason = nullptr;  // follows `culprit`
};

/// Parses the line at `begin`, which ends in \n, and returns where the next one begins.
[[nodiscard]] const char* parse_line(const char* begin, Line& line);

/// Where an address was found.
struct Match {
  std::size_t line_number = 0;      // counted from 1
  const char* directory = nullptr;  // ended by NUL, kept by the reader
};

/// Outcome of find_root.
enum class Lookup { found, no_entry, failed };

/// Reads the configuration on `descriptor` from its beginning to the first line that matches
/// `address`, no further. A faulty line before that ends the search: no connection may fall through
/// a broken line to a later one. `path` is for messages. On anything but `found`, `error` says why.
[[nodiscard]] Lookup find_root(int descriptor, std::string_view path, const Address& address,
                               LineReader& reader, Match& match, Error& error);

}  // namespace virtuald
