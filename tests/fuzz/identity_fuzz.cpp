// The user of -u and the readers of passwd and group, compared with slow and simple ones.
//
// The input: the option's argument on a line of its own, then passwd, a line "--", and group.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files.h"
#include "require.h"
#include "virtuald/identity.h"

namespace {

using Strings = std::vector<std::string>;
constexpr std::uint64_t kNoId = 0xffff'ffff;

/// A root whose etc/passwd and etc/group can be given new text.
class FakeRoot {
 public:
  FakeRoot() {
    testing_support::write_file(directory_.path() / "etc/passwd", "");
    testing_support::write_file(directory_.path() / "etc/group", "");
    passwd_ = ::open((directory_.path() / "etc/passwd").c_str(), O_WRONLY | O_CLOEXEC);
    group_ = ::open((directory_.path() / "etc/group").c_str(), O_WRONLY | O_CLOEXEC);
    descriptor_ = ::open(directory_.path().c_str(), O_PATH | O_CLOEXEC);
    REQUIRE(passwd_ >= 0 && group_ >= 0 && descriptor_ >= 0);
  }

  void fill(const std::string& passwd, const std::string& group) const {
    put(passwd_, passwd);
    put(group_, group);
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  static void put(int file, const std::string& text) {
    REQUIRE(::ftruncate(file, 0) == 0 &&
            ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }

  testing_support::TemporaryDirectory directory_;
  int passwd_ = -1;
  int group_ = -1;
  int descriptor_ = -1;
};

Strings split(const std::string& text, char at) {
  Strings parts(1);
  for (const char character : text) {
    if (character == at) {
      parts.emplace_back();
    } else {
      parts.back() += character;
    }
  }
  return parts;
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char digit) { return digit >= '0' && digit <= '9'; });
}

std::optional<std::uint32_t> to_id(const std::string& text) {
  if (!is_number(text)) {
    return {};
  }
  std::uint64_t value = 0;
  for (const char digit : text) {
    value = std::min(value * 10 + static_cast<std::uint64_t>(digit - '0'), kNoId);
  }
  return value < kNoId ? std::optional(static_cast<std::uint32_t>(value)) : std::nullopt;
}

struct PlainIdentity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
};

bool is_half(const std::string& half) {
  return !half.empty() && half[0] != '-' && half[0] != '+' && (!is_number(half) || to_id(half));
}

/// The option's halves, or nothing if they must be refused.
std::optional<Strings> split_plainly(const std::string& option) {
  Strings halves = split(option, ':');
  if (halves.size() > 2 || !std::all_of(halves.begin(), halves.end(), is_half) ||
      (halves.size() == 1 && to_id(halves[0]))) {
    return {};
  }
  return halves;
}

bool find_user_plainly(const std::string& name, const std::string& passwd,
                       PlainIdentity& identity) {
  for (const std::string& line : split(passwd, '\n')) {
    const Strings fields = split(line, ':');
    if (fields[0] == name) {
      if (fields.size() != 7 || !to_id(fields[2]) || !to_id(fields[3])) {
        return false;
      }
      identity.uid = *to_id(fields[2]);
      identity.gid = *to_id(fields[3]);
      return true;
    }
  }
  return false;
}

/// The primary group is the first of its name; every line that lists the user counts.
bool find_groups_plainly(const std::string& user, const std::string& name, const std::string& group,
                         PlainIdentity& identity) {
  bool found = name.empty();
  for (const std::string& line : split(group, '\n')) {
    const Strings fields = split(line, ':');
    const bool is_primary = !found && fields[0] == name;
    const Strings members = fields.size() > 3 ? split(fields[3], ',') : Strings();
    const bool is_member =
        !user.empty() && std::find(members.begin(), members.end(), user) != members.end();
    if (!is_primary && !is_member) {
      continue;
    }
    if (fields.size() != 4 || !to_id(fields[2])) {
      return false;
    }
    if (is_primary) {
      identity.gid = *to_id(fields[2]);
      found = true;
    }
    if (is_member) {
      identity.groups.push_back(*to_id(fields[2]));
    }
  }
  return found;
}

std::optional<PlainIdentity> find_plainly(const Strings& halves, const std::string& passwd,
                                          const std::string& group) {
  PlainIdentity identity;
  const std::string& user = halves[0];
  const bool is_named = !to_id(user);
  if (!is_named) {
    identity.uid = *to_id(user);
  } else if (!find_user_plainly(user, passwd, identity)) {
    return {};
  }
  const std::string name = halves.size() == 2 && !to_id(halves[1]) ? halves[1] : "";
  if (halves.size() == 2 && name.empty()) {
    identity.gid = *to_id(halves[1]);
  }
  if (identity.uid == 0 || !find_groups_plainly(is_named ? user : "", name, group, identity)) {
    return {};
  }
  return identity;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(bytes), size);
  const std::string option = input.substr(0, input.find('\n'));
  const std::string files = input.substr(std::min(option.size() + 1, input.size()));
  const std::size_t mark = files.find("--\n");
  const std::string passwd = files.substr(0, mark);
  const std::string group = mark == std::string::npos ? "" : files.substr(mark + 3);
  // qemu's user mode may lack openat2(2).
  static const bool has_openat2 =
      ::syscall(SYS_openat2, -1, "", nullptr, 0) >= 0 || errno != ENOSYS;
  if (!has_openat2) {
    skip("needs openat2(2)");
  }
  static const FakeRoot root;
  static virtuald::LineReader reader;
  static virtuald::Identity identity;
  static virtuald::Error error;
  error.set({});

  virtuald::UserSpec spec;
  const std::optional<Strings> halves = split_plainly(option);
  REQUIRE(virtuald::parse_user_spec(option, spec, error) == halves.has_value());
  REQUIRE(halves.has_value() == error.text().empty());
  if (!halves) {
    return 0;
  }
  root.fill(passwd, group);
  const std::optional<PlainIdentity> expected = find_plainly(*halves, passwd, group);
  const bool found = virtuald::find_identity(spec, root.descriptor(), "/virtual/domain1.com",
                                             reader, identity, error);
  REQUIRE(found == expected.has_value());
  REQUIRE(found == error.text().empty());
  if (found) {
    REQUIRE(identity.uid == expected->uid && identity.gid == expected->gid);
    REQUIRE(std::equal(expected->groups.begin(), expected->groups.end(), identity.groups,
                       identity.groups + identity.group_count));
    REQUIRE(identity.uid != 0 && identity.uid != kNoId && identity.gid != kNoId);
  }
  return 0;
}
