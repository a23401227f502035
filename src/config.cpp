#include "virtuald/config.h"

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "virtuald/line_reader.h"
#include "virtuald/number_text.h"

namespace virtuald {
namespace {

constexpr std::string_view kDefault = "default";

bool is_blank(char character) {
  return character == ' ' || character == '\t';
}

const char* skip_blanks(const char* text, const char* end) {
  while (text != end && is_blank(*text)) {
    ++text;
  }
  return text;
}

/// The end of the word at `text`: the first space, tab, line end or other control character. Most
/// of a long file is directories, so sixteen bytes are looked at in one step.
inline const char* skip_word(const char* text, const char* end) {
  if constexpr (std::endian::native == std::endian::little) {
    using Block [[gnu::vector_size(16)]] = std::uint8_t;
    using Halves [[gnu::vector_size(16)]] = std::uint64_t;
    for (; end - text >= 16; text += 16) {
      Block block;
      std::memcpy(&block, text, sizeof block);
      // All bits of a byte that ends a word, none of any other.
      const auto found = reinterpret_cast<Halves>(block <= ' ');
      if (found[0] != 0) {
        return text + std::countr_zero(found[0]) / 8;
      }
      if (found[1] != 0) {
        return text + 8 + std::countr_zero(found[1]) / 8;
      }
    }
  }
  while (text != end && static_cast<unsigned char>(*text) > ' ') {
    ++text;
  }
  return text;
}

/// True at \n, at CR LF, and where the text ends.
bool is_line_end(const char* text, const char* end) {
  if (text != end && *text == '\r') {
    ++text;
  }
  return text == end || *text == '\n';
}

const char* find_line_end(const char* text, const char* end) {
  const void* const found = std::memchr(text, '\n', static_cast<std::size_t>(end - text));
  return found != nullptr ? static_cast<const char*>(found) : end;
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Parses "address directory" or "default directory" at `text`, and returns its end. For a fault
/// the return value is of no meaning.
const char* parse_entry(const char* text, const char* end, Line& line) {
  const auto fault = [&line, end](const char* reason, std::string_view culprit) {
    line.kind = Line::Kind::fault;
    line.reason = reason;
    line.culprit = culprit;
    return end;
  };
  const char* after = scan_address(text, end, line.address);
  line.kind = Line::Kind::entry;
  if (after == nullptr || !(is_blank(after == end ? ' ' : *after) || is_line_end(after, end))) {
    after = skip_word(text, end);
    if (between(text, after) != kDefault) {
      return fault(" is not an address", between(text, after));
    }
    line.kind = Line::Kind::fallback;
  }
  const char* const directory = skip_blanks(after, end);
  if (is_line_end(directory, end)) {
    return fault(" has no directory", between(text, after));
  }
  after = skip_word(directory, end);
  line.directory = between(directory, after);
  if (*directory != '/') {
    return fault(" is not an absolute directory", line.directory);
  }
  const char* const rest = skip_blanks(after, end);
  if (!is_line_end(rest, end)) {
    return fault(" is followed by more than a line end (a directory has no white space in it)",
                 line.directory);
  }
  return rest;
}

/// Nearly every line of a long file is an address, a space, a directory and \n. Takes such a line
/// in as few steps as there can be and returns its end; nullptr, to be parsed by the whole grammar,
/// if it is anything else.
const char* parse_plain_entry(const char* text, const char* end, Line& line) {
  const char* const after = scan_address(text, end, line.address);
  if (after == nullptr || end - after < 2 || after[0] != ' ' || after[1] != '/') {
    return nullptr;
  }
  const char* const directory = after + 1;
  const char* const line_end = skip_word(directory, end);
  if (line_end == end || *line_end != '\n') {
    return nullptr;
  }
  line.kind = Line::Kind::entry;
  line.directory = between(directory, line_end);
  return line_end;
}

/// Takes any other line, and returns its end.
const char* parse_any_line(const char* begin, const char* end, Line& line) {
  const char* const first = skip_blanks(begin, end);
  const char* line_end;
  if (is_line_end(first, end)) {
    line.kind = Line::Kind::blank;
    line_end = find_line_end(first, end);
  } else if (*first == '#') {
    line.kind = Line::Kind::blank;
    line_end = find_line_end(first, end);
    if (std::memchr(first, '\0', static_cast<std::size_t>(line_end - first)) != nullptr) {
      line.kind = Line::Kind::fault;
    }
  } else {
    line_end = parse_entry(first, end, line);
    if (line.kind == Line::Kind::fault || line_end == end || *line_end != '\n') {
      line_end = find_line_end(first, end);
    }
  }
  if (line.kind == Line::Kind::fault &&
      std::memchr(begin, '\0', static_cast<std::size_t>(line_end - begin)) != nullptr) {
    line.culprit = {};
    line.reason = "a NUL byte";
  }
  return line_end;
}

/// Parses the line at `begin` and returns where the next one begins.
inline const char* take_line(const char* begin, const char* end, Line& line) {
  const char* line_end = parse_plain_entry(begin, end, line);
  if (line_end == nullptr) {
    line_end = parse_any_line(begin, end, line);
  }
  if (static_cast<std::size_t>(line_end - begin) > kMaxLine) {
    line.kind = Line::Kind::fault;
    line.culprit = {};
    line.reason = "longer than 4352 bytes";
  }
  return line_end != end ? line_end + 1 : end;
}

}  // namespace

void parse_line(std::string_view& text, Line& line) {
  const char* const end = text.data() + text.size();
  text = between(take_line(text.data(), end, line), end);
}

void describe_fault(std::string_view path, std::size_t line_number, const Line& line,
                    Error& error) {
  const Decimal number(static_cast<long long>(line_number));
  error.set({path, ":", number.text(), ": ", line.culprit, line.reason});
}

Lookup find_root(int descriptor, std::string_view path, const Address& address, Match& match,
                 Error& error) {
  static LineReader reader;
  reader.start(descriptor);
  std::size_t line_number = 0;
  std::string_view text;
  Line line;
  LineReader::Result result = LineReader::Result::end;
  while ((result = reader.next(text)) == LineReader::Result::lines) {
    const char* const end = text.data() + text.size();
    for (const char* next = text.data(); next != end;) {
      next = take_line(next, end, line);
      ++line_number;
      if (line.kind == Line::Kind::fault) {
        describe_fault(path, line_number, line, error);
        return Lookup::failed;
      }
      if (line.kind == Line::Kind::fallback ||
          (line.kind == Line::Kind::entry && line.address == address)) {
        match.line_number = line_number;
        match.directory = reader.terminate(line.directory);
        return Lookup::found;
      }
    }
  }
  if (result == LineReader::Result::failed) {
    error.set_errno("read", path, errno);
    return Lookup::failed;
  }
  AddressText address_text;
  error.set({path, ": no entry for ", format_address(address, address_text), ", and no default"});
  return Lookup::no_entry;
}

}  // namespace virtuald
