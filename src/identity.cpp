#include "virtuald/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "virtuald/line_reader.h"
#include "virtuald/number_text.h"
#include "virtuald/root.h"

namespace virtuald {
namespace {

constexpr const char* kPasswd = "/etc/passwd";
constexpr const char* kGroup = "/etc/group";
constexpr std::size_t kPasswdFields = 7;
constexpr std::size_t kGroupFields = 4;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A user or group ID. The largest is refused: to setuid(2)'s family it means "leave as it is".
bool parse_id(std::string_view text, id_t& id) {
  const char* const end = text.data() + text.size();
  return is_number(text) && std::from_chars(text.data(), end, id).ec == std::errc{} &&
         id != std::numeric_limits<id_t>::max();
}

/// Splits `line` at its colons. The number of fields, which may be larger than `size`.
std::size_t split_fields(std::string_view line, std::string_view* fields, std::size_t size) {
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    const std::size_t colon = line.find(':');
    more = colon != std::string_view::npos;
    if (count < size) {
      fields[count] = line.substr(0, colon);
    }
    line.remove_prefix(more ? colon + 1 : line.size());
  }
  return count;
}

/// True if the comma-separated `members` hold `user`.
bool holds_member(std::string_view members, std::string_view user) {
  while (!members.empty()) {
    const std::size_t comma = members.find(',');
    if (members.substr(0, comma) == user) {
      return true;
    }
    members.remove_prefix(comma == std::string_view::npos ? members.size() : comma + 1);
  }
  return false;
}

/// The root whose users they are.
struct Root {
  int descriptor;         // as open_in_root takes it
  std::string_view name;  // what messages put before paths, empty for "/"
};

/// One of the two files, line by line.
class Database {
 public:
  Database(const Root& root, const char* path) : root_(root), path_(path) {}
  ~Database() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool open(Error& error) {
    descriptor_ = open_in_root(root_.descriptor, path_, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      error.set({"open ", root_.name, path_, ": ", std::strerror(errno)});
      return false;
    }
    if (!S_ISREG(status.st_mode)) {
      error.set({"open ", root_.name, path_, ": not a regular file"});
      return false;
    }
    reader_.start(descriptor_);
    return true;
  }

  /// False at the end, and on a failed read, which sets `error`.
  bool next(std::string_view& line, Error& error) {
    if (piece_.empty()) {
      const LineReader::Result result = reader_.next(piece_);
      if (result == LineReader::Result::failed) {
        error.set({"read ", root_.name, path_, ": ", std::strerror(errno)});
      }
      if (result != LineReader::Result::lines) {
        return false;
      }
    }
    ++line_number_;
    const std::size_t line_end = piece_.find('\n');
    line = piece_.substr(0, line_end);
    piece_.remove_prefix(line_end == std::string_view::npos ? piece_.size() : line_end + 1);
    if (line.size() == LineReader::kPieceSize) {
      refuse({"longer than 65536 bytes"}, error);
      return false;
    }
    return true;
  }

  /// `root/path:line: ` and the reason.
  void refuse(std::initializer_list<std::string_view> reason, Error& error) const {
    const Decimal number(static_cast<long long>(line_number_));
    error.set({root_.name, path_, ":", number.text(), ": "});
    for (const std::string_view part : reason) {
      error.append(part);
    }
  }

  /// The file as a whole lacks something.
  void report_missing(std::string_view what, std::string_view name, Error& error) const {
    error.set({root_.name, path_, ": no ", what, " ", name});
  }

