// The service's program: where it may be, becoming it, and why that failed.
#pragma once

#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// Searched where PATH is unset, as under openbsd-inetd: daemons live in sbin.
constexpr std::string_view kDefaultSearchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The files that `name` may mean, one after the other, as execvp(3) tries them: `name` itself if
/// it has a slash, else `name` in each directory of `search_path`, but where that does not fit
/// PATH_MAX.
class Candidates {
 public:
  Candidates(const char* name, std::string_view search_path)
      : name_(name), rest_(search_path), is_path_(name_.find('/') != std::string_view::npos) {}

  /// The next candidate, valid until the next call on any such object; nullptr when there is none
  /// left.
  [[nodiscard]] const char* next();

 private:
  std::string_view name_;
  std::string_view rest_;
  bool is_path_;
  bool finished_ = false;
};

/// Why start_program came back: nothing of that name is there, or it did not start.
enum class Start { missing, failed };

/// Becomes the program `arguments` says, looked for by `name` in `search_path`; the environment
/// stays. Like execvp(3) it goes on to the next directory where a file is missing or may not be
/// executed; unlike it, a file that is not a program is never passed to a shell. `root` is for
/// messages. Returns only on failure, with the reason in `error`.
[[nodiscard]] Start start_program(const char* name, std::string_view search_path,
                                  char* const* arguments, const char* root, Error& error);

}  // namespace virtuald
