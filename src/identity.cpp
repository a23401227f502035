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

#include "virtuald/number_text.h"
#include "virtuald/root.h"

namespace virtuald {
namespace {

constexpr std::size_t kPasswdFields = 7;
constexpr std::size_t kGroupFields = 4;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A user or group ID. The largest is refused: to setuid(2) and its relatives it can mean "leave
/// unchanged".
bool parse_id(std::string_view text, id_t& id) {
  const char* const end = text.data() + text.size();
  return is_number(text) && std::from_chars(text.data(), end, id).ec == std::errc{} &&
         id != std::numeric_limits<id_t>::max();
}

/// True if the comma-separated `members` contain `user`.
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

/// One of the two files, line by line. `root` is find_identity's.
class Database {
 public:
  Database(int root, std::string_view root_name, const char* path, LineReader& reader)
      : root_(root), root_name_(root_name == "/" ? "" : root_name), path_(path), reader_(reader) {}
  ~Database() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool open(Error& error) {
    descriptor_ = open_in_root(root_, path_, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      return error.fail({"open ", root_name_, path_, ": ", std::strerror(errno)});
    }
    if (!S_ISREG(status.st_mode)) {
      return error.fail({"open ", root_name_, path_, ": not a regular file"});
    }
    reader_.start(descriptor_);
    return true;
  }

  /// Returns a single line; LineReader returns several.
  LineReader::Result next(std::string_view& line, Error& error) {
    using Result = LineReader::Result;
    const Result result = lines_.empty() ? reader_.next(lines_) : Result::lines;
    if (result == Result::failed) {
      error.set({"read ", root_name_, path_, ": ", std::strerror(errno)});
    }
    if (result != Result::lines) {
      return result;
    }
    const std::size_t end = lines_.find('\n');
    line = lines_.substr(0, end);
    lines_.remove_prefix(end + 1);
    ++line_number_;
    const bool fits = end < LineReader::kPieceSize || refuse({"longer than 65536 bytes"}, error);
    return fits ? Result::lines : Result::failed;
  }

  /// Sets the error to `root/path:line: reason`. Returns false.
  bool refuse(std::initializer_list<std::string_view> reason, Error& error) const {
    const Decimal number(static_cast<long long>(line_number_));
    error.set({root_name_, path_, ":", number.text(), ": "});
    for (const std::string_view part : reason) {
      error.append(part);
    }
    return false;
  }

  /// Sets the error to `root/path: no <what> <name>`. Returns false.
  bool refuse_without(std::string_view what, std::string_view name, Error& error) const {
    return error.fail({root_name_, path_, ": no ", what, " ", name});
  }