 private:
  static LineReader reader_;
  Root root_;
  const char* path_;
  int descriptor_ = -1;
  std::size_t line_number_ = 0;
  std::string_view piece_;
};

LineReader Database::reader_;

/// Fills in uid and primary group of the user called `name`.
bool find_user(std::string_view name, const Root& root, Identity& identity, Error& error) {
  Database passwd(root, kPasswd);
  if (!passwd.open(error)) {
    return false;
  }
  std::string_view line;
  while (passwd.next(line, error)) {
    std::string_view fields[kPasswdFields];
    const std::size_t count = split_fields(line, fields, kPasswdFields);
    if (fields[0] != name) {
      continue;
    }
    if (count != kPasswdFields || !parse_id(fields[2], identity.uid) ||
        !parse_id(fields[3], identity.gid)) {
      passwd.refuse({"malformed entry for ", name}, error);
      return false;
    }
    return true;
  }
  if (!error) {
    passwd.report_missing("user", name, error);
  }
  return false;
}

/// Adds a supplementary group; false if there are too many.
bool add_group(gid_t gid, Identity& identity) {
  if (identity.group_count == kMaxGroups) {
    return false;
  }
  identity.groups[identity.group_count++] = gid;
  return true;
}

/// Reads the group file once: the group called `group`, if one is asked for, becomes the primary
/// one, and those that list `user`, if one is asked for, the supplementary ones.
bool find_groups(std::string_view user, std::string_view group, const Root& root,
                 Identity& identity, Error& error) {
  Database database(root, kGroup);
  if (!database.open(error)) {
    return false;
  }
  bool found = group.empty();
  std::string_view line;
  while (database.next(line, error)) {
    std::string_view fields[kGroupFields];
    const std::size_t count = split_fields(line, fields, kGroupFields);
    const bool is_primary = !found && fields[0] == group;
    const bool is_member = !user.empty() && holds_member(fields[3], user);
    gid_t gid = 0;
    if (!is_primary && !is_member) {
      continue;
    }
    if (count != kGroupFields || !parse_id(fields[2], gid)) {
      database.refuse({"malformed entry for ", fields[0]}, error);
      return false;
    }
    if (is_primary) {
      identity.gid = gid;
      found = true;
    }
    if (is_member && !add_group(gid, identity)) {
      database.refuse({user, " is in too many groups"}, error);
      return false;
    }
  }
  if (!error && !found) {
    database.report_missing("group", group, error);
  }
  return !error;
}

/// What one half of user[:group] cannot be.
bool refuse_half(std::string_view half, std::string_view text, Error& error) {
  id_t id = 0;
  if (half.empty()) {
    error.set({"-u ", text, ": an empty name"});
    return false;
  }
  if (half.front() == '-' || half.front() == '+') {
    error.set({"-u ", text, ": a name or number cannot begin with a sign"});
    return false;
  }
  if (is_number(half) && !parse_id(half, id)) {
    error.set({"-u ", text, ": ", half, " is out of range"});
    return false;
  }
  return true;
}

}  // namespace

bool parse_user_spec(std::string_view text, UserSpec& spec, Error& error) {
  const std::size_t colon = text.find(':');
  const bool has_group = colon != std::string_view::npos;
  spec.user = text.substr(0, colon);
  spec.group = text;
  spec.group.remove_prefix(has_group ? colon + 1 : text.size());
  if (spec.group.find(':') != std::string_view::npos) {
    error.set({"-u ", text, ": more than one colon"});
    return false;
  }
  if (!refuse_half(spec.user, text, error) ||
      (has_group && !refuse_half(spec.group, text, error))) {
    return false;
  }
  if (is_number(spec.user) && !has_group) {
    error.set({"-u ", text, ": a numeric user needs a group too, as in ", text, ":", text});
    return false;
  }
  return true;
}

bool find_identity(const UserSpec& spec, int root_descriptor, std::string_view root_name,
                   Identity& identity, Error& error) {
  const Root root = {root_descriptor, root_name == "/" ? "" : root_name};
  identity.group_count = 0;
  const bool user_is_number = parse_id(spec.user, identity.uid);
  if (!user_is_number && !find_user(spec.user, root, identity, error)) {
    return false;
  }
  if (identity.uid == 0) {
    error.set({"-u ", spec.user, ": is uid 0 in ", root_name, ", and -u is there to leave it"});
    return false;
  }
  const bool group_is_name = !spec.group.empty() && !parse_id(spec.group, identity.gid);
  if (user_is_number && !group_is_name) {
    return true;
  }
  return find_groups(user_is_number ? std::string_view() : spec.user,
                     group_is_name ? spec.group : std::string_view(), root, identity, error);
}

bool become(const Identity& identity, Error& error) {
  const Decimal uid(identity.uid);
  const Decimal gid(identity.gid);
  if (::setgroups(identity.group_count, identity.groups) != 0) {
    error.set_errno("setgroups for uid", uid.text(), errno);
    return false;
  }
  if (::setgid(identity.gid) != 0) {
    error.set_errno("setgid", gid.text(), errno);
    return false;
  }
  if (::setuid(identity.uid) != 0) {
    error.set_errno("setuid", uid.text(), errno);
    return false;
  }
  // Capabilities that outlive setuid (securebits, capabilities(7)) would let these succeed.
  if (::setuid(0) == 0 || ::setgroups(0, nullptr) == 0) {
    error.set({"setuid ", uid.text(), ": root can be had back: not started"});
    return false;
  }
  return true;
}

}  // namespace virtuald
