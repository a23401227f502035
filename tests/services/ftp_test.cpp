// The HOWTO's chapter on FTP, with inetutils-ftpd and curl.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "domains.h"
#include "files.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

class Ftp : public RootsTest {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"inetutils-ftpd", "systemd"});
    make_domains({"ftpd"});
  }

  static std::string url(const Domain& domain, const std::string& path) {
    return "ftp://bob:" + password(domain) + "@" + domain.ipv4 + "/" + path;
  }

  static Command server() { return inetd({inetd_line("21", "conf.ftp ftpd", GetParam())}); }
};

INSTANTIATE_ROOTS(Ftp);

TEST_P(Ftp, bob_sees_the_files_of_his_domain) {
  const BackgroundProcess running(server());
  for (const Domain& domain : kDomains) {
    EXPECT_EQ("readme\n", curl(url(domain, ""), {"--list-only"}).output);
    EXPECT_EQ(bobs_text(domain), curl(url(domain, "readme")).output);
  }
}

TEST_P(Ftp, bob_owns_the_file_that_he_uploads) {
  const BackgroundProcess running(server());
  write_file("/tmp/new", "new\n");
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(0, curl(url(domain, "new"), {"--upload-file", "/tmp/new"}).status);
    EXPECT_EQ("new\n", read_file(bobs_home(domain) / "new"));
    EXPECT_EQ(must_run({"stat", "-c", "%u", bobs_home(domain)}),
              must_run({"stat", "-c", "%u", bobs_home(domain) / "new"}));
  }
}

TEST_P(Ftp, transfers_in_active_mode) {
  const BackgroundProcess running(server());
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(bobs_text(domain), curl(url(domain, "readme"), {"--ftp-port", "-"}).output);
  }
}

TEST_P(Ftp, serves_ipv6) {
  const BackgroundProcess running(server());
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(
        bobs_text(domain),
        curl("ftp://[" + domain.ipv6 + "]/readme", {"--user", "bob:" + password(domain)}).output);
  }
}

TEST_P(Ftp, refuses_bob_with_his_password_of_the_other_domain) {
  const BackgroundProcess running(server());
  const Outcome outcome =
      curl("ftp://" + kDomains[0].ipv4 + "/readme", {"--user", "bob:" + password(kDomains[1])});
  EXPECT_EQ(67, outcome.status);
  EXPECT_EQ("", outcome.output);
}

TEST_P(Ftp, allows_anonymous_login_only_with_the_user_ftp) {
  const Domain& open = kDomains[0];
  must_run({"chroot", open.root(), "useradd", "-m", "-d", "/home/f/ftp", "ftp"});
  write_file(open.root() / "home/f/ftp/public", "for all\n");
  // Debian 13 refuses anonymous users until two lines are removed from this file.
  const std::filesystem::path refused = open.root() / "etc/ftpusers";
  if (std::filesystem::exists(refused)) {
    write_file(refused,
               std::regex_replace(read_file(refused), std::regex("(anonymous|ftp)\n"), ""));
  }
  const BackgroundProcess running(server());
  EXPECT_EQ("for all\n", curl("ftp://" + open.ipv4 + "/public").output);
  EXPECT_EQ(67, curl("ftp://" + kDomains[1].ipv4 + "/public").status);
}

TEST_P(Ftp, confines_a_guest_to_his_home) {
  const Domain& domain = kDomains[0];
  write_file(domain.root() / "etc/ftpchroot", "bob\n");
  const BackgroundProcess running(server());
  // Two slashes make an absolute path, in the root that the daemon has by then.
  EXPECT_EQ(bobs_text(domain), curl(url(domain, "/readme")).output);
  EXPECT_EQ(9, curl(url(domain, "/etc/passwd")).status);
  EXPECT_NE(curl(url(kDomains[1], "/etc/passwd")).output, "");
}

TEST_P(Ftp, works_with_the_privileges_of_the_systemd_unit) {
  const BackgroundProcess running(systemd_unit("ftp", GetParam()));
  write_file("/tmp/new", "new\n");
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(bobs_text(domain), curl(url(domain, "readme"), {"--ftp-port", "-"}).output);
    EXPECT_EQ(0, curl(url(domain, "new"), {"--upload-file", "/tmp/new"}).status);
  }
}

}  // namespace
}  // namespace testing_support
