#include "virtuald/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "virtuald/number_text.h"

namespace virtuald {
namespace {

/// As many links as the kernel follows (path_resolution(7)).
constexpr int kMaxLinks = 40;

// A link's text, and what it has made of the path. Not on the stack, whose pages every connection
// would pay for: few walks meet a link.
char link_text[PATH_MAX];
char linked_path[PATH_MAX];

/// One walk along a path, which is ended behind one component after the other and handed to the
/// kernel as it stands. Directories on the way are looked at by name, and that is no race: each
/// name is looked up in directories that have been checked before, in which nobody but root can
/// give it another meaning. What stands at the end is opened, and then checked by its descriptor.
class Walk {
 public:
  Walk(char* path, Subject subject, Error& error) : path_(path), subject_(subject), error_(error) {}

  Opened run();

 private:
  bool step(bool is_last);
  bool look(bool is_last);
  bool read_link();
  bool follow_link();
  bool check_type();
  void check_trust();
  bool fail(int code);

  char* path_;
  char* component_ = nullptr;  // of path_, from here
  char* behind_ = nullptr;     // to here
  const char* name_ = "";      // where the walk stands: what path_ is so far
  Subject subject_;
  Error& error_;
  Opened opened_;
  int links_ = 0;
  std::size_t link_size_ = 0;
  struct stat status_ {};
};

bool Walk::fail(int code) {
  error_.set_errno(subject_ == Subject::root ? "chroot" : "open", name_, code);
  return false;
}

/// Records the first component that somebody else could change.
void Walk::check_trust() {
  // The mode of a link means nothing to the kernel.
  const bool writable = !S_ISLNK(status_.st_mode) && (status_.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if ((status_.st_uid == 0 && !writable) || !opened_.trusted) {
    return;
  }
  opened_.trusted = false;
  const Decimal uid(status_.st_uid);
  error_.set({name_, ": owned by uid ", uid.text(), ", mode ", ModeText(status_.st_mode).text(),
              subject_ == Subject::root ? ": a root" : ": a configuration",
              " must be root's own and writable by nobody else (-w to serve all the same)"});
}

/// Checks what stands at name_, and opens it if it is the last object.
bool Walk::look(bool is_last) {
  int code = 0;
  if (is_last) {
    // A FIFO as a configuration must not block, nor a terminal become ours. O_DIRECTORY has an
    // automount done.
    const int flags =
        subject_ == Subject::config ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    opened_.descriptor = ::openat(AT_FDCWD, name_, flags | O_NOFOLLOW | O_CLOEXEC);
    code = opened_.descriptor < 0 ? errno : 0;
  }
  // A link is refused as ELOOP where a file, and as ENOTDIR where a directory was to be opened.
  if (code != 0 && code != ELOOP && code != ENOTDIR) {
    return fail(code);
  }
  if ((opened_.descriptor < 0 ? ::lstat(name_, &status_) : ::fstat(opened_.descriptor, &status_)) !=
      0) {
    return fail(errno);
  }
  check_trust();
  return code == 0 || S_ISLNK(status_.st_mode) || fail(code);
}

/// Goes on to the component that has been taken.
bool Walk::step(bool is_last) {
  const char behind = *behind_;
  *behind_ = '\0';
  name_ = path_;
  const bool ok = look(is_last);
  const bool is_link = ok && S_ISLNK(status_.st_mode);
  const bool has_text = is_link && read_link();
  *behind_ = behind;
  return is_link ? has_text && follow_link() : ok;
}

bool Walk::read_link() {
  const ssize_t size = ::readlink(name_, link_text, sizeof link_text);
  if (size <= 0) {
    return fail(size < 0 ? errno : ENOENT);
  }
  link_size_ = static_cast<std::size_t>(size);
  return ++links_ <= kMaxLinks || fail(ELOOP);
}

/// Puts what the link says in its place in the path, and stands where the link does.
bool Walk::follow_link() {
  const bool is_absolute = link_text[0] == '/';
  const auto kept = is_absolute ? 0 : static_cast<std::size_t>(component_ - path_);
  const std::size_t rest = std::strlen(behind_);
  if (kept + link_size_ + rest >= sizeof linked_path) {
    return fail(ENAMETOOLONG);
  }
  std::memmove(linked_path + kept + link_size_, behind_, rest + 1);
  std::memmove(linked_path, path_, kept);
  std::memcpy(linked_path + kept, link_text, link_size_);
  path_ = linked_path;
  behind_ = linked_path + kept;
  if (!is_absolute) {
    return true;
  }
  name_ = "/";
  return look(false);
}

/// A root is a directory already, as which it was opened.
bool Walk::check_type() {
  if (subject_ == Subject::config && !S_ISREG(status_.st_mode)) {
    error_.set({"open ", name_, ": not a regular file"});
    return false;
  }
  return true;
}

Opened Walk::run() {
  component_ = behind_ = path_;
  bool ok = *path_ != '\0' || fail(ENOENT);
  if (ok) {
    name_ = *path_ == '/' ? "/" : ".";
    ok = look(false);
  }
  while (ok && opened_.descriptor < 0) {
    component_ = behind_ + std::strspn(behind_, "/");
    behind_ = component_ + std::strcspn(component_, "/");
    const std::string_view component(component_, static_cast<std::size_t>(behind_ - component_));
    if (component.empty()) {
      // The path ends where the walk has been already, in "/" or ".".
      name_ = path_;
      ok = look(true) && (opened_.descriptor >= 0 || fail(ELOOP));
    } else if (component != ".") {
      ok = step(behind_[std::strspn(behind_, "/")] == '\0');
    }
  }
  if ((!ok || !check_type()) && opened_.descriptor >= 0) {
    ::close(opened_.descriptor);
    opened_.descriptor = -1;
  }
  return opened_;
}

}  // namespace

Opened open_trusted(char* path, Subject subject, Error& error) {
  return Walk(path, subject, error).run();
}

}  // namespace virtuald
