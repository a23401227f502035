#include "virtuald/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "virtuald/identity.h"
#include "virtuald/number_text.h"

namespace virtuald {
namespace {

/// As many links as the kernel follows (path_resolution(7)).
constexpr int kMaxLinks = 40;

/// Takes the first component off `path`; empty when there is none left.
std::string_view take_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

/// One walk along a path. Directories on the way are looked at by name, and that is no race: each
/// name is looked up in directories that have been checked before, in which nobody but root can
/// give it another meaning. What stands at the end is opened, and then checked by its descriptor.
class Walk {
 public:
  Walk(Subject subject, Error& error, Error& distrust)
      : subject_(subject), error_(error), distrust_(distrust) {}

  /// The descriptor of what `path` names, or -1.
  int run(std::string_view path);

 private:
  bool start(bool absolute);
  bool append(std::string_view component);
  bool look(bool is_last);
  [[gnu::noinline]] bool follow_link();  // its buffer is a page that few walks need
  bool check_type();
  void check_trust();
  bool fail(int code);
  void close_descriptor();

  /// Where the walk stands.
  [[nodiscard]] const char* name() const { return size_ == 0 ? "/" : walked_; }

  Subject subject_;
  Error& error_;
  Error& distrust_;
  int descriptor_ = -1;
  int links_ = 0;
  struct stat status_ {};
  std::string_view remaining_;  // of the path, or of path_
  std::size_t size_ = 0;        // of walked_
  char walked_[PATH_MAX];       // NUL-terminated; no component of it is a link
  char path_[PATH_MAX];         // what a link has made of the path
};

bool Walk::fail(int code) {
  error_.set_errno(subject_ == Subject::root ? "chroot" : "open", name(), code);
  return false;
}

void Walk::close_descriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

/// Records the first component that somebody else could change.
void Walk::check_trust() {
  // The mode of a link means nothing to the kernel.
  const bool writable = !S_ISLNK(status_.st_mode) && (status_.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if ((status_.st_uid == 0 && !writable) || distrust_) {
    return;
  }
  UserName user;
  const Decimal uid(status_.st_uid);
  distrust_.set({name(), ": owned by ", find_user_name(status_.st_uid, user), " (", uid.text(),
                 "), mode ", ModeText(status_.st_mode).text(),
                 subject_ == Subject::root ? ": a root" : ": a configuration",
                 " must be root's own and writable by nobody else (-w to serve all the same)"});
}

/// Stands in "/", or in "." for a relative path, and looks at it.
bool Walk::start(bool absolute) {
  size_ = absolute ? 0 : 1;
  walked_[0] = '.';
  walked_[size_] = '\0';
  return look(false);
}

bool Walk::append(std::string_view component) {
  if (component.size() + 1 >= sizeof walked_ - size_) {
    return fail(ENAMETOOLONG);
  }
  walked_[size_++] = '/';
  size_ += component.copy(walked_ + size_, component.size());
  walked_[size_] = '\0';
  return true;
}

/// Checks what stands at name(), and opens it if it is the last object.
bool Walk::look(bool is_last) {
  int code = 0;
  if (is_last) {
    // A FIFO as a configuration must not block, nor a terminal become ours. O_DIRECTORY has an
    // automount done.
    const int flags =
        subject_ == Subject::config ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    descriptor_ = ::openat(AT_FDCWD, name(), flags | O_NOFOLLOW | O_CLOEXEC);
    code = descriptor_ < 0 ? errno : 0;
  }
  // A link is refused as ELOOP where a file, and as ENOTDIR where a directory was to be opened.
  if (code != 0 && code != ELOOP && code != ENOTDIR) {
    return fail(code);
  }
  if ((descriptor_ < 0 ? ::lstat(name(), &status_) : ::fstat(descriptor_, &status_)) != 0) {
    return fail(errno);
  }
  check_trust();
  return code == 0 || S_ISLNK(status_.st_mode) || fail(code);
}

/// Puts what the link at name() says before the rest of the path, and stands where the link does.
bool Walk::follow_link() {
  char text[PATH_MAX];
  const ssize_t size = ::readlink(name(), text, sizeof text);
  if (size <= 0) {
    return fail(size < 0 ? errno : ENOENT);
  }
  if (++links_ > kMaxLinks) {
    return fail(ELOOP);
  }
  const auto link_size = static_cast<std::size_t>(size);
  if (link_size + remaining_.size() >= sizeof path_) {
    return fail(ENAMETOOLONG);
  }
  std::memmove(path_ + link_size, remaining_.data(), remaining_.size());
  std::memcpy(path_, text, link_size);
  remaining_ = {path_, link_size + remaining_.size()};
  close_descriptor();
  size_ = std::string_view(walked_, size_).rfind('/');
  walked_[size_] = '\0';
  return text[0] != '/' || start(true);
}

/// The last object must be what was asked for.
bool Walk::check_type() {
  if (subject_ == Subject::root && !S_ISDIR(status_.st_mode)) {
    return fail(ENOTDIR);
  }
  if (subject_ == Subject::config && !S_ISREG(status_.st_mode)) {
    error_.set({"open ", name(), ": not a regular file"});
    return false;
  }
  return true;
}

int Walk::run(std::string_view path) {
  remaining_ = path;
  bool ok = path.empty() ? fail(ENOENT) : start(path.front() == '/');
  while (ok && descriptor_ < 0) {
    const std::string_view component = take_component(remaining_);
    if (component.empty()) {
      ok = look(true) &&
           (descriptor_ >= 0 ||
            fail(ELOOP));  // the path ends where the walk has been already: in "/", "." or ".."
    } else if (component != ".") {
      const bool is_last = remaining_.find_first_not_of('/') == std::string_view::npos;
      ok = append(component) && look(is_last) && (!S_ISLNK(status_.st_mode) || follow_link());
    }
  }
  if (!ok || !check_type()) {
    close_descriptor();
  }
  return descriptor_;
}

}  // namespace

int open_trusted(const char* path, Subject subject, Error& error, Error& distrust) {
  return Walk(subject, error, distrust).run(path);
}

}  // namespace virtuald
