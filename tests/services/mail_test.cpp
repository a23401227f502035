// The HOWTO's chapter on mail and POP: sendmail or exim, popa3d, stunnel, curl, and a name server.

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "domains.h"
#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

/// The machine's own addresses, as in conf/samples/network.
const Domain kMachine = {"machine", kNobody, "2001:db8::9d"};

/// Whether a message that matches `pattern` comes within kPatience. Takes the messages before it.
bool logs(LogSocket& log, const std::string& pattern) {
  return eventually([&] {
    for (const std::string& message : log.take()) {
      if (std::regex_search(message, std::regex(pattern))) {
        return true;
      }
    }
    return false;
  });
}

/// Shared by the tests of both mailers.
class MailMachine : public RootsTest {
 protected:
  static void make_sendmail_machine() {
    make_machine({"sendmail-bin", "sendmail-cf", "m4", "popa3d", "stunnel4", "systemd"});
    make_domains({"sendmail", "/usr/libexec/sendmail/mail.local", "popa3d"});
    for (const Domain& domain : kDomains) {
      configure_sendmail(domain.root(), domain.name);
    }
  }

  /// Makes what sendmail needs in a root besides its programs.
  static void configure_sendmail(const fs::path& root, const std::string& name) {
    // sendmail looks up the full name of the machine; without an answer it waits for a minute.
    write_file(root / "etc/hosts",
               "127.0.0.1 localhost\n127.0.1.1 " + name + " " + must_run({"uname", "-n"}));
    fs::create_directories(root / "var/spool/mqueue");
    fs::permissions(root / "var/spool/mqueue", fs::perms::owner_all);
    write_file(root / "etc/mail/sendmail.cf", sendmail_cf(sample("sendmail.mc"), name));
  }

  static std::vector<std::string> lines(const std::string& mailer) {
    return {inetd_line("smtp", mailer, GetParam()), inetd_line("pop-3", "popa3d", GetParam())};
  }

  /// Sends bob a message as a stranger would: to the domain's address, by SMTP.
  static Outcome send(const Domain& domain, const std::string& text,
                      const std::string& scheme = "smtp", std::vector<std::string> options = {}) {
    write_file("/tmp/message", "Subject: test\n\n" + text + "\n");
    options.insert(options.end(), {"--crlf", "--mail-from", "alice@example.net", "--mail-rcpt",
                                   "bob@" + domain.name, "--upload-file", "/tmp/message"});
    return curl(scheme + "://" + domain.ipv4, options);
  }

  /// Sends a message from bob, logged in to `from`, to bob at `to`.
  static void send_within(const Domain& from, const std::string& mailer, const Domain& to,
                          const std::string& text) {
    must_run({"chroot", from.root(), mailer, "-f", "bob@" + from.name, "bob@" + to.name},
             "Subject: test\n\n" + text + "\n");
  }

  static Outcome read_mail(const Domain& domain, const std::string& path,
                           const std::string& password_given) {
    return curl("pop3://" + domain.ipv4 + "/" + path, {"--user", "bob:" + password_given});
  }

  static fs::path mailbox(const Domain& domain) { return domain.root() / "var/mail/bob"; }

  /// Starts a name server, and inetd with these lines.
  void start(const std::vector<std::string>& lines) {
    dns_.emplace(dns());
    inetd_.emplace(inetd(lines));
  }

  /// Sends a message to each bob, and expects that only he gets it.
  static void expect_mail_for_each_bob() {
    for (const Domain& domain : kDomains) {
      EXPECT_EQ("", send(domain, "for bob at " + domain.name).errors);
    }
    for (const Domain& domain : kDomains) {
      EXPECT_TRUE(arrives("for bob at " + domain.name, mailbox(domain)));
    }
    EXPECT_FALSE(holds(mailbox(kDomains[0]), "for bob at example.net"));
  }

