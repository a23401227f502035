// Every daemon of these tests in a root of a whole host: a small host, made for the test, has them
// all, and virtfs without -p makes a domain of it, as the HOWTO does.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domains.h"
#include "files.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

const fs::path kHost = "/virtual/host";
const fs::path kRoot = kHost / "virtual/example.com";
constexpr const char* kAddress = "10.10.10.129";

class WholeRoot : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"inetutils-ftpd", "m4", "openssh-client", "openssh-server", "popa3d", "poppassd",
                  "samba", "samba-common-bin", "samba-libs", "sendmail-bin", "sendmail-cf",
                  "smbclient", "tcpd"});
    make_host();
    on_host({"virtfs", "-q", "example.com"});
    on_host(
        {"virtexec", "example.com", "useradd", "-m", "-d", "/home/b/bob", "-s", "/bin/sh", "bob"});
    on_host({"virtexec", "example.com", "chpasswd"}, "bob:secret\n");
    write_file(kRoot / "home/b/bob/readme", "bob's\n");
  }

  /// Makes a host with the daemons, the programs that virtfs and virtexec run, and useradd and
  /// chpasswd.
  static void make_host() {
    std::vector<std::string> command = {"virtfs", "-q"};
    for (const char* program : {"/usr/sbin/sshd",
                                "ftpd",
                                "popa3d",
                                "poppassd",
                                "sendmail",
                                "smbd",
                                "smbpasswd",
                                "tcpd",
                                "busybox",
                                "awk",
                                "cat",
                                "chmod",
                                "chown",
                                "chpasswd",
                                "chroot",
                                "cmp",
                                "comm",
                                "cp",
                                "cut",
                                "dash",
                                "date",
                                "dd",
                                "dirname",
                                "du",
                                "env",
                                "find",
                                "flock",
                                "grep",
                                "head",
                                "id",
                                "ldconfig",
                                "ln",
                                "ls",
                                "mkdir",
                                "mknod",
                                "mktemp",
                                "mv",
                                "readlink",
                                "rm",
                                "sed",
                                "setpriv",
                                "sh",
                                "sha256sum",
                                "sort",
                                "stat",
                                "tar",
                                "tr",
                                "uname",
                                "useradd",
                                "xargs"}) {
      command.insert(command.end(), {"-p", program});
    }
    command.emplace_back("host");
    must_run(command);
    must_run({"cmake", "--install", kBuildDirectory, "--prefix", kHost / "usr/local"});
    // What the installation of packages would have made.
    for (const char* directory : {"run/sshd", "var/spool/mqueue", "virtual"}) {
      fs::create_directories(kHost / directory);
    }
    on_host({"useradd", "--system", "-d", "/run/sshd", "sshd"});
    ASSERT_EQ(0, ::mount("proc", (kHost / "proc").c_str(), "proc", 0, nullptr));
  }

  static void on_host(std::vector<std::string> command, const std::string& input = "") {
    command.insert(command.begin(), {"chroot", kHost});
    must_run(command, input);
  }

  /// Starts an inetd that runs `command` in the root for each connection to the service.
  void serve(const std::string& service, const std::string& command,
             const std::string& options = "-i") {
    write_file("/virtual/conf.whole", std::string(kAddress) + " " + kRoot.string() + "\n");
    inetd_.emplace(inetd({service + " stream tcp nowait root /usr/local/bin/virtuald virtuald " +
                          options + " /virtual/conf.whole " + command}));
  }

  std::optional<BackgroundProcess> inetd_;
};

TEST_F(WholeRoot, has_ftp) {
  serve("21", "ftpd -l");
  EXPECT_EQ("bob's\n", curl("ftp://bob:secret@" + std::string(kAddress) + "/readme").output);
}

TEST_F(WholeRoot, has_ftp_behind_tcpd) {
  serve("21", "tcpd -l", "-i -a ftpd");
  EXPECT_EQ("bob's\n", curl("ftp://bob:secret@" + std::string(kAddress) + "/readme").output);
}

TEST_F(WholeRoot, has_pop) {
  const fs::path mailbox = kRoot / "var/mail/bob";
  write_file(mailbox, "From alice Mon Jan  5 10:00:00 2026\nSubject: test\n\nfor bob\n\n");
  must_run({"chown", "--reference", kRoot / "home/b/bob", mailbox});
  serve("110", "popa3d");
  EXPECT_PRED2(contains, curl("pop3://bob:secret@" + std::string(kAddress) + "/1").output,
               "for bob");
}

TEST_F(WholeRoot, has_smtp) {
  write_file(kRoot / "etc/mail/sendmail.cf", sendmail_cf(sample("sendmail.mc"), "example.com"));
  write_file("/tmp/message", "Subject: test\n\nfor bob\n");
  serve("25", "sendmail -bs");
  EXPECT_EQ("", curl("smtp://" + std::string(kAddress),
                     {"--crlf", "--mail-from", "alice@example.com", "--mail-rcpt",
                      "bob@example.com", "--upload-file", "/tmp/message"})
                    .errors);
  EXPECT_TRUE(arrives("for bob", kRoot / "var/mail/bob"));
}

TEST_F(WholeRoot, has_poppassd) {
  serve("106", "poppassd");
  EXPECT_PRED2(contains,
               ask(kAddress, 106, "user bob\r\npass secret\r\nnewpass another-Word-9\r\nquit\r\n"),
               "200 Password changed");
}

TEST_F(WholeRoot, has_http) {
  write_file(kRoot / "var/www/html/index.html", "page\n");
  serve("80", "busybox httpd -i -h /var/www/html");
  EXPECT_EQ("page\n", curl("http://" + std::string(kAddress) + "/").output);
}

TEST_F(WholeRoot, has_ssh) {
  const fs::path key = kRoot / "etc/ssh/ssh_host_ed25519_key";
  fs::create_directories(key.parent_path());
  must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key});
  write_file(kRoot / "etc/ssh/sshd_config", "HostKey /etc/ssh/ssh_host_ed25519_key\nUsePAM yes\n");
  must_run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/key"});
  write_file(kRoot / "home/b/bob/.ssh/authorized_keys", read_file("/run/key.pub"));
  serve("22", "/usr/sbin/sshd -i");
  connect_to(kAddress, 22);  // ssh does not wait for a server that is being started
  const Outcome outcome =
      run({"ssh", "-q", "-F", "none", "-i", "/run/key", "-o", "StrictHostKeyChecking=no", "-o",
           "UserKnownHostsFile=/dev/null", "bob@" + std::string(kAddress), "cat readme"});
  EXPECT_EQ("bob's\n", outcome.output) << outcome.errors << inetd_->log();
}

TEST_F(WholeRoot, has_smb) {
  write_file(kRoot / "etc/samba/smb.conf", sample("smb.conf"));
  for (const char* directory :
       {"var/lib/samba/private", "var/cache/samba", "var/log/samba", "run/samba"}) {
    fs::create_directories(kRoot / directory);
  }
  on_host({"virtexec", "example.com", "smbpasswd", "-s", "-a", "bob"}, "secret\nsecret\n");
  serve("445", "smbd --foreground --no-process-group");
  connect_to(kAddress, 445);  // smbclient does not wait for a server that is being started
  EXPECT_PRED2(contains,
               run({"smbclient", "--configfile=/dev/null", "--user=bob%secret",
                    "//" + std::string(kAddress) + "/bob", "--command=get readme -"})
                   .output,
               "bob's\n");
}

}  // namespace
}  // namespace testing_support
