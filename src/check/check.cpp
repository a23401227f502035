#include "virtuald/check/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "virtuald/address.h"
#include "virtuald/check/line_table.h"
#include "virtuald/check/loader.h"
#include "virtuald/check/needs.h"
#include "virtuald/check/trial.h"
#include "virtuald/config.h"
#include "virtuald/error.h"
#include "virtuald/interpreter.h"
#include "virtuald/isolation.h"
#include "virtuald/line_reader.h"
#include "virtuald/log.h"
#include "virtuald/number_text.h"
#include "virtuald/program.h"
#include "virtuald/root.h"
#include "virtuald/trust.h"

namespace virtuald {
namespace {

/// The directories in a root whose contents a service trusts.
constexpr const char* kSystemDirectories[] = {"etc", "lib", "usr", "bin", "sbin", "dev"};

/// Prints the findings of -t, and counts them. Static because of its size.
class Findings {
 public:
  /// Sets the line of `path` that the next findings are about. 0, the initial value, means the file
  /// as a whole; findings then name it themselves.
  void set_line(const char* path, std::size_t line) {
    path_ = path;
    line_ = line;
  }

  void error(std::initializer_list<std::string_view> reason) {
    ++errors_;
    tell("", reason);
  }

  void warning(std::initializer_list<std::string_view> reason) {
    ++warnings_;
    tell("warning: ", reason);
  }

  [[nodiscard]] std::size_t errors() const { return errors_; }

  /// Prints the last line. Returns false if anything could not be printed.
  bool summarize(const char* path, std::size_t entries) {
    const Decimal entry_count(static_cast<long long>(entries));
    const Decimal error_count(static_cast<long long>(errors_));
    const Decimal warning_count(static_cast<long long>(warnings_));
    message_.set({path, ": entries: ", entry_count.text(), ", errors: ", error_count.text(),
                  ", warnings: ", warning_count.text()});
    print_message();
    return !failed_;
  }

 private:
  // Inlined at every finding, it would make the program 7 KiB larger.
  [[gnu::noinline]] void tell(std::string_view kind,
                              std::initializer_list<std::string_view> reason) {
    const Decimal number(static_cast<long long>(line_));
    message_.set({kind});
    if (line_ > 0) {
      message_.set({path_, ":", number.text(), ": ", kind});
    }
    for (const std::string_view part : reason) {
      message_.append(part);
    }
    print_message();
  }

  void print_message() { failed_ = failed_ || !print(message_.text()) || !print("\n"); }

  const char* path_ = nullptr;
  std::size_t line_ = 0;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  bool failed_ = false;  // all zero at first, so that the object takes no space in the file
  Message message_;
};

/// Identifies a file by its device and inode.
Key inode_key(const struct stat& status) {
  return std::bit_cast<Key>(std::array<std::uint64_t, 2>{status.st_dev, status.st_ino});
}

/// The result of looking for the program at one path.
enum class Candidate { good, faulty, missing };

/// Checks one configuration, line after line.
class Check {
 public:
  Check(const CheckRequest& request, LineReader& reader, std::size_t size)
      : request_(request), reader_(reader), addresses_(size), roots_(size) {}

  /// Returns the number of entries.
  std::size_t run(int config);

 private:
  void check_line(const Line& line);
  void check_directory(const Line& line);
  void check_system_directories(int root);
  bool check_file_system(int root);
  void check_isolation(int root);
  void check_program(int root, bool trusted);
  Candidate check_candidate(int root, const char* path, bool trusted, Message& fault);
  void check_libraries(int root, const char* path, bool trusted, InterpreterChain& chain);
  void check_needs(const char* path);

