// Real daemons in domains that were updated after an upgrade of the host.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class UpdatedDomains : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"inetutils-ftpd", "popa3d", "openssh-server", "openssh-client"});
  }

  /// Replaces programs and libraries of the host with newer ones, updates all domains, and expects
  /// that they have the new files.
  static void upgrade(const std::vector<fs::path>& programs) {
    const std::vector<fs::path> upgraded = upgrade_host(programs);
    must_run({"virtfs", "-u"});
    for (const Domain& domain : kDomains) {
      for (const fs::path& file : upgraded) {
        EXPECT_EQ(read_file(file), read_file(domain.root() / file.relative_path())) << file;
      }
    }
  }
};

TEST_F(UpdatedDomains, let_bob_log_in_by_ftp) {
  make_domains({"ftpd"});
  upgrade({"/usr/sbin/ftpd"});
  const BackgroundProcess server(inetd({inetd_line("21", "conf.ftp ftpd")}));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(
        "readme\n",
        curl("ftp://bob:" + password(domain) + "@" + domain.ipv4 + "/", {"--list-only"}).output);
  }
}

TEST_F(UpdatedDomains, let_bob_read_his_mail) {
  make_domains({"popa3d"});
  for (const Domain& domain : kDomains) {
    const fs::path mailbox = domain.root() / "var/mail/bob";
    write_file(mailbox, "From alice Mon Jan  5 10:00:00 2026\nSubject: test\n\nfor bob at " +
                            domain.name + "\n\n");
    must_run({"chown", "--reference", bobs_home(domain), mailbox});
  }
  upgrade({"/usr/sbin/popa3d"});
  const BackgroundProcess server(inetd({inetd_line("pop-3", "popa3d")}));
  for (const Domain& domain : kDomains) {
    EXPECT_PRED2(contains,
                 curl("pop3://" + domain.ipv4 + "/1", {"--user", "bob:" + password(domain)}).output,
                 "for bob at " + domain.name);
  }
}

TEST_F(UpdatedDomains, let_bob_log_in_by_ssh) {
  make_domains({"/usr/sbin/sshd", "cat"});
  must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/key"});
  for (const Domain& domain : kDomains) {
    const fs::path root = domain.root();
    const fs::path host_key = root / "etc/ssh/ssh_host_ed25519_key";
    fs::create_directories(root / "run/sshd");
    must_run({"virtexec", domain.name, "useradd", "--system", "-d", "/run/sshd", "sshd"});
    write_file(root / "etc/ssh/sshd_config", "HostKey /etc/ssh/ssh_host_ed25519_key\n");
    must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key});
    fs::create_directories(bobs_home(domain) / ".ssh");
    fs::copy_file("/run/key.pub", bobs_home(domain) / ".ssh/authorized_keys");
  }
  upgrade({"/usr/sbin/sshd"});
  const BackgroundProcess server(inetd({inetd_line("ssh", "")}));
  for (const Domain& domain : kDomains) {
    connect_to(domain.ipv4, 22);  // ssh does not wait for a server that is being started
    const Outcome outcome =
        run({"ssh", "-q", "-F", "none", "-i", "/run/key", "-o", "StrictHostKeyChecking=no", "-o",
             "UserKnownHostsFile=/dev/null", "bob@" + domain.ipv4, "cat readme"});
    EXPECT_EQ(bobs_text(domain), outcome.output) << outcome.errors;
  }
}

TEST_F(UpdatedDomains, run_a_daemon_in_python) {
  write_program("/usr/local/sbin/pyd",
                "#!/usr/bin/python3\nimport json, sys\n"
                "print(json.dumps({'hello': sys.stdin.readline().strip()}), flush=True)\n");
  make_domains({"pyd"});
  upgrade({"/usr/bin/python3"});
  const BackgroundProcess server(
      inetd({"5000 stream tcp nowait root /usr/local/bin/virtuald virtuald -i /virtual/conf.ftp "
             "pyd"}));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ("{\"hello\": \"bob\"}\n", ask(domain.ipv4, 5000, "bob\n"));
  }
}

}  // namespace
}  // namespace testing_support
