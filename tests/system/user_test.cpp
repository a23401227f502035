// -u: virtuald becomes a user of the new root's own files, for good.

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "files.h"
#include "serving.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class User : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_two_domains();
    write_file("/virtual/domain1.com/etc/passwd",
               "root:x:0:0:root:/root:/bin/sh\n"
               "www:x:33:34:web:/var/www:/bin/false\n"
               "short:x:40:40\n"
               "letters:x:4x:40::/:/bin/sh\n"
               "negative:x:-1:40::/:/bin/sh\n"
               "huge:x:4294967296:40::/:/bin/sh\n"
               "none:x:4294967295:40::/:/bin/sh\n"
               "nogid:x:50:4294967295::/:/bin/sh\n"
               "empty:x::40::/:/bin/sh\n"
               "toor:x:0:0::/:/bin/sh\n"
               "1234:x:77:77::/:/bin/sh\n");
    write_file("/virtual/domain1.com/etc/group",
               "root:x:0:\n"
               "www:x:34:\n"
               "ftp:x:55:bob,www\n"
               "mail:x:56:www\n"
               "almost:x:57:wwww,ww\n"
               "badgid:x:x:\n");
  }

  static Served as(const std::string& user) {
    Serving serving;
    serving.arguments = {"-u", user, "/virtual/conf", "service", "identity"};
    // The groups of the super server must not be kept.
    serving.prepare = [] {
      const gid_t groups[] = {0, 6, 999};
      if (::setgroups(3, groups) != 0) {
        ::_exit(99);
      }
    };
    return serve(serving);
  }

  static void expect_refused(const std::string& user, const std::string& message) {
    expect_refusal(as(user), 125, message);
  }
};

TEST_F(User, becomes_the_roots_user_with_its_groups) {
  EXPECT_EQ("uid 33 euid 33 gid 34 egid 34 groups 55 56\n", as("www").answer);
}

TEST_F(User, group_can_be_named) {
  EXPECT_EQ("uid 33 euid 33 gid 56 egid 56 groups 55 56\n", as("www:mail").answer);
  EXPECT_EQ("uid 33 euid 33 gid 100 egid 100 groups 55 56\n", as("www:100").answer);
}

TEST_F(User, numbers_are_used_as_they_are_without_other_groups) {
  EXPECT_EQ("uid 1234 euid 1234 gid 1235 egid 1235 groups\n", as("1234:1235").answer);
  EXPECT_EQ("uid 33 euid 33 gid 56 egid 56 groups\n", as("33:mail").answer);
  EXPECT_EQ("uid 4294967294 euid 4294967294 gid 4294967294 egid 4294967294 groups\n",
            as("4294967294:4294967294").answer);
}

TEST_F(User, numbers_need_no_files) {
  fs::remove_all("/virtual/domain1.com/etc");
  EXPECT_EQ("uid 1000 euid 1000 gid 1000 egid 1000 groups\n", as("1000:1000").answer);
}

TEST_F(User, may_be_in_many_groups) {
  std::string groups = "www:x:34:\n";
  std::string expected = "uid 33 euid 33 gid 34 egid 34 groups";
  for (int gid = 2001; gid <= 2060; ++gid) {
    groups += "g" + std::to_string(gid) + ":x:" + std::to_string(gid) + ":www\n";
    expected += " " + std::to_string(gid);
  }
  write_file("/virtual/domain1.com/etc/group", groups);
  EXPECT_EQ(expected + "\n", as("www").answer);
}

TEST_F(User, cannot_be_in_more_groups_than_the_kernel_allows) {
  std::string groups;
  for (int gid = 1; gid <= 65'537; ++gid) {
    groups += "g:x:" + std::to_string(gid) + ":www\n";
  }
  write_file("/virtual/domain1.com/etc/group", groups);
  expect_refused("www", "/virtual/domain1.com/etc/group:65537: www is in too many groups");
}

TEST_F(User, each_root_has_its_own_users) {
  write_file("/virtual/domain2.com/etc/passwd", "www:x:80:81::/:/bin/sh\n");
  write_file("/virtual/domain2.com/etc/group", "");
  Serving serving;
  serving.arguments = {"-u", "www", "/virtual/conf", "service", "identity"};
  serving.address = "127.0.0.3";
  EXPECT_EQ("uid 80 euid 80 gid 81 egid 81 groups\n", serve(serving).answer);
}