  const CheckRequest& request_;
  LineReader& reader_;
  LineTable addresses_;
  LineTable roots_;
  std::size_t line_number_ = 0;
  std::size_t entries_ = 0;
  std::size_t default_line_ = 0;
  char directory_[kMaxLine + 1];
};

// Static because of their sizes.
Findings findings;
Error error;
Needs needs;

void report_distrust(bool trust_is_optional) {
  if (trust_is_optional) {
    findings.warning({error.text()});
  } else {
    findings.error({error.text()});
  }
}

/// Asks the root's loader which libraries of `path`, or of its last interpreter, are missing.
void Check::check_libraries(int root, const char* path, bool trusted, InterpreterChain& chain) {
  static Bounds bounds;  // Static because of its size.
  LoaderOutcome outcome = LoaderOutcome::untested;
  if (::geteuid() != 0) {
    error.set({"only root can ask its loader"});
  } else if (!trusted) {
    error.set({"its loader could be changed by someone other than root"});
  } else {
    outcome =
        ask_loader(root, chain.interpreter.path, chain.program, needs.has_origin(), bounds, error);
  }
  if (outcome == LoaderOutcome::untested) {
    findings.warning(
        {"shared libraries of ", path, " in ", directory_, " not tested: ", error.text()});
    return;
  }
  if (outcome == LoaderOutcome::failed) {
    findings.error({"exec ", path, " in ", directory_, ": ", error.text()});
    return;
  }
  std::string_view rest = bounds.output();
  for (std::string_view missing = next_missing_library(rest); !missing.empty();
       missing = next_missing_library(rest)) {
    findings.error({"exec ", path, " in ", directory_, ": ", missing});
  }
  needs.add_libraries(bounds.output());
}

/// Warns of what the program lacks once it runs.
void Check::check_needs(const char* path) {
  static Message lack;  // Static because of its size.
  while (needs.next(lack)) {
    findings.warning(
        {path, " in ", directory_, " lacks ", lack.text(), "; virtfs -u -p ", path, " adds it"});
  }
}

/// Checks the program at `path`, and reports findings about it. If it is faulty, only sets `fault`.
Candidate Check::check_candidate(int root, const char* path, bool trusted, Message& fault) {
  const int descriptor = open_in_root(root, path, O_PATH);
  struct stat status {};
  const bool is_there = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!is_there) {
    return Candidate::missing;
  }
  if (!is_executable(status)) {
    fault.set({"exec ", path, " in ", directory_, ": not an executable file, mode ",
               ModeText(status.st_mode).text()});
    return Candidate::faulty;
  }
  static InterpreterChain chain;  // Static because of its size.
  const Interpreters interpreters = follow_interpreters(root, path, chain);
  if (interpreters != Interpreters::usable) {
    fault.set({"exec ", path, " in ", directory_, ": its interpreter ", chain.interpreter.path,
               interpreters == Interpreters::missing
                   ? " is not there"
                   : " cannot be executed (bad mode, or interpreters nested too deep)"});
    return Candidate::faulty;
  }
  char name[PATH_MAX];  // a copy, because the searches below reuse the buffer of `path`
  name[std::string_view(path).copy(name, sizeof name - 1)] = '\0';
  needs.read(root, name, chain.program);
  if (chain.interpreter.kind == ProgramKind::elf_dynamic) {
    check_libraries(root, name, trusted, chain);
  } else if (chain.interpreter.kind == ProgramKind::other) {
    // The kernel may run it nevertheless (binfmt_misc).
    findings.warning({"exec ", name, " in ", directory_, ": ", chain.program,
                      " is neither an ELF program nor a script with a #! line"});
  }
  check_needs(name);
  return Candidate::good;
}

/// Looks for the program as start_program does. If it finds only faulty ones, reports the first.
void Check::check_program(int root, bool trusted) {
  static Message first_fault;  // Static because of their sizes.
  static Message fault;
  bool found = false;
  Candidates candidates(request_.program, kDefaultSearchPath);
  while (const char* path = candidates.next()) {
    const Candidate candidate = check_candidate(root, path, trusted, found ? fault : first_fault);
    if (candidate == Candidate::good) {
      return;
    }
    found = found || candidate == Candidate::faulty;
  }
  if (!found) {
    const bool is_path = std::strchr(request_.program, '/') != nullptr;
    first_fault.set({"exec ", request_.program, " in ", directory_, ": ", std::strerror(ENOENT),
                     is_path ? "" : " on the path ", is_path ? "" : kDefaultSearchPath});
  }
  findings.error({first_fault.text()});
}

/// Warns if someone other than root can change a directory that a service, often root, trusts.
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
      findings.warning({directory_, slash, name, ": owned by uid ", uid.text(), ", mode ",
                        ModeText(status.st_mode).text(),
                        ": it should be owned by root and not writable by anyone else"});
    }
  }
}

/// Returns false if the file system of the root is mounted noexec, so that no program starts there.
bool Check::check_file_system(int root) {
  struct statvfs status {};
  static_cast<void>(::fstatvfs(root, &status));  // does not fail for an open directory
  if ((status.f_flag & ST_NODEV) != 0) {
    findings.warning(
        {directory_, ": on a file system that is mounted nodev: dev/null cannot be opened there"});
  }
  if ((status.f_flag & ST_NOEXEC) != 0) {
    findings.error(
        {directory_, ": on a file system that is mounted noexec: no program starts there"});
  }
  return (status.f_flag & ST_NOEXEC) == 0;
}

