// A new user's first steps, with only the Debian package: neither the source tree nor the build
// directory is there.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <string>

#include "domains.h"
#include "package.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

constexpr const char* kSteps = R"(set -eu
virtfs -q -p ftpd -p sh -p useradd -p chpasswd -a 10.10.10.129 -f /virtual/conf.ftp example.com
virtexec example.com useradd -m -d /home/b/bob -s /bin/sh bob
echo bob:one | virtexec example.com chpasswd
echo 'This is example.com.' >/virtual/example.com/home/b/bob/welcome
grep '^21' /usr/share/doc/virtuald/examples/inetd.conf >>/etc/inetd.conf
virtuald -t /virtual/conf.ftp ftpd
)";

void hide(const char* directory) {
  ASSERT_EQ(0, ::mount("none", directory, "tmpfs", 0, nullptr)) << directory;
}

TEST(FirstSteps, with_the_package_alone_lead_to_a_domain) {
  NEEDS_REAL_ROOT();
  make_machine_without_virtuald({"inetutils-ftpd", "openbsd-inetd"});
  must_run({"dpkg", "--install", make_package("/run/package").string()});
  hide(kBuildDirectory);
  hide(kSourceDirectory);

  EXPECT_EQ("/virtual/conf.ftp: entries: 1, errors: 0, warnings: 0\n", must_run({"sh"}, kSteps));
  const BackgroundProcess running(command_of({"inetd", "-d"}));
  EXPECT_EQ("This is example.com.\n", curl("ftp://bob:one@10.10.10.129/welcome").output);
  EXPECT_EQ("", curl("ftp://bob:one@10.10.10.130/welcome").output);
}

}  // namespace
}  // namespace testing_support
