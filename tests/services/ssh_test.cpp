// sshd under inetd in each domain: logins, terminals, and files.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "process.h"
#include "terminal.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class Ssh : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"openssh-server", "openssh-client"});
    make_domains({"/usr/sbin/sshd", "tty", "stty", "ls", "cat", "sleep", "uname"});
    for (const Domain& domain : kDomains) {
      prepare(domain);
    }
    inetd_.emplace(inetd({inetd_line("ssh", "")}));
    connect_to(kDomains[0].ipv4, 22);  // ssh does not wait for a server that is being started
  }

  /// Does what the packages and the administrator would do in a domain.
  static void prepare(const Domain& domain) {
    const fs::path root = domain.root();
    must_run({"mkdir", "-p", root / "dev/pts", root / "run/sshd", bobs_home(domain) / ".ssh"});
    if (!fs::is_symlink(root / "dev/ptmx")) {
      fs::create_symlink("pts/ptmx", root / "dev/ptmx");
    }
    if (!holds(root / "etc/passwd", "sshd:")) {
      must_run({"virtexec", domain.name, "useradd", "--system", "-d", "/run/sshd", "sshd"});
    }
    write_file(root / "etc/ssh/sshd_config",
               "HostKey /etc/ssh/ssh_host_ed25519_key\nSubsystem sftp internal-sftp\n");
    const fs::path host_key = root / "etc/ssh/ssh_host_ed25519_key";
    make_key(host_key);
    make_key(key_of(domain));
    write_file(known_hosts(), (fs::exists(known_hosts()) ? read_file(known_hosts()) : "") +
                                  domain.ipv4 + " " + read_file(host_key.string() + ".pub"));
    fs::copy_file(key_of(domain).string() + ".pub", bobs_home(domain) / ".ssh/authorized_keys");
  }

  static void make_key(const fs::path& path) {
    must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path});
  }

  static fs::path key_of(const Domain& domain) { return "/run/key-of-" + domain.name; }

  static fs::path known_hosts() { return "/run/known_hosts"; }

  /// The command `program` (ssh, scp or sftp) with the key of bob in `keys`.
  static std::vector<std::string> client(const std::string& program, const Domain& keys) {
    return {program, "-q",
            "-F",    "none",
            "-i",    key_of(keys),
            "-o",    "IdentitiesOnly=yes",
            "-o",    "UserKnownHostsFile=" + known_hosts().string()};
  }

  /// The ssh command for bob of `domain`, with the key of bob in `keys`. It ends with `rest`.
  static std::vector<std::string> ssh(const Domain& domain, const Domain& keys,
                                      const std::vector<std::string>& rest) {
    std::vector<std::string> words = client("ssh", keys);
    words.insert(words.end(), {"-o", "PasswordAuthentication=no", "bob@" + domain.ipv4});
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  }

  /// An interactive login on a terminal.
  static Command login(const Domain& domain) {
    std::vector<std::string> words = ssh(domain, domain, {});
    words.insert(words.begin() + 1, "-tt");
    return command_of(words);
  }

  std::optional<BackgroundProcess> inetd_;
};

TEST_F(Ssh, logs_bob_in_to_each_domain_with_his_key) {
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(bobs_text(domain), run(ssh(domain, domain, {"cat readme"})).output) << inetd_->log();
  }
}

TEST_F(Ssh, refuses_bob_with_his_key_of_the_other_domain) {
  const Outcome outcome = run(ssh(kDomains[0], kDomains[1], {"cat readme"}));
  EXPECT_EQ(255, outcome.status);
  EXPECT_EQ("", outcome.output);
}