  /// Sends a message from one bob to the other, and expects that it is sent over the network: the
  /// mailer of the other domain then adds `received` to it.
  static void expect_mail_over_the_network(const std::string& mailer, const std::string& received) {
    send_within(kDomains[0], mailer, kDomains[1], "from next door");
    EXPECT_TRUE(arrives("from next door", mailbox(kDomains[1])));
    EXPECT_TRUE(holds(mailbox(kDomains[1]), received));
  }

  /// Has the kernel choose the machine's own addresses for connections to the second domain, as it
  /// does for those to other machines.
  static void move_second_domain_away() {
    add_address(kMachine.ipv6 + "/128");
    for (const auto address : {&Domain::ipv4, &Domain::ipv6}) {
      const std::string to = kDomains[1].*address;
      must_run({"ip", "route", "delete", "local", to, "dev", "lo", "table", "local"});
      must_run({"ip", "route", "add", "local", to, "dev", "lo", "table", "local", "src",
                kMachine.*address});
    }
  }

  /// Sends a message from the first domain to the second over each family, and expects that it
  /// comes from an address of `sender`.
  void expect_mail_from(const Domain& sender, const std::string& mailer) {
    connect_to(kDomains[1].ipv4, 25, kDomains[1].ipv4);  // the mailer does not wait for inetd
    const std::string names = sample("dnsmasq.conf");
    for (const auto& [address, other_family] : {std::pair(&Domain::ipv4, ",2001:[0-9a-f:]+"),
                                                std::pair(&Domain::ipv6, ",10\\.[0-9.]+")}) {
      write_file(sample_path("dnsmasq.conf"),
                 std::regex_replace(names, std::regex(other_family), ""));
      Command server = dns();
      server.arguments.emplace_back("--local=/example.net/");  // else it refuses the other family
      dns_.emplace(server);
      EXPECT_TRUE(
          eventually([] { return contains(read_file("/proc/net/udp"), ":0035 00000000:0000 "); }));
      LogSocket log;
      send_within(kDomains[0], mailer, kDomains[1], "text");
      EXPECT_TRUE(logs(log, "from " + sender.*address + " port [0-9]+ to " + kDomains[1].*address))
          << inetd_->log();
    }
    write_file(sample_path("dnsmasq.conf"), names);
  }

  std::optional<BackgroundProcess> dns_;
  std::optional<BackgroundProcess> inetd_;
};

class Mail : public MailMachine {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_sendmail_machine();
    start(lines("sendmail -bs"));
  }
};

INSTANTIATE_ROOTS(Mail);

TEST_P(Mail, reaches_only_bob_of_the_addressed_domain) {
  expect_mail_for_each_bob();
}

TEST_P(Mail, between_domains_goes_over_the_network) {
  expect_mail_over_the_network("sendmail", "by example.net");
}

TEST_P(Mail, stays_in_the_wrong_domain_if_sendmail_probes_the_interfaces) {
  const std::string probing =
      std::regex_replace(sample("sendmail.mc"), std::regex("define\\(`confDONT_PROBE.*\n"), "");
  write_file(kDomains[0].root() / "etc/mail/sendmail.cf", sendmail_cf(probing, kDomains[0].name));
  send_within(kDomains[0], "sendmail", kDomains[1], "from next door");
  EXPECT_TRUE(arrives("from next door", mailbox(kDomains[0])));
  EXPECT_FALSE(holds(mailbox(kDomains[1]), "from next door"));
}

TEST_P(Mail, leaves_from_the_machines_addresses_unless_the_samples_lines_are_enabled) {
  move_second_domain_away();
  expect_mail_from(kMachine, "sendmail");
  const std::string enabled =
      std::regex_replace(sample("sendmail.mc"), std::regex("dnl (CLIENT_OPTIONS)"), "$1");
  write_file(kDomains[0].root() / "etc/mail/sendmail.cf", sendmail_cf(enabled, kDomains[0].name));
  expect_mail_from(kDomains[0], "sendmail");
}

