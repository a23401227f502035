#include "virtuald/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

/// The kernel's limit on links (path_resolution(7)).
constexpr int kMaxLinks = 40;

// Static because of their sizes: few walks meet a link or a long path.
char link_text[PATH_MAX];
char long_path[PATH_MAX];

/// One walk along a path. Its copy of the path is NUL-terminated after each component in turn and
/// passed to the kernel. Directories on the way are checked by name. This is not a race: each name
/// is looked up in directories that were checked before, where only root can change what it refers
/// to. The last object is opened, then checked by its descriptor.
class Walk {
 public:
  Walk(Subject subject, Message& reason) : subject_(subject), reason_(reason) {}

  Opened run(const char* path);

 private:
  bool walk();
  bool step(bool is_last);
  bool look(const char* name, bool is_last);
  bool read_link();
  bool follow_link();
  void check_trust(const char* name);
  bool fail(const char* name, int code);

  Subject subject_;
  Message& reason_;
  int descriptor_ = -1;
  bool is_trusted_ = true;
  int links_ = 0;
  struct stat status_ {};      // of the last object
  std::size_t component_ = 0;  // where in path_ the current component begins
  std::size_t behind_ = 0;     // and where it ends
  std::size_t link_size_ = 0;
  char* path_ = short_path_;
  char short_path_[256];  // most paths fit, and then cost no extra page
};

bool Walk::fail(const char* name, int code) {
  reason_.set({subject_ == Subject::root ? "chroot " : "open ", name, ": ", std::strerror(code)});
  return false;
}

/// Records the first component that someone other than root could change.
void Walk::check_trust(const char* name) {
  // The kernel ignores the mode of a link.
  const bool writable = !S_ISLNK(status_.st_mode) && (status_.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if ((status_.st_uid == 0 && !writable) || !is_trusted_) {
    return;
  }
  is_trusted_ = false;
  const Decimal uid(status_.st_uid);
  reason_.set({name, ": owned by uid ", uid.text(), ", mode ", ModeText(status_.st_mode).text(),
               subject_ == Subject::root ? ": a root" : ": a configuration",
               " must be owned by root and not writable by anyone else (-w only warns)"});
}

/// Checks `name`, and opens it if it is the last component and not a link.
bool Walk::look(const char* name, bool is_last) {
  int code = 0;
  if (is_last) {
    // A FIFO as a configuration must not block, and a terminal must not become the controlling one.
    // O_DIRECTORY triggers automounts.
    const int flags =
        subject_ == Subject::config ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    descriptor_ = ::openat(AT_FDCWD, name, flags | O_NOFOLLOW | O_CLOEXEC);
    code = descriptor_ < 0 ? errno : 0;
  }
  // For a link, opening a file fails with ELOOP, and opening a directory with ENOTDIR.
  if (code != 0 && code != ELOOP && code != ENOTDIR) {
    return fail(name, code);
  }
  if ((descriptor_ < 0 ? ::lstat(name, &status_) : ::fstat(descriptor_, &status_)) != 0) {
    return fail(name, errno);
  }
  if (descriptor_ >= 0 && subject_ == Subject::config && !S_ISREG(status_.st_mode)) {
    reason_.set({"open ", name, ": not a regular file"});
    return false;
  }
  check_trust(name);
  return code == 0 || S_ISLNK(status_.st_mode) || fail(name, code);
}

/// Checks the current component, and follows it if it is a link.
bool Walk::step(bool is_last) {
  const char behind = path_[behind_];
  path_[behind_] = '\0';
  const bool ok = look(path_, is_last) && (!S_ISLNK(status_.st_mode) || read_link());
  if (ok) {
    path_[behind_] = behind;
  }
  return ok && (!S_ISLNK(status_.st_mode) || follow_link());
}

bool Walk::read_link() {
  const ssize_t size = ::readlink(path_, link_text, sizeof link_text);
  if (size <= 0) {
    return fail(path_, size < 0 ? errno : ENOENT);
  }
  link_size_ = static_cast<std::size_t>(size);
  return ++links_ <= kMaxLinks || fail(path_, ELOOP);
}

/// Replaces the current component, a link, with its target.
bool Walk::follow_link() {
  const bool is_absolute = link_text[0] == '/';
  const std::size_t kept = is_absolute ? 0 : component_;
  const std::size_t rest = std::strlen(path_ + behind_);
  if (kept + link_size_ + rest >= sizeof long_path) {
    return fail(path_, ENAMETOOLONG);
  }
  std::memmove(long_path + kept + link_size_, path_ + behind_, rest + 1);
  std::memmove(long_path, path_, kept);
  std::memcpy(long_path + kept, link_text, link_size_);
  path_ = long_path;
  behind_ = kept;
  return !is_absolute || look("/", false);
}

/// Walks path_ to its end.
bool Walk::walk() {
  if (path_[0] == '\0') {
    return fail("", ENOENT);
  }
  if (!look(path_[0] == '/' ? "/" : ".", false)) {
    return false;
  }
  while (descriptor_ < 0) {
    component_ = behind_ + std::strspn(path_ + behind_, "/");
    behind_ = component_ + std::strcspn(path_ + component_, "/");
    const std::string_view component(path_ + component_, path_ + behind_);
    const bool is_last = path_[behind_ + std::strspn(path_ + behind_, "/")] == '\0';
    // The path ends in "/" or ".", or is one of these: the walk has checked that object already.
    if (component.empty()) {
      return look(path_, true) && (descriptor_ >= 0 || fail(path_, ELOOP));
    }
    if (component != "." && !step(is_last)) {
      return false;
    }
  }
  return true;
}

Opened Walk::run(const char* path) {
  const std::size_t size = ::strnlen(path, sizeof long_path);
  bool ok = size < sizeof long_path || fail(path, ENAMETOOLONG);
  if (ok) {
    path_ = size < sizeof short_path_ ? short_path_ : long_path;
    std::memcpy(path_, path, size + 1);
    ok = walk();
  }
  if (!ok && descriptor_ >= 0) {
    ::close(descriptor_);
  }
  return !ok           ? Opened{Opened::Outcome::failed, -1}
         : is_trusted_ ? Opened{Opened::Outcome::trusted, descriptor_}
                       : Opened{Opened::Outcome::distrusted, descriptor_};
}

}  // namespace

Opened open_trusted(const char* path, Subject subject, Message& reason) {
  return Walk(subject, reason).run(path);
}

}  // namespace virtuald