 private:
  int root_;
  std::string_view root_name_;
  const char* path_;
  LineReader& reader_;
  int descriptor_ = -1;
  std::size_t line_number_ = 0;
  std::string_view lines_;
};

/// Sets uid and primary group from the entry of the user `name`.
bool find_user(std::string_view name, Database& passwd, Identity& identity, Error& error) {
  if (!passwd.open(error)) {
    return false;
  }
  std::string_view line;
  LineReader::Result result = LineReader::Result::end;
  while ((result = passwd.next(line, error)) == LineReader::Result::lines) {
    std::string_view fields[kPasswdFields];
    const std::size_t count = split_fields(line, fields, kPasswdFields);
    if (fields[0] != name) {
      continue;
    }
    return (count == kPasswdFields && parse_id(fields[2], identity.uid) &&
            parse_id(fields[3], identity.gid)) ||
           passwd.refuse({"malformed entry for ", name}, error);
  }
  return result == LineReader::Result::end && passwd.refuse_without("user", name, error);
}

/// Reads the group file once. The group `group`, unless empty, becomes the primary group; those
/// that list `user`, unless empty, become supplementary groups.
bool find_groups(std::string_view user, std::string_view group, Database& database,
                 Identity& identity, Error& error) {
  if (!database.open(error)) {
    return false;
  }
  bool found = group.empty();
  std::string_view line;
  LineReader::Result result = LineReader::Result::end;
  while ((result = database.next(line, error)) == LineReader::Result::lines) {
    std::string_view fields[kGroupFields];
    const std::size_t count = split_fields(line, fields, kGroupFields);
    const bool is_primary = !found && fields[0] == group;
    const bool is_member = !user.empty() && holds_member(fields[3], user);
    gid_t gid = 0;
    if (!is_primary && !is_member) {
      continue;
    }
    if (count != kGroupFields || !parse_id(fields[2], gid)) {
      return database.refuse({"malformed entry for ", fields[0]}, error);
    }
    if (is_primary) {
      identity.gid = gid;
      found = true;
    }
    if (is_member && identity.group_count == kMaxGroups) {
      return database.refuse({user, " is in too many groups"}, error);
    }
    if (is_member) {
      identity.groups[identity.group_count++] = gid;
    }
  }
  return result == LineReader::Result::end &&
         (found || database.refuse_without("group", group, error));
}

/// Fails if `half` cannot be one half of user[:group].
bool check_half(std::string_view half, std::string_view text, Error& error) {
  id_t id = 0;
  if (half.empty()) {
    return error.fail({"-u ", text, ": an empty name"});
  }
  if (half.front() == '-' || half.front() == '+') {
    return error.fail({"-u ", text, ": a name or number cannot begin with a sign"});
  }
  return !is_number(half) || parse_id(half, id) ||
         error.fail({"-u ", text, ": ", half, " is out of range"});
}

}  // namespace

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

bool parse_user_spec(std::string_view text, UserSpec& spec, Error& error) {
  const std::size_t colon = text.find(':');
  const bool has_group = colon != std::string_view::npos;
  spec.user = text.substr(0, colon);
  spec.group = text;
  spec.group.remove_prefix(has_group ? colon + 1 : text.size());
  if (spec.group.find(':') != std::string_view::npos) {
    return error.fail({"-u ", text, ": more than one colon"});
  }
  return check_half(spec.user, text, error) &&
         (!has_group || check_half(spec.group, text, error)) &&
         (!is_number(spec.user) || has_group ||
          error.fail({"-u ", text, ": a numeric user needs a group too, as in ", text, ":", text}));
}

bool find_identity(const UserSpec& spec, int root, std::string_view root_name, LineReader& reader,
                   Identity& identity, Error& error) {
  identity.group_count = 0;
  const bool user_is_number = parse_id(spec.user, identity.uid);
  Database passwd(root, root_name, "/etc/passwd", reader);
  if (!user_is_number && !find_user(spec.user, passwd, identity, error)) {
    return false;
  }
  if (identity.uid == 0) {
    return error.fail(
        {"-u ", spec.user, ": is uid 0 in ", root_name, "; -u must name an unprivileged user"});
  }
  const bool group_is_name = !spec.group.empty() && !parse_id(spec.group, identity.gid);
  if (user_is_number && !group_is_name) {
    return true;
  }
  Database group(root, root_name, "/etc/group", reader);
  return find_groups(user_is_number ? std::string_view() : spec.user,
                     group_is_name ? spec.group : std::string_view(), group, identity, error);
}

bool become(const Identity& identity, Error& error) {
  const Decimal uid(identity.uid);
  const Decimal gid(identity.gid);
  if (::setgroups(identity.group_count, identity.groups) != 0) {
    return error.fail_errno("setgroups for uid", uid.text(), errno);
  }
  if (::setgid(identity.gid) != 0) {
    return error.fail_errno("setgid", gid.text(), errno);
  }
  if (::setuid(identity.uid) != 0) {
    return error.fail_errno("setuid", uid.text(), errno);
  }
  // These succeed if capabilities outlive setuid (securebits, capabilities(7)).
  if (::setuid(0) == 0 || ::setgroups(0, nullptr) == 0) {
    return error.fail({"setuid ", uid.text(), ": root privileges could be regained; not started"});
  }
  return true;
}

bool drop_groups(Error& error) {
  // A user namespace may forbid setgroups, which is harmless if there are no groups to drop.
  if ((::setgroups(0, nullptr) != 0 && ::getgroups(0, nullptr) != 0) || ::setgid(0) != 0) {
    return error.fail_errno("setgroups for uid", "0", errno);
  }
  return true;
}

}  // namespace virtuald