TEST_P(Mail, is_not_relayed_for_strangers) {
  write_file("/tmp/message", "Subject: test\n\ntext\n");
  EXPECT_EQ("curl: (55) RCPT failed: 550\n",
            curl("smtp://" + kDomains[0].ipv4, {"--mail-from", "alice@example.net", "--mail-rcpt",
                                                "bob@example.net", "--upload-file", "/tmp/message"})
                .errors);
}

TEST_P(Mail, in_the_queue_is_delivered_by_the_queue_runner) {
  inetd_.reset();
  send_within(kDomains[0], "sendmail", kDomains[1], "from the queue");
  EXPECT_FALSE(fs::is_empty(kDomains[0].root() / "var/spool/mqueue"));
  inetd_.emplace(inetd(lines("sendmail -bs")));
  configure_sendmail("/", "host.example.com");
  must_run({"sendmail.init", "start"});
  EXPECT_TRUE(arrives("from the queue", mailbox(kDomains[1])));
  must_run({"sendmail.init", "stop"});
}

/// No line of the configuration contains the domain's name.
TEST_P(Mail, greets_with_the_host_name_of_the_root) {
  const std::string unnamed =
      std::regex_replace(sample("sendmail.mc"), std::regex("define\\(`confDOMAIN_NAME.*\n"), "");
  must_run({"hostname", "host.example.com"});
  for (const Domain& domain : kDomains) {
    write_file(domain.root() / "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host.example.com\n" +
                                                domain.ipv4 + " " + domain.name + "\n");
    write_file(domain.root() / "etc/mail/sendmail.cf", sendmail_cf(unnamed, domain.name));
    const std::string name =
        GetParam() == std::string("isolated") ? domain.name : "host.example.com";
    EXPECT_PRED2(contains, ask(domain.ipv4, 25, "QUIT\r\n"), "220 " + name + " ESMTP");
  }
}

class Pop : public Mail {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    Mail::SetUp();
    for (const Domain& domain : kDomains) {
      send(domain, "for bob at " + domain.name);
      arrives("for bob at " + domain.name, mailbox(domain));
    }
  }
};

INSTANTIATE_ROOTS(Pop);

TEST_P(Pop, gives_bob_his_mail_of_each_domain) {
  for (const Domain& domain : kDomains) {
    EXPECT_NE(
        read_mail(domain, "1", password(domain)).output.find("for bob at " + domain.name + "\r\n"),
        std::string::npos);
    EXPECT_NE(read_mail(domain, "2", password(domain)).status, 0);
  }
}

TEST_P(Pop, refuses_bob_with_his_password_of_the_other_domain) {
  EXPECT_EQ(67, read_mail(kDomains[0], "1", password(kDomains[1])).status);
}

TEST_P(Pop, finds_the_mail_in_usr_spool_too) {
  for (const Domain& domain : kDomains) {
    EXPECT_NE(must_run({"chroot", domain.root(), "sh", "-c",
                        "read -r line </usr/spool/mail/bob; echo \"$line\""})
                  .find("From alice@example.net"),
              std::string::npos);
  }
}

/// stunnel with two services for each domain.
Command stunnel() {
  must_run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.com",
            "-keyout", "/run/stunnel.key", "-out", "/run/stunnel.pem"});
  // With syslog it would wait, because the test reads its log only later.
  std::string text =
      "syslog = no\nforeground = yes\npid =\ncert = /run/stunnel.pem\nkey = /run/stunnel.key\n";
  for (const Domain& domain : kDomains) {
    for (const auto& [outside, inside] : {std::pair("995", "110"), std::pair("465", "25")}) {
      text += "[" + domain.name + "-" + outside + "]\naccept = " + domain.ipv4 + ":" + outside +
              "\nconnect = " + domain.ipv4 + ":" + inside + "\n";
    }
  }
  write_file("/run/stunnel.conf", text);
  return command_of({"stunnel", "/run/stunnel.conf"});
}

