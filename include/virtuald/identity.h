// The user that -u names: read from the root's own files, and become for good.
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

/// The kernel's limit of supplementary groups (linux/limits.h); musl's NGROUPS_MAX is 32.
constexpr std::size_t kMaxGroups = 65536;

/// What a process becomes. Static, by its size (error.h).
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::size_t group_count = 0;
  gid_t groups[kMaxGroups] = {};  // the supplementary ones, `group_count` of them
};

/// Splits `text`, the argument of -u, and refuses what can name no user: an empty half, a sign, a
/// number that is not a user or group ID ((uid_t)-1 is not), and a numeric user without a group.
[[nodiscard]] bool parse_user_spec(std::string_view text, UserSpec& spec, Error& error);

/// Looks `spec` up in /etc/passwd and /etc/group, read as text (passwd(5), group(5)), since
/// getpwnam(3) may load code from inside the root. They are seen from the directory `root` (see
/// open_in_root): AT_FDCWD after the chroot, so that they, and the links to them, are the new
/// root's. `root_name` is for messages. Supplementary groups are those whose member list holds the
/// user's name; a user given as a number has none. Fails on an unknown name, on a malformed entry
/// for that name, and where the user is uid 0.
[[nodiscard]] bool find_identity(const UserSpec& spec, int root, std::string_view root_name,
                                 LineReader& reader, Identity& identity, Error& error);

/// setgroups(2), setgid(2), setuid(2), and then the proof that none of them can be undone.
[[nodiscard]] bool become(const Identity& identity, Error& error);

/// Leaves root without the groups that whoever called it is in.
[[nodiscard]] bool drop_groups(Error& error);

/// Splits `line` at its colons. The number of fields, which may be larger than `size`.
std::size_t split_fields(std::string_view line, std::string_view* fields, std::size_t size);

}  // namespace virtuald
