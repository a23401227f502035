#include "virtuald/check/check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "virtuald/address.h"
#include "virtuald/check/loader.h"
#include "virtuald/config.h"
#include "virtuald/error.h"
#include "virtuald/line_reader.h"
#include "virtuald/number_text.h"
#include "virtuald/program.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

/// Directories that a service trusts with its life.
constexpr const char* kSystemDirectories[] = {"etc", "lib", "usr", "bin", "sbin", "dev"};

using Key = std::array<std::uint8_t, 16>;

/// The line on which each key stands first. Open addressing, at most half full. Its memory is the
/// kernel's, whose zeros are empty slots; malloc(3) would make the program larger, and so slower to
/// start, for this alone.
class LineTable {
 public:
  LineTable() = default;
  ~LineTable() { ::munmap(slots_, capacity_ * sizeof(Slot)); }
  LineTable(const LineTable&) = delete;
  LineTable& operator=(const LineTable&) = delete;

  /// The line that `key` was first added with, or 0 after adding it with `line`. Also 0 if memory
  /// is short: then a repetition is missed.
  std::size_t add(const Key& key, std::size_t line) {
    if (used_ * 2 >= capacity_ && !grow()) {
      return 0;
    }
    Slot& slot = find(slots_, capacity_, key);
    if (slot.line == 0) {
      slot = {key, line};
      ++used_;
      return 0;
    }
    return slot.line;
  }

 private:
  struct Slot {
    Key key;
    std::size_t line;
  };

  static Slot& find(Slot* slots, std::size_t capacity, const Key& key) {
    // IPv4 addresses differ in a few bytes only: each must reach the bits that count (MurmurHash3's
    // finalizer).
    std::uint64_t halves[2];
    std::memcpy(halves, key.data(), sizeof halves);
    std::uint64_t hash = halves[0] * 0x9e3779b97f4a7c15 + halves[1];
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    for (hash ^= hash >> 33;; ++hash) {
      Slot& slot = slots[hash & (capacity - 1)];
      if (slot.line == 0 || slot.key == key) {
        return slot;
      }
    }
  }

  bool grow() {
    const std::size_t capacity = capacity_ == 0 ? 1024 : capacity_ * 2;
    void* const memory = ::mmap(nullptr, capacity * sizeof(Slot), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      return false;
    }
    auto* const slots = static_cast<Slot*>(memory);
    std::for_each(slots_, slots_ + capacity_, [slots, capacity](const Slot& slot) {
      if (slot.line != 0) {
        find(slots, capacity, slot.key) = slot;
      }
    });
    ::munmap(slots_, capacity_ * sizeof(Slot));
    slots_ = slots;
    capacity_ = capacity;
    return true;
  }

  Slot* slots_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
};

/// Counts findings and passes them on.
class Findings {
 public:
  Findings(std::string_view path, void (*report)(std::string_view))
      : path_(path), report_(report) {}

  /// The line that findings are about; 0, as at first, is the file as a whole, which they then name
  /// themselves.
  void set_line(std::size_t line) { line_ = line; }

  void error(std::initializer_list<std::string_view> reason) {
    ++result_.errors;
    tell("", reason);
  }

  void warning(std::initializer_list<std::string_view> reason) {
    ++result_.warnings;
    tell("warning: ", reason);
  }

  CheckResult& result() { return result_; }

 private:
  void tell(std::string_view kind, std::initializer_list<std::string_view> reason) {
    const Decimal number(static_cast<long long>(line_));
    static Error line;
    line.set({kind});
    if (line_ > 0) {
      line.set({path_, ":", number.text(), ": ", kind});
    }
    for (const std::string_view part : reason) {
      line.append(part);
    }
    report_(line.message());
  }

  std::string_view path_;
  void (*report_)(std::string_view);
  std::size_t line_ = 0;
  CheckResult result_;
};

/// The inode that a descriptor or path stands for.
Key inode_key(const struct stat& status) {
  const std::uint64_t numbers[2] = {status.st_dev, status.st_ino};
  Key key;
  std::memcpy(key.data(), numbers, key.size());
  return key;
}

