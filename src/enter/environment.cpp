#include "virtuald/enter/environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "virtuald/program.h"
#include "virtuald/root.h"

namespace virtuald {
namespace {

constexpr std::string_view kUserSearchPath = "/usr/local/bin:/usr/bin:/bin";

/// At most this many pieces of a file, each up to LineReader::kPieceSize, are read.
constexpr int kMaxPieces = 64;

constexpr std::size_t kMaxTerm = 64;

/// One NAME=VALUE. Static because of its size.
class Variable {
 public:
  /// Returns false and changes nothing if the value is too long or contains NUL.
  bool set(std::string_view name, std::string_view value) {
    if (name.size() + 1 + value.size() >= sizeof text_ ||
        value.find('\0') != std::string_view::npos) {
      return false;
    }
    char* end = text_ + name.copy(text_, name.size());
    *end++ = '=';
    end[value.copy(end, value.size())] = '\0';
    value_ = end;
    return true;
  }

  [[nodiscard]] char* text() { return text_; }
  [[nodiscard]] const char* value() const { return value_; }

 private:
  const char* value_ = nullptr;
  char text_[4096] = {};
};

struct {
  Variable term;
  Variable home;
  Variable shell;
  Variable path;
  Variable user;
  Variable log_name;
} variables;
char* environment[7];  // ends in nullptr

/// Passes the lines of a regular file to `take` until it returns false.
template <typename Take>
void read_lines(const char* path, LineReader& reader, Take take) {
  const int descriptor = open_in_root(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  bool goes_on = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  reader.start(descriptor);
  std::string_view lines;
  for (int pieces = 0; goes_on && pieces < kMaxPieces; ++pieces) {
    // Reading the rest of a line longer than a piece could take forever: the file may be sparse.
    goes_on =
        reader.next(lines) == LineReader::Result::lines && lines.size() <= LineReader::kPieceSize;
    while (goes_on && !lines.empty()) {
      const std::size_t end = lines.find('\n');
      goes_on = take(lines.substr(0, end));
      lines.remove_prefix(end + 1);
    }
  }
  ::close(descriptor);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kAround = " \t\"";
  text.remove_suffix(text.size() - (text.find_last_not_of(kAround) + 1));
  text.remove_prefix(text.empty() ? 0 : text.find_first_not_of(kAround));
  return text;
}

/// Sets HOME, SHELL, USER and LOGNAME from the first entry of the user or number `wanted`.
void read_passwd(std::string_view wanted, LineReader& reader) {
  constexpr std::size_t kFields = 7;
  const bool is_number = wanted.find_first_not_of("0123456789") == std::string_view::npos;
  read_lines("/etc/passwd", reader, [wanted, is_number](std::string_view line) {
    std::string_view fields[kFields];
    if (split_fields(line, fields, kFields) != kFields || fields[is_number ? 2 : 0] != wanted) {
      return true;
    }
    if (fields[5].starts_with('/')) {
      variables.home.set("HOME", fields[5]);
    }
    if (fields[6].starts_with('/')) {
      variables.shell.set("SHELL", fields[6]);
    }
    if (!fields[0].empty() && variables.user.set("USER", fields[0])) {
      variables.log_name.set("LOGNAME", fields[0]);
    }
    return false;
  });
}

/// Sets PATH from the last line with `key`.
void read_login_defs(std::string_view key, LineReader& reader) {
  read_lines("/etc/login.defs", reader, [key](std::string_view line) {
    line = trim(line);
    const std::string_view name = line.substr(0, line.find_first_of(" \t"));
    if (name == key) {
      line.remove_prefix(name.size());
      line = trim(line);
      constexpr std::string_view kPrefix = "PATH=";
      line.remove_prefix(line.starts_with(kPrefix) ? kPrefix.size() : 0);
      if (!line.empty()) {
        variables.path.set("PATH", line);
      }
    }
    return true;
  });
}

/// Whether `text` is a plain terminal name, not a path or a description, which some libraries
/// accept.
bool is_terminal_name(std::string_view text) {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._";
  return !text.empty() && text.size() <= kMaxTerm &&
         text.find_first_not_of(kCharacters) == std::string_view::npos;
}

}  // namespace

const char* make_environment(const UserSpec* user, LineReader& reader) {
  const char* const term = std::getenv("TERM");
  if (term != nullptr && is_terminal_name(term)) {
    variables.term.set("TERM", term);
  }
  variables.home.set("HOME", "/");
  variables.shell.set("SHELL", "/bin/sh");
  variables.path.set("PATH", user == nullptr ? kDefaultSearchPath : kUserSearchPath);
  variables.user.set("USER", user == nullptr ? "root" : user->user);
  variables.log_name.set("LOGNAME", variables.user.value());
  read_passwd(user == nullptr ? "0" : user->user, reader);
  read_login_defs(user == nullptr ? "ENV_SUPATH" : "ENV_PATH", reader);
  char** next = environment;
  for (Variable* const variable : {&variables.term, &variables.home, &variables.shell,
                                   &variables.path, &variables.user, &variables.log_name}) {
    if (variable->value() != nullptr) {
      *next++ = variable->text();
    }
  }
  environ = environment;
  return variables.path.value();
}

}  // namespace virtuald
