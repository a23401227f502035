// The user of -u: looked up in the root's own files, and switched to for good.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>

#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// The two halves of user[:group]; `group` is empty if there is none. Views into the option's text.
struct UserSpec {
  std::string_view user;
  std::string_view group;
};

/// The kernel's limit on supplementary groups (linux/limits.h); musl's NGROUPS_MAX is 32.
constexpr std::size_t kMaxGroups = 65536;

/// The IDs that a process switches to. Static because of its size (error.h).
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::size_t group_count = 0;
  gid_t groups[kMaxGroups] = {};  // supplementary, `group_count` of them
};

/// Splits `text`, the argument of -u. Fails on an empty half, a sign, a number that is not a user
/// or group ID ((uid_t)-1 is not), a second colon, and a numeric user without a group.
[[nodiscard]] bool parse_user_spec(std::string_view text, UserSpec& spec, Error& error);

/// Looks up `spec` in /etc/passwd and /etc/group, which are read as text (passwd(5), group(5)),
/// because getpwnam(3) may load code from inside the root. They are opened in the directory `root`
/// (see open_in_root), which is AT_FDCWD after the chroot. `root_name` is for messages.
/// Supplementary groups are those whose member list contains the user's name; a numeric user has
/// none. Fails on an unknown name, a malformed entry for that name, and uid 0.
[[nodiscard]] bool find_identity(const UserSpec& spec, int root, std::string_view root_name,
                                 LineReader& reader, Identity& identity, Error& error);

/// Switches to `identity` with setgroups(2), setgid(2) and setuid(2), then proves that root
/// privileges cannot be regained.
[[nodiscard]] bool become(const Identity& identity, Error& error);

/// Drops the caller's supplementary groups, and sets group 0.
[[nodiscard]] bool drop_groups(Error& error);

/// Splits `line` at its colons into at most `size` fields. Returns how many the line has, which may
/// be more.
std::size_t split_fields(std::string_view line, std::string_view* fields, std::size_t size);

}  // namespace virtuald