TEST_P(Pop, and_mail_by_stunnel_reach_each_domain_and_hide_the_clients_address) {
  const BackgroundProcess server(stunnel());
  for (const Domain& domain : kDomains) {
    LogSocket log;
    const Outcome message =
        curl("pop3s://" + domain.ipv4 + "/1",
             {"--insecure", "--interface", kNobody, "--user", "bob:" + password(domain)});
    EXPECT_PRED2(contains, message.output, "for bob at " + domain.name) << message.errors;
    EXPECT_TRUE(logs(log, "from " + domain.ipv4 + " port [0-9]+ to " + domain.ipv4));
    LogSocket log_of_domain(domain.root() / "dev/log");
    EXPECT_EQ("", send(domain, "by TLS", "smtps", {"--insecure", "--interface", kNobody}).errors);
    EXPECT_TRUE(logs(log_of_domain, "relay=.*\\[" + domain.ipv4 + "\\]"));
    EXPECT_TRUE(arrives("by TLS", mailbox(domain)));
  }
}

TEST_P(Pop, and_mail_work_with_the_privileges_of_the_systemd_units) {
  inetd_.reset();
  const BackgroundProcess smtp(systemd_unit("mail", GetParam()));
  const BackgroundProcess pop(systemd_unit("pop", GetParam()));
  for (const Domain& domain : kDomains) {
    EXPECT_EQ("", send(domain, "second").errors);
    EXPECT_TRUE(arrives("second", mailbox(domain)));
    EXPECT_NE(read_mail(domain, "2", password(domain)).output.find("second"), std::string::npos);
  }
}

class MailByExim : public MailMachine {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    make_machine({"exim4-daemon-light"});
    make_domains({"exim4"});
    for (const Domain& domain : kDomains) {
      std::string text = sample("exim4.conf");
      text = std::regex_replace(text, std::regex("example\\.com"), domain.name);
      text = std::regex_replace(text, std::regex(kDomains[0].ipv4), domain.ipv4);
      text = std::regex_replace(text, std::regex(kDomains[0].ipv6), domain.ipv6);
      write_file(domain.root() / "etc/exim4/exim4.conf", text);
      for (const char* directory : {"var/spool/exim4", "var/log/exim4"}) {
        must_run({"install", "-d", "-m", "0750", "-o", "Debian-exim", "-g", "Debian-exim",
                  domain.root() / directory});
      }
    }
    start({inetd_line("smtp", "exim4 -bs", GetParam())});
  }
};

INSTANTIATE_ROOTS(MailByExim);

TEST_P(MailByExim, reaches_only_bob_of_the_addressed_domain) {
  expect_mail_for_each_bob();
}

TEST_P(MailByExim, greets_with_the_host_name_of_the_root) {
  must_run({"hostname", "host.example.com"});
  for (const Domain& domain : kDomains) {
    const fs::path config = domain.root() / "etc/exim4/exim4.conf";
    write_file(config,
               std::regex_replace(read_file(config), std::regex("primary_hostname.*\n"), ""));
    const std::string name =
        GetParam() == std::string("isolated") ? domain.name : "host.example.com";
    EXPECT_PRED2(contains, ask(domain.ipv4, 25, "QUIT\r\n"), "220 " + name + " ESMTP");
  }
}

TEST_P(MailByExim, leaves_from_the_machines_addresses_without_the_samples_line) {
  move_second_domain_away();
  expect_mail_from(kDomains[0], "exim4");
  const fs::path config = kDomains[0].root() / "etc/exim4/exim4.conf";
  write_file(config, std::regex_replace(read_file(config), std::regex("  interface = .*\n"), ""));
  expect_mail_from(kMachine, "exim4");
}

TEST_P(MailByExim, between_domains_goes_over_the_network) {
  expect_mail_over_the_network("exim4", "by example.net with esmtp");
}

}  // namespace
}  // namespace testing_support