/// Checks one configuration, line after line.
class Check {
 public:
  Check(const CheckRequest& request, void (*report)(std::string_view))
      : request_(request), findings_(request.config, report) {}

  CheckResult run();

 private:
  void check_line(const Line& line);
  void check_directory(const Line& line);
  void check_fallback(const struct stat& status);
  void check_system_directories(int root);
  void check_program(int root, bool trusted);
  bool check_candidate(int root, const char* path, bool trusted);
  void check_libraries(int root, const char* path, bool trusted, InterpreterChain& chain);
  void report_distrust(std::string_view message);

  const CheckRequest& request_;
  Findings findings_;
  LineTable addresses_;
  LineTable roots_;
  std::size_t line_number_ = 0;
  std::size_t default_line_ = 0;
  Error error_;
  char directory_[kMaxLine + 1];
};

void Check::report_distrust(std::string_view message) {
  if (request_.trust_is_optional) {
    findings_.warning({message});
  } else {
    findings_.error({message});
  }
}

/// Asks the root's loader what `path`, or the interpreter that it ends at, would miss.
void Check::check_libraries(int root, const char* path, bool trusted, InterpreterChain& chain) {
  static LoaderAnswer answer;
  static Error reason;
  LoaderOutcome outcome = LoaderOutcome::untested;
  if (::geteuid() != 0) {
    reason.set({"only root can ask its loader"});
  } else if (!trusted) {
    reason.set({"somebody else could change its loader"});
  } else {
    outcome = ask_loader(root, chain.interpreter.path, chain.program, answer, reason);
  }
  if (outcome == LoaderOutcome::untested) {
    findings_.warning(
        {"shared libraries of ", path, " in ", directory_, " not tested: ", reason.message()});
    return;
  }
  if (outcome == LoaderOutcome::failed) {
    findings_.error({"exec ", path, " in ", directory_, ": ", reason.message()});
    return;
  }
  std::string_view rest = answer.view();
  for (std::string_view missing = next_missing_library(rest); !missing.empty();
       missing = next_missing_library(rest)) {
    findings_.error({"exec ", path, " in ", directory_, ": ", missing});
  }
}

/// False if `path` would not be started, so that the search goes on; the first reason stays in
/// `error_`.
bool Check::check_candidate(int root, const char* path, bool trusted) {
  const int descriptor = open_in_root(root, path, O_PATH);
  struct stat status {};
  const bool is_there = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!is_there) {
    return false;
  }
  static InterpreterChain chain;
  static Error reason;
  reason.clear();
  if (!is_executable(status)) {
    reason.set({"exec ", path, " in ", directory_, ": not an executable file, mode ",
                ModeText(status.st_mode).text()});
  } else if (const Interpreters found = follow_interpreters(root, path, chain);
             found != Interpreters::usable) {
    reason.set({"exec ", path, " in ", directory_, ": its interpreter ", chain.interpreter.path,
                found == Interpreters::missing
                    ? " is not there"
                    : " cannot be executed (its mode, or scripts of scripts without end)"});
  } else if (chain.interpreter.kind == ProgramKind::elf_dynamic) {
    check_libraries(root, path, trusted, chain);
  } else if (chain.interpreter.kind == ProgramKind::other) {
    // The host's kernel may know what to do with it all the same (binfmt_misc).
    findings_.warning({"exec ", path, " in ", directory_, ": ", chain.program,
                       " is neither an ELF program nor a script with a #! line"});
  }
  if (reason && !error_) {
    error_ = reason;
  }
  return !reason;
}

void Check::check_program(int root, bool trusted) {
  error_.clear();
  Candidates candidates(request_.program, kDefaultSearchPath);
  while (const char* path = candidates.next()) {
    if (check_candidate(root, path, trusted)) {
      return;
    }
  }
  if (!error_) {
    const bool is_path = std::strchr(request_.program, '/') != nullptr;
    error_.set({"exec ", request_.program, " in ", directory_, ": ", std::strerror(ENOENT),
                is_path ? "" : " on the path ", is_path ? "" : kDefaultSearchPath});
  }
  findings_.error({error_.message()});
}

