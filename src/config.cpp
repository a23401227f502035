#include "virtuald/config.h"

#include <cerrno>
#include <cstring>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

// Every line ends in \n, and no word contains one, so no function here needs an end pointer.

bool is_blank(char character) {
  return character == ' ' || character == '\t';
}

/// True at \n and at CR LF.
bool is_line_end(const char* text) {
  return *text == '\n' || (*text == '\r' && text[1] == '\n');
}

const char* skip_blanks(const char* text) {
  while (is_blank(*text)) {
    ++text;
  }
  return text;
}

/// The end of the word at `text`: the first space, tab or other control character. The loop is
/// unrolled once, and faults are marked unlikely below: this finds the last of many lines twice as
/// fast as the HOWTO's program.
const char* skip_word(const char* text) {
  while (static_cast<unsigned char>(text[0]) > ' ' && static_cast<unsigned char>(text[1]) > ' ') {
    text += 2;
  }
  return static_cast<unsigned char>(*text) > ' ' ? text + 1 : text;
}

void set_fault(std::string_view culprit, const char* reason, Line& line) {
  line.kind = Line::Kind::fault;
  line.culprit = culprit;
  line.reason = reason;
}

/// Parses "address directory" or "default directory", and returns its end.
const char* parse_entry(const char* const subject, Line& line) {
  const char* after = scan_address(subject, line.address);
  line.kind = Line::Kind::entry;
  if (after == nullptr || !(is_blank(*after) || is_line_end(after))) [[unlikely]] {
    after = skip_word(subject);
    line.kind = Line::Kind::fallback;
    if (std::string_view(subject, after) != "default") {
      set_fault(std::string_view(subject, after), " is not an address", line);
      return after;
    }
  }
  const char* const directory = skip_blanks(after);
  if (is_line_end(directory)) [[unlikely]] {
    set_fault(std::string_view(subject, after), " has no directory", line);
    return after;
  }
  after = skip_word(directory);
  line.directory = std::string_view(directory, after);
  const char* const rest = skip_blanks(after);
  if (*directory != '/') [[unlikely]] {
    set_fault(line.directory, " is not an absolute directory", line);
  } else if (!is_line_end(rest)) [[unlikely]] {
    set_fault(line.directory, " is followed by more text (a directory cannot contain white space)",
              line);
  }
  return rest;
}

}  // namespace

const char* parse_line(const char* const begin, Line& line) {
  line.kind = Line::Kind::blank;
  const char* end = skip_blanks(begin);
  if (!is_line_end(end) && *end != '#') {
    end = parse_entry(end, line);
  }
  while (*end != '\n') {
    ++end;
  }
  const auto size = static_cast<std::size_t>(end - begin);
  if (size > kMaxLine) {
    set_fault({}, "longer than 4352 bytes", line);
  } else if ((line.kind == Line::Kind::blank || line.kind == Line::Kind::fault) &&
             std::memchr(begin, '\0', size) != nullptr) {
    set_fault({}, "a NUL byte", line);
  }
  return end + 1;
}

Lookup find_root(int descriptor, std::string_view path, const Address& address, LineReader& reader,
                 Match& match, Error& error) {
  reader.start(descriptor);
  match.line_number = 0;
  std::string_view lines;
  Line line;
  LineReader::Result result = LineReader::Result::end;
  while ((result = reader.next(lines)) == LineReader::Result::lines) {
    const char* const end = lines.data() + lines.size();
    for (const char* next = lines.data(); next != end;) {
      next = parse_line(next, line);
      ++match.line_number;
      if (line.kind == Line::Kind::fault) {
        const Decimal number(static_cast<long long>(match.line_number));
        error.set({path, ":", number.text(), ": ", line.culprit, line.reason});
        return Lookup::failed;
      }
      if (line.kind == Line::Kind::fallback ||
          (line.kind == Line::Kind::entry && line.address == address)) {
        match.directory = reader.keep(line.directory);
        return Lookup::found;
      }
    }
  }
  if (result == LineReader::Result::failed) {
    error.fail_errno("read", path, errno);
    return Lookup::failed;
  }
  AddressText address_text;
  error.set({path, ": no entry for ", format_address(address, address_text), ", and no default"});
  return Lookup::no_entry;
}

}  // namespace virtuald