TEST_F(User, links_stay_inside_the_root) {
  fs::rename("/virtual/domain1.com/etc/passwd", "/virtual/domain1.com/users");
  fs::create_symlink("../../../../../users", "/virtual/domain1.com/etc/passwd");
  EXPECT_EQ("uid 33 euid 33 gid 34 egid 34 groups 55 56\n", as("www").answer);
}

TEST_F(User, unknown_user) {
  expect_refused("bob", "/virtual/domain1.com/etc/passwd: no user bob");
}

TEST_F(User, unknown_group) {
  expect_refused("www:wheel", "/virtual/domain1.com/etc/group: no group wheel");
}

TEST_F(User, missing_files) {
  fs::remove("/virtual/domain1.com/etc/group");
  expect_refused("www", "open /virtual/domain1.com/etc/group: No such file or directory");
  fs::remove("/virtual/domain1.com/etc/passwd");
  expect_refused("www", "open /virtual/domain1.com/etc/passwd: No such file or directory");
}

TEST_F(User, fifo_in_place_of_a_file) {
  fs::remove("/virtual/domain1.com/etc/passwd");
  ASSERT_EQ(0, ::mkfifo("/virtual/domain1.com/etc/passwd", 0644));
  expect_refused("www", "open /virtual/domain1.com/etc/passwd: not a regular file");
}

TEST_F(User, malformed_entries) {
  const std::string file = "/virtual/domain1.com/etc/passwd:";
  expect_refused("short", file + "3: malformed entry for short");
  expect_refused("letters", file + "4: malformed entry for letters");
  expect_refused("negative", file + "5: malformed entry for negative");
  expect_refused("huge", file + "6: malformed entry for huge");
  expect_refused("none", file + "7: malformed entry for none");
  expect_refused("nogid", file + "8: malformed entry for nogid");
  expect_refused("empty", file + "9: malformed entry for empty");
}

TEST_F(User, malformed_group) {
  expect_refused("www:badgid", "/virtual/domain1.com/etc/group:6: malformed entry for badgid");
}

TEST_F(User, malformed_group_of_another_user_is_ignored) {
  EXPECT_EQ(0, as("www").status);
}

TEST_F(User, overlong_line_is_refused) {
  write_file("/virtual/domain1.com/etc/passwd",
             std::string(70'000, 'x') + "\nwww:x:33:34::/:/bin/sh\n");
  expect_refused("www", "/virtual/domain1.com/etc/passwd:1: longer than 65536 bytes");
}

TEST_F(User, uid_0_is_refused_by_any_name) {
  expect_refused("root",
                 "-u root: is uid 0 in /virtual/domain1.com; -u must name an unprivileged user");
  expect_refused("toor",
                 "-u toor: is uid 0 in /virtual/domain1.com; -u must name an unprivileged user");
  expect_refused("0:100",
                 "-u 0: is uid 0 in /virtual/domain1.com; -u must name an unprivileged user");
}

TEST_F(User, arguments_that_name_nobody) {
  expect_refused("", "-u : an empty name");
  expect_refused(":www", "-u :www: an empty name");
  expect_refused("www:", "-u www:: an empty name");
  expect_refused("a:b:c", "-u a:b:c: more than one colon");
  expect_refused("-1:1", "-u -1:1: a name or number cannot begin with a sign");
  expect_refused("4294967295:1", "-u 4294967295:1: 4294967295 is out of range");
  expect_refused("99999999999999999999:1",
                 "-u 99999999999999999999:1: 99999999999999999999 is out of range");
  expect_refused("1:4294967295", "-u 1:4294967295: 4294967295 is out of range");
  expect_refused("1234", "-u 1234: a numeric user needs a group too, as in 1234:1234");
}

TEST_F(User, program_that_the_user_cannot_execute) {
  ::chmod("/virtual/domain1.com/usr/sbin/service", 0700);
  expect_refusal(serve({"-u", "www", "/virtual/conf", "service"}), 126,
                 "exec /usr/sbin/service in /virtual/domain1.com: Permission denied");
}

TEST_F(User, is_found_after_option_w_has_warned) {
  ::chmod("/virtual/conf", 0664);
  ::chmod("/virtual/domain1.com", 0775);
  const Served served = serve({"-w", "-u", "www:mail", "/virtual/conf", "service", "identity"});
  EXPECT_EQ(0, served.status);
  EXPECT_PRED2(contains, served.answer, "33");
  EXPECT_EQ(2U, served.log.size());
}

}  // namespace
}  // namespace testing_support
