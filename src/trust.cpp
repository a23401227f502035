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

/// A path under construction.
class PathBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return {text_, size_}; }
  void truncate(std::size_t size) { size_ = size; }

  /// False if it does not fit PATH_MAX.
  [[nodiscard]] bool append(std::string_view part) {
    if (part.size() >= sizeof text_ - size_) {
      return false;
    }
    std::memcpy(text_ + size_, part.data(), part.size());
    size_ += part.size();
    return true;
  }

 private:
  std::size_t size_ = 0;
  char text_[PATH_MAX];
};

/// Takes the first component off `path`; empty when there is none left.
std::string_view take_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

/// One walk along a path: a descriptor of where it stands, or AT_FDCWD at its start, and its name
/// for messages.
class Walk {
 public:
  Walk(Subject subject, Error& error, Error& distrust)
      : subject_(subject), error_(error), distrust_(distrust) {}

  /// The descriptor of what `path` names, or -1.
  int run(std::string_view path);

 private:
  bool start(bool absolute);
  bool step(std::string_view component);
  [[gnu::noinline]] bool follow_link(const char* link);  // its buffer is a page that few walks need
  bool check_type();
  void check_trust();
  bool fail(int code);
  void stand_in(int descriptor);
  [[nodiscard]] std::string_view name() const {
    return walked_.view().empty() ? "/" : walked_.view();
  }

  Subject subject_;
  Error& error_;
  Error& distrust_;
  int descriptor_ = AT_FDCWD;
  bool in_root_ = false;  // AT_FDCWD stands for "/", and not for "."
  int links_ = 0;
  struct stat status_ {};
  std::string_view remaining_;  // of the path, or of path_
  PathBuffer walked_;
  char path_[PATH_MAX];  // what a link has made of the path
};

bool Walk::fail(int code) {
  error_.set_errno(subject_ == Subject::root ? "chroot" : "open", name(), code);
  return false;
}

void Walk::stand_in(int descriptor) {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  descriptor_ = descriptor;
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

/// Stands in "/", or in "." for a relative path. Neither needs a descriptor: nobody can put another
/// directory in their place.
bool Walk::start(bool absolute) {
  stand_in(AT_FDCWD);
  in_root_ = absolute;
  walked_.truncate(0);
  if (!absolute && !walked_.append(".")) {
    return fail(ENAMETOOLONG);
  }
  if (::fstatat(AT_FDCWD, absolute ? "/" : ".", &status_, 0) != 0) {
    return fail(errno);
  }
  check_trust();
  return true;
}

/// Puts what the link `link` says before the rest of the path.
bool Walk::follow_link(const char* link) {
  char text[PATH_MAX];
  const ssize_t size = ::readlinkat(descriptor_, link, text, sizeof text);
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
  return text[0] != '/' || start(true);
}

/// Goes on to `component` of the directory it stands in.
bool Walk::step(std::string_view component) {
  const std::size_t length_before = walked_.view().size();
  char name[NAME_MAX + 2];
  name[0] = '/';
  const char* const link = in_root_ ? name : name + 1;
  if (component.size() > NAME_MAX || !walked_.append("/") || !walked_.append(component)) {
    return fail(ENAMETOOLONG);
  }
  name[1 + component.copy(name + 1, NAME_MAX)] = '\0';
  const bool is_last = remaining_.find_first_not_of('/') == std::string_view::npos;
  // A FIFO as a configuration must not block, nor a terminal become ours.
  const int flags =
      is_last && subject_ == Subject::config ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH;
  const int opened = ::openat(descriptor_, link, flags | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0 && errno != ELOOP) {
    return fail(errno);
  }
  // ELOOP is a link where a file was to be read; with O_PATH a link is opened as itself.
  if ((opened < 0 ? ::fstatat(descriptor_, link, &status_, AT_SYMLINK_NOFOLLOW)
                  : ::fstat(opened, &status_)) != 0) {
    return fail(errno);
  }
  check_trust();
  if (S_ISLNK(status_.st_mode)) {
    const bool followed = follow_link(link);
    if (opened >= 0) {
      ::close(opened);
    }
    if (walked_.view().size() > length_before) {
      walked_.truncate(length_before);
    }
    return followed;
  }
  if (opened < 0) {
    return fail(ELOOP);
  }
  stand_in(opened);
  in_root_ = false;
  return true;
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
  bool ok = !path.empty() && path.size() < PATH_MAX ? start(path.front() == '/')
                                                    : fail(path.empty() ? ENOENT : ENAMETOOLONG);
  remaining_ = path;
  while (ok) {
    const std::string_view component = take_component(remaining_);
    if (component.empty()) {
      break;
    }
    ok = component == "." || step(component);
  }
  if (ok && descriptor_ == AT_FDCWD) {
    stand_in(::openat(AT_FDCWD, in_root_ ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    ok = descriptor_ >= 0 || fail(errno);
  }
  if (!ok || !check_type()) {
    stand_in(-1);
  }
  return descriptor_;
}

}  // namespace

int open_trusted(const char* path, Subject subject, Error& error, Error& distrust) {
  return Walk(subject, error, distrust).run(path);
}

}  // namespace virtuald