void Check::check_isolation(int root) {
  if (::geteuid() == 0 && !try_isolation(root, directory_, reader_, error)) {
    findings.error({error.text()});
  }
}

void Check::check_directory(const Line& line) {
  directory_[line.directory.copy(directory_, kMaxLine)] = '\0';
  const auto [outcome, root] = open_trusted(directory_, Subject::root, error);
  if (outcome == Opened::Outcome::failed) {
    findings.error({error.text()});
    return;
  }
  const bool trusted = outcome == Opened::Outcome::trusted;
  if (!trusted) {
    report_distrust(request_.trust_is_optional);
  }
  struct stat status {};
  if (::fstat(root, &status) != 0 || ::faccessat(root, ".", X_OK, AT_EACCESS) != 0) {
    findings.error({"open ", directory_, ": ", std::strerror(errno)});
  } else {
    // Strangers would reach the host's own files and users through every unlisted address.
    struct stat host {};
    if (line.kind == Line::Kind::fallback && ::stat("/", &host) == 0 &&
        inode_key(status) == inode_key(host)) {
      findings.warning({"default is ", directory_, ": any other address serves the host itself"});
    }
    if (roots_.add(inode_key(status), line_number_) == 0) {
      check_system_directories(root);
      const bool starts_programs = check_file_system(root);
      if (request_.isolates) {
        check_isolation(root);
      }
      if (request_.program != nullptr && starts_programs) {
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
    findings.error({line.culprit, line.reason});
    return;
  }
  ++entries_;
  if (default_line_ != 0) {
    const Decimal number(static_cast<long long>(default_line_));
    findings.warning({"unreachable: line ", number.text(), " is the default"});
  } else if (line.kind == Line::Kind::fallback) {
    default_line_ = line_number_;
  } else if (const std::size_t first = addresses_.add(line.address.bytes, line_number_);
             first != 0) {
    AddressText text;
    const Decimal number(static_cast<long long>(first));
    findings.warning(
        {"unreachable: line ", number.text(), " already has ", format_address(line.address, text)});
  }
  check_directory(line);
}

std::size_t Check::run(int config) {
  reader_.start(config);
  std::string_view lines;
  Line line;
  LineReader::Result result = LineReader::Result::end;
  while ((result = reader_.next(lines)) == LineReader::Result::lines) {
    const char* const end = lines.data() + lines.size();
    for (const char* next = lines.data(); next != end;) {
      next = parse_line(next, line);
      findings.set_line(request_.config, ++line_number_);
      check_line(line);
    }
  }
  const int code = errno;
  findings.set_line(nullptr, 0);
  if (result == LineReader::Result::failed) {
    findings.error({"read ", request_.config, ": ", std::strerror(code)});
  } else if (entries_ == 0 && findings.errors() == 0) {
    findings.warning({request_.config, ": no entry: every connection is refused"});
  }
  return entries_;
}

/// Warns of what -i cannot do on this kernel, whatever the root.
void check_kernel() {
  if (::geteuid() != 0) {
    findings.warning({"-i not tested: only root can isolate"});
    return;
  }
  const int version = find_landlock_version();
  if (version < kLandlockConfinesTracing) {
    findings.warning(
        {"this kernel has no Landlock, or one older than Linux 5.19: a service can "
         "trace and signal processes of its own user outside of its root"});
  } else if (version < kLandlockConfinesSignals) {
    findings.warning(
        {"this kernel's Landlock is older than Linux 6.12: a service can signal "
         "processes of its own user outside of its root"});
  }
}

/// Opens and checks the configuration. Returns the number of entries.
std::size_t check_file(const CheckRequest& request, LineReader& reader) {
  const auto [outcome, config] = open_trusted(request.config, Subject::config, error);
  if (outcome == Opened::Outcome::failed) {
    findings.error({error.text()});
    return 0;
  }
  if (outcome == Opened::Outcome::distrusted) {
    report_distrust(request.trust_is_optional);
  }
  struct stat status {};
  ::fstat(config, &status);
  return Check(request, reader, static_cast<std::size_t>(status.st_size)).run(config);
}

}  // namespace

CheckOutcome check_config(const CheckRequest& request, LineReader& reader) {
  if (request.isolates) {
    check_kernel();
  }
  const std::size_t entries = check_file(request, reader);
  if (!findings.summarize(request.config, entries)) {
    return CheckOutcome::not_reported;
  }
  return findings.errors() == 0 ? CheckOutcome::good : CheckOutcome::errors;
}

}  // namespace virtuald