TEST_F(Ssh, asks_for_bobs_password_of_that_domain) {
  const auto log_in = [](const Domain& domain, const Domain& passwords) {
    write_program("/run/askpass", "#!/bin/sh\necho " + password(passwords) + "\n");
    Command command =
        command_of({"ssh", "-q", "-F", "none", "-o", "UserKnownHostsFile=" + known_hosts().string(),
                    "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
                    "bob@" + domain.ipv4, "cat readme"});
    command.environment = std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"},
                                                             {"SSH_ASKPASS", "/run/askpass"},
                                                             {"SSH_ASKPASS_REQUIRE", "force"}};
    return run(command).output;
  };
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(bobs_text(domain), log_in(domain, domain));
  }
  EXPECT_EQ("", log_in(kDomains[0], kDomains[1]));
}

TEST_F(Ssh, has_the_domains_host_name) {
  for (const Domain& domain : kDomains) {
    EXPECT_EQ(domain.name + "\n", run(ssh(domain, domain, {"uname -n"})).output);
  }
}

TEST_F(Ssh, gives_a_terminal_of_the_clients_size) {
  for (const Domain& domain : kDomains) {
    Terminal person(login(domain));
    ASSERT_TRUE(person.shows("$ ")) << person.screen();
    person.type("tty; stty size\r");
    EXPECT_TRUE(person.shows("/dev/pts/0\r\n24 80\r\n")) << person.screen();
    person.type("exit\r");
    EXPECT_EQ(0, person.finish());
  }
}

TEST_F(Ssh, shows_no_session_the_terminal_of_another) {
  Terminal one(login(kDomains[0]));
  ASSERT_TRUE(one.shows("$ ")) << one.screen();
  Terminal two(login(kDomains[0]));
  ASSERT_TRUE(two.shows("$ ")) << two.screen();
  for (Terminal* person : {&one, &two}) {
    person->type("ls /dev/pts; tty\r");
    EXPECT_TRUE(person->shows("\r\n0  ptmx\r\n/dev/pts/0\r\n")) << person->screen();
  }
  for (Terminal* person : {&one, &two}) {
    person->type("exit\r");
    EXPECT_EQ(0, person->finish());
  }
}

TEST_F(Ssh, copies_files) {
  for (const Domain& domain : kDomains) {
    std::vector<std::string> get = client("scp", domain);
    get.insert(get.end(), {"bob@" + domain.ipv4 + ":readme", "/run/got"});
    must_run(get);
    EXPECT_EQ(bobs_text(domain), read_file("/run/got"));
    std::vector<std::string> put = client("sftp", domain);
    put.insert(put.end(), {"-b", "-", "bob@" + domain.ipv4});
    must_run(put, "put /run/got new\n");
    EXPECT_EQ(bobs_text(domain), read_file(bobs_home(domain) / "new"));
  }
}

/// As README's table of alternatives says.
TEST(SshOfTheHost, with_match_local_address_has_one_bob_for_all_domains) {
  NEEDS_REAL_ROOT();
  make_machine({"openssh-server", "openssh-client"});
  make_domains({});
  must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/key"});
  std::string text = "HostKey /run/key\nSubsystem sftp internal-sftp\n";
  for (const Domain& domain : kDomains) {
    text += "Match LocalAddress " + domain.ipv4 + "\n  ChrootDirectory " + domain.root().string() +
            "\n  ForceCommand internal-sftp\n";
    write_file(domain.root() / "name", domain.name);
  }
  write_file("/run/sshd_config", text);
  fs::create_directories("/run/sshd");
  run({"useradd", "--system", "-d", "/run/sshd", "sshd"});  // the machine may have it
  must_run({"useradd", "bob"});
  must_run({"chpasswd"}, "bob:of-the-host\n");
  const BackgroundProcess server(
      command_of({"/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config"}));
  for (const Domain& domain : kDomains) {
    const auto get_name = [&](const std::string& password_given) {
      return curl("sftp://" + domain.ipv4 + "/name",
                  {"--insecure", "--user", "bob:" + password_given});
    };
    EXPECT_EQ(domain.name, get_name("of-the-host").output) << server.log();
    EXPECT_EQ(67, get_name(password(domain)).status) << server.log();
  }
}

}  // namespace
}  // namespace testing_support
