#include "virtuald/check/needs.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "needs_table.h"
#include "virtuald/identity.h"
#include "virtuald/interpreter.h"
#include "virtuald/line_reader.h"
#include "virtuald/program.h"
#include "virtuald/root.h"

namespace virtuald {
namespace {

constexpr std::size_t kMostRead = std::size_t{64} * 1024 * 1024;

/// Real programs contain fewer paths of helpers. A hostile one could contain millions, and each
/// takes a system call.
constexpr int kMostPaths = 4096;

/// Nothing that is looked for is shorter than "$ORIGIN", but most words are. Skipping these halves
/// the time.
constexpr std::size_t kShortestWord = 7;

constexpr std::size_t kNowhere = std::string_view::npos;

/// How many names a program can have through links. The kernel would follow more.
constexpr int kMaxLinks = 8;

constexpr std::string_view kPathCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/";

/// The characters that a name, a path or a run path can consist of.
constexpr auto kInWord = [] {
  std::array<bool, 256> in_word{};
  for (const char character : kPathCharacters) {
    in_word[static_cast<unsigned char>(character)] = true;
  }
  for (const char character : {'$', '{', '}'}) {
    in_word[static_cast<unsigned char>(character)] = true;
  }
  return in_word;
}();

std::string_view take_until(std::string_view& rest, std::string_view ends) {
  const std::size_t end = std::min(rest.find_first_of(ends), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string_view take_field(std::string_view& rest) {
  const std::string_view field = take_until(rest, " ");
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return field;
}

std::string_view last_part(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return path;
}

/// Copies as much as fits.
void copy_text(std::string_view from, char (&to)[PATH_MAX]) {
  to[from.copy(to, PATH_MAX - 1)] = '\0';
}

/// Whether the directory `root` contains the file `name`, or a program `name` on the path.
bool has(int root, const char* name) {
  Candidates candidates(name, kDefaultSearchPath);
  while (const char* path = candidates.next()) {
    const int descriptor = open_in_root(root, path, O_PATH);
    if (descriptor >= 0) {
      ::close(descriptor);
      return true;
    }
  }
  return false;
}

/// Whether `path`, which a domain may have chosen, is below a directory of libraries, without "..".
bool is_of_libraries(std::string_view path) {
  return (path.starts_with("/usr/lib") || path.starts_with("/lib")) && path.find("/.") == kNowhere;
}

/// Whether `path` is a helper program of the host, and not a library, which the loader lists.
bool is_helper(const char* path) {
  const std::string_view name = path;
  struct stat status {};
  return (name.starts_with("/usr/lib/") || name.starts_with("/usr/libexec/")) &&
         is_of_libraries(name) && name.find(".so") == kNowhere &&
         name.find("-linux-") == kNowhere && !name.starts_with("/usr/lib/systemd/") &&
         ::stat(path, &status) == 0 && is_executable(status);
}

}  // namespace

void Texts::add(std::string_view text) {
  for (const char* next = begin(); next != end(); next += std::strlen(next) + 1) {
    if (next == text) {
      return;
    }
  }
  if (text.size() < sizeof text_ - size_) {
    size_ += text.copy(text_ + size_, text.size());
    text_[size_++] = '\0';
  }
}

void Needs::read(int root, const char* program, const char* interpreter) {
  root_ = root;
  budget_ = kMostRead;
  paths_ = kMostPaths;
  rules_ = kNeedsTable;
  has_looked_home_ = false;
  note_calls();
  library_[0] = '\0';
  known_.clear();
  helpers_.clear();
  copy_text(program, program_);
  add_names(program_);
  add_names(interpreter);
  read_words(program_);
  if (std::strcmp(program_, interpreter) != 0) {
    read_words(interpreter);
  }
  helper_ = helpers_.begin();
}

/// Notes which functions the table names.
void Needs::note_calls() {
  std::string_view rules = kNeedsTable;
  for (std::string_view& name : calls_) {
    std::string_view rule;
    while (!rules.empty() && !rule.starts_with('@')) {
      rule = take_until(rules, "\n");
    }
    name = rule.starts_with('@') ? take_field(rule) : "";
  }
}

/// Adds `path` and, if it is a link, the paths that it leads to: rules may name any of them.
void Needs::add_names(const char* path) {
  char name[PATH_MAX];
  copy_text(path, name);
  for (int links = 0; links < kMaxLinks; ++links) {
    known_.add(name);
    const int descriptor = open_in_root(root_, name, O_PATH | O_NOFOLLOW);
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(descriptor, "", target, sizeof target);
    ::close(descriptor);
    const std::size_t before =
        size > 0 && target[0] != '/' ? std::string_view(name).rfind('/') + 1 : 0;
    if (size <= 0 || before + static_cast<std::size_t>(size) >= sizeof name) {
      return;
    }
    std::memcpy(name + before, target, static_cast<std::size_t>(size));
    name[before + static_cast<std::size_t>(size)] = '\0';
  }
}

/// Takes the words in a file, as strings(1) would print them. The last word of each piece is kept
/// for the next piece, where it may continue.
void Needs::read_words(const char* path) {
  constexpr std::size_t kPiece = std::size_t{64} * 1024;
  static char buffer[PATH_MAX + kPiece];  // Static because of its size.
  has_origin_ = false;
  const int descriptor = open_in_root(root_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  std::size_t waiting = 0;
  ssize_t size = 0;
  while (is_file && budget_ > 0 &&
         (size = ::read(descriptor, buffer + waiting, std::min(kPiece, budget_))) > 0) {
    budget_ -= static_cast<std::size_t>(size);
    const char* word = buffer;
    const char* const end = buffer + waiting + size;
    for (const char* next = word; next != end; ++next) {
      if (!kInWord[static_cast<unsigned char>(*next)]) {
        take_word({word, static_cast<std::size_t>(next - word)});
        word = next + 1;
      }
    }
    waiting = std::min<std::size_t>(static_cast<std::size_t>(end - word), PATH_MAX);
    std::memmove(buffer, word, waiting);
  }
  take_word({buffer, waiting});
  ::close(descriptor);
}

void Needs::take_word(std::string_view word) {
  if (word.size() < kShortestWord) {
    return;
  }
  has_origin_ =
      has_origin_ || word.find("$ORIGIN") != kNowhere || word.find("${ORIGIN}") != kNowhere;
  for (const std::string_view name : calls_) {
    if (!name.empty() && name.substr(1) == word) {
      known_.add(name);
    }
  }
  const std::size_t start = word.find("/usr/lib");
  if (start != kNowhere && paths_ > 0) {
    --paths_;
    char path[PATH_MAX];
    word.remove_prefix(start);
    copy_text(word.substr(0, word.find_first_not_of(kPathCharacters)), path);
    if (is_helper(path)) {
      helpers_.add(path);
    }
  }
}

void Needs::add_libraries(std::string_view listing) {
  while (!listing.empty()) {
    std::string_view line = take_until(listing, "\n");
    line.remove_prefix(std::min(line.find('/'), line.size()));
    const std::string_view path = line.substr(0, line.find(" ("));
    known_.add(path);
    if (last_part(path) == "libc.so.6" && is_of_libraries(path)) {
      copy_text(path.substr(0, path.rfind('/')), library_);
    }
  }
}

/// Returns the path or @NAME that `pattern`, the WHO of a rule, matches, or nullptr.
const char* Needs::find_match(std::string_view pattern) const {
  char text[PATH_MAX];
  copy_text(pattern, text);
  for (const char* next = known_.begin(); next != known_.end(); next += std::strlen(next) + 1) {
    if (::fnmatch(text, next, 0) == 0) {
      return next;
    }
  }
  return nullptr;
}

/// Copies `text` to `path`, with values for %lib, %name, which is `name`, and %program.
void Needs::fill_in(std::string_view text, std::string_view name, char (&path)[PATH_MAX]) const {
  const struct {
    std::string_view word;
    std::string_view value;
  } fillings[] = {{"lib", library_}, {"name", name}, {"program", last_part(program_)}};
  std::size_t size = 0;
  const auto put = [&](std::string_view part) {
    size += part.copy(path + size, sizeof path - 1 - size);
  };
  while (!text.empty()) {
    put(take_until(text, "%"));
    for (const auto& filling : fillings) {
      if (text.starts_with(filling.word)) {
        put(filling.value);
        text.remove_prefix(filling.word.size());
        break;
      }
    }
  }
  path[size] = '\0';
}

/// Whether the root lacks every file that `what` names, as in "A|B", although the host has one or
/// `what` is only an empty directory (`is_empty`). False for a pattern: what it names is optional.
bool Needs::is_missing(std::string_view what, std::string_view name, bool is_empty) const {
  bool is_on_host = is_empty;
  while (!what.empty()) {
    char path[PATH_MAX];
    fill_in(take_until(what, "|"), name, path);
    if (std::strpbrk(path, "*[") != nullptr || has(root_, path)) {
      return false;
    }
    is_on_host = is_on_host || has(AT_FDCWD, path);
  }
  return is_on_host;
}

/// Whether the program lacks something that `rule` names. Sets `lack` to it and the rule's reason.
bool Needs::apply(std::string_view rule, Message& lack) const {
  const char* const match = find_match(take_field(rule));
  const std::string_view kind = take_field(rule);
  std::string_view what = take_field(rule);
  if (match == nullptr || rule.empty()) {
    return false;
  }
  bool is_lacking = false;
  while (!what.empty()) {
    std::string_view item = take_until(what, ",");
    const bool is_empty = kind == "place";
    if (is_empty) {
      item = item.substr(0, item.find(':'));
    }
    if (is_missing(item, last_part(match), is_empty)) {
      char path[PATH_MAX];
      fill_in(item.substr(0, item.find('|')), last_part(match), path);
      lack.append(is_lacking ? ", " : "");
      lack.append(path);
      is_lacking = true;
    }
  }
  lack.append(is_lacking ? ": " : "");
  lack.append(is_lacking ? rule : "");
  return is_lacking;
}

/// Whether the root lacks the home directory, in /var, of the account that has the program's name,
/// as many daemons do.
bool Needs::lacks_home(Message& lack) const {
  constexpr std::size_t kFields = 7;
  static LineReader reader;  // Static because of its size.
  const int descriptor = open_in_root(root_, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  std::string_view lines;
  reader.start(descriptor);
  // System accounts are at the beginning of the file, in the first piece.
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
      reader.next(lines) != LineReader::Result::lines) {
    lines = {};
  }
  ::close(descriptor);
  while (!lines.empty()) {
    std::string_view fields[kFields];
    if (split_fields(take_until(lines, "\n"), fields, kFields) == kFields &&
        fields[0] == last_part(program_) && fields[5].starts_with("/var/")) {
      char home[PATH_MAX];
      copy_text(fields[5], home);
      lack.set({home, ": the home directory of its account"});
      return !has(root_, home);
    }
  }
  return false;
}

bool Needs::next(Message& lack) {
  lack.set({});
  while (!rules_.empty()) {
    const std::string_view rule = take_until(rules_, "\n");
    if (!rule.starts_with('#') && apply(rule, lack)) {
      return true;
    }
  }
  while (helper_ != helpers_.end()) {
    const char* const helper = helper_;
    helper_ += std::strlen(helper) + 1;
    if (!has(root_, helper)) {
      lack.set({helper, ": it has the path of that program"});
      return true;
    }
  }
  const bool has_looked = has_looked_home_;
  has_looked_home_ = true;
  return !has_looked && lacks_home(lack);
}

}  // namespace virtuald