/// A service runs as root, and believes what stands in these.
void Check::check_system_directories(int root) {
  for (const char* const name : kSystemDirectories) {
    struct stat status {};
    if (::fstatat(root, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    const bool is_link = S_ISLNK(status.st_mode);
    if (status.st_uid != 0 || (!is_link && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
      const Decimal uid(status.st_uid);
      const std::string_view slash = std::strcmp(directory_, "/") == 0 ? "" : "/";
      findings_.warning({directory_, slash, name, ": owned by uid ", uid.text(), ", mode ",
                         ModeText(status.st_mode).text(),
                         ": it should be root's own and writable by nobody else"});
    }
  }
}

/// `default /` gives every stranger what only the host's own users should have.
void Check::check_fallback(const struct stat& status) {
  struct stat host {};
  if (::stat("/", &host) == 0 && inode_key(status) == inode_key(host)) {
    findings_.warning({"default is ", directory_, ": any other address serves the host itself"});
  }
}

void Check::check_directory(const Line& line) {
  *std::copy(line.directory.begin(), line.directory.end(), directory_) = '\0';
  const auto [root, trusted] = open_trusted(directory_, Subject::root, error_);
  if (root < 0) {
    findings_.error({error_.message()});
    return;
  }
  if (!trusted) {
    report_distrust(error_.message());
  }
  struct stat status {};
  if (::fstat(root, &status) != 0 || ::faccessat(root, ".", X_OK, AT_EACCESS) != 0) {
    findings_.error({"open ", directory_, ": ", std::strerror(errno)});
  } else {
    if (line.kind == Line::Kind::fallback) {
      check_fallback(status);
    }
    if (roots_.add(inode_key(status), line_number_) == 0) {
      check_system_directories(root);
      if (request_.program != nullptr) {
        check_program(root, trusted);
      }
    }
  }
  ::close(root);
}

void Check::check_line(const Line& line) {
  if (line.kind == Line::Kind::blank) {
    return;
  }
  if (line.kind == Line::Kind::fault) {
    findings_.error({line.culprit, line.reason});
    return;
  }
  ++findings_.result().entries;
  if (default_line_ != 0) {
    const Decimal number(static_cast<long long>(default_line_));
    findings_.warning({"never reached, for line ", number.text(), " is the default"});
  } else if (line.kind == Line::Kind::fallback) {
    default_line_ = line_number_;
  } else if (const std::size_t first = addresses_.add(line.address.bytes, line_number_);
             first != 0) {
    AddressText text;
    const Decimal number(static_cast<long long>(first));
    findings_.warning({"never reached, for line ", number.text(), " has ",
                       format_address(line.address, text), " already"});
  }
  check_directory(line);
}

CheckResult Check::run() {
  const auto [config, trusted] = open_trusted(request_.config, Subject::config, error_);
  if (config < 0) {
    findings_.error({error_.message()});
    return findings_.result();
  }
  if (!trusted) {
    report_distrust(error_.message());
  }
  static LineReader reader;
  reader.start(config);
  std::string_view text;
  LineReader::Result result = LineReader::Result::end;
  while ((result = reader.next(text)) == LineReader::Result::lines) {
    while (!text.empty()) {
      Line line;
      parse_line(text, line);
      findings_.set_line(++line_number_);
      check_line(line);
    }
  }
  findings_.set_line(0);
  if (result == LineReader::Result::failed) {
    findings_.error({"read ", request_.config, ": ", std::strerror(errno)});
  } else if (findings_.result().entries == 0 && findings_.result().errors == 0) {
    findings_.warning({request_.config, ": no entry: every connection is refused"});
  }
  ::close(config);
  return findings_.result();
}

}  // namespace

CheckResult check_config(const CheckRequest& request, void (*report)(std::string_view line)) {
  return Check(request, report).run();
}

}  // namespace virtuald
