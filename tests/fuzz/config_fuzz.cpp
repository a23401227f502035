// The configuration's grammar and look-up, compared with a slow and simple parser.
//
// The input: four bytes that choose the layout of the file, the way it is read and the address to
// look up, then its text.

#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "require.h"
#include "virtuald/config.h"

namespace {

using virtuald::Address;
using Kind = virtuald::Line::Kind;

constexpr std::size_t kHeader = 4;
constexpr std::string_view kPath = "/virtual/conf";

/// A line as the manual describes it.
struct PlainLine {
  Kind kind = Kind::fault;
  Address address;
  std::string directory;
};

bool is_blank(char character) {
  return character == ' ' || character == '\t';
}

bool to_address(const std::string& word, Address& address) {
  in_addr ipv4{};
  if (::inet_pton(AF_INET, word.c_str(), &ipv4) == 1) {
    return ::inet_pton(AF_INET6, ("::ffff:" + word).c_str(), address.bytes.data()) == 1;
  }
  return ::inet_pton(AF_INET6, word.c_str(), address.bytes.data()) == 1;
}

PlainLine parse_plainly(std::string text) {
  PlainLine line;
  if (text.size() > virtuald::kMaxLine || text.find('\0') != std::string::npos) {
    return line;
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos || text[first] == '#') {
    line.kind = Kind::blank;
    return line;
  }
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_blank(text[at]) == is_blank(text[end])) {
      ++end;
    }
    if (!is_blank(text[at])) {
      words.push_back(text.substr(at, end - at));
    }
    at = end;
  }
  const auto is_control = [](char character) {
    return static_cast<unsigned char>(character) < ' ';
  };
  if (words.size() != 2 || words[1][0] != '/' ||
      std::any_of(words[1].begin(), words[1].end(), is_control)) {
    return line;
  }
  if (words[0] == "default") {
    line.kind = Kind::fallback;
  } else if (to_address(words[0], line.address)) {
    line.kind = Kind::entry;
  }
  line.directory = words[1];
  return line;
}

std::vector<PlainLine> parse_all_plainly(const std::string& text) {
  std::vector<PlainLine> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(parse_plainly(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

void check_lines(const std::string& text, const std::vector<PlainLine>& expected) {
  const std::string ended = text + (text.empty() || text.ends_with('\n') ? "" : "\n");
  const char* next = ended.data();
  const char* const end = next + ended.size();
  for (const PlainLine& plain : expected) {
    REQUIRE(next < end);
    virtuald::Line line;
    next = virtuald::parse_line(next, line);
    REQUIRE(line.kind == plain.kind);
    REQUIRE(line.kind != Kind::entry || line.address == plain.address);
    REQUIRE((line.kind != Kind::entry && line.kind != Kind::fallback) ||
            line.directory == plain.directory);
    REQUIRE(line.kind != Kind::fault || line.reason != nullptr);
  }
  REQUIRE(next == end);
}

/// Returns a descriptor from which `text` can be read: all at once if `step` is 0; otherwise the
/// first `whole` bytes in large pieces and the rest `step` bytes at a time.
int open_text(const std::string& text, std::size_t whole, std::size_t step) {
  int ends[2];
  if (step > 0 && ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0) {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t size = at < whole ? std::min<std::size_t>(whole - at, 16384) : step;
      const ssize_t sent =
          ::send(ends[0], text.data() + at, std::min(size, text.size() - at), MSG_NOSIGNAL);
      if (sent < 0) {
        break;
      }
      at += static_cast<std::size_t>(sent);
    }
    ::close(ends[0]);
    if (at == text.size()) {
      return ends[1];
    }
    ::close(ends[1]);  // It does not fit into the socket.
  }
  const int file = ::memfd_create("conf", MFD_CLOEXEC);
  REQUIRE(file >= 0 &&
          ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::lseek(file, 0, SEEK_SET);
  return file;
}

void check_lookup(int descriptor, const Address& address, const std::vector<PlainLine>& lines) {
  const auto decides = [&address](const PlainLine& line) {
    return line.kind == Kind::fault || line.kind == Kind::fallback ||
           (line.kind == Kind::entry && line.address == address);
  };
  const auto decisive = std::find_if(lines.begin(), lines.end(), decides);
  const auto number = static_cast<std::size_t>(decisive - lines.begin()) + 1;
  static virtuald::LineReader reader;
  static virtuald::Match match;
  static virtuald::Error error;
  error.set({});
  const virtuald::Lookup outcome =
      virtuald::find_root(descriptor, kPath, address, reader, match, error);
  if (decisive == lines.end()) {
    REQUIRE(outcome == virtuald::Lookup::no_entry);
  } else if (decisive->kind == Kind::fault) {
    REQUIRE(outcome == virtuald::Lookup::failed);
    const std::string place = std::string(kPath) + ":" + std::to_string(number) + ": ";
    REQUIRE(error.text().substr(0, place.size()) == place);
  } else {
    REQUIRE(outcome == virtuald::Lookup::found);
    REQUIRE(match.line_number == number && match.directory == decisive->directory);
  }
  REQUIRE((outcome == virtuald::Lookup::found) == error.text().empty());
  for (const char character : error.text()) {
    REQUIRE(static_cast<unsigned char>(character) >= 0x20 && character != 0x7f);
  }
}

/// Comments of `size` bytes in all, in few lines.
std::string make_padding(std::size_t size) {
  std::string padding;
  while (padding.size() < size) {
    const std::size_t line = std::min<std::size_t>(size - padding.size(), 4096);
    padding += std::string(line - 1, '#') + "\n";
  }
  return padding;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < kHeader) {
    return 0;
  }
  // Moves the text to where pieces of the file meet.
  const std::string padding = make_padding(bytes[0] == 0 ? 0 : 65536U - bytes[1] * 16U);
  const std::string text =
      padding + std::string(reinterpret_cast<const char*>(bytes) + kHeader, size - kHeader);
  const std::vector<PlainLine> lines = parse_all_plainly(text);
  check_lines(text, lines);
  Address address;
  to_address("10.10.10.129", address);
  if (bytes[2] < lines.size()) {
    address = lines[bytes[2]].address;
  }
  const int descriptor = open_text(text, padding.size(), bytes[3]);
  check_lookup(descriptor, address, lines);
  ::close(descriptor);
  return 0;
}
