// The machine for the tests of services, with the samples' two domains.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "daemons.h"
#include "process.h"

namespace testing_support {

/// A domain as conf/samples/conf.* name it.
struct Domain {
  std::string name;
  std::string ipv4;
  std::string ipv6;

  [[nodiscard]] std::filesystem::path root() const { return "/virtual/" + name; }
};

inline const std::vector<Domain> kDomains = {{"example.com", "10.10.10.129", "2001:db8::81"},
                                             {"example.net", "10.10.10.130", "2001:db8::82"}};

/// An address of the machine that conf/samples/conf.ftp does not name.
inline constexpr const char* kNobody = "10.10.10.157";

/// Turns the private world into such a machine, once: its addresses, virtuald as
/// /usr/local/bin/virtuald and /usr/bin/virtuald, the sample configurations in /virtual, and /usr,
/// /etc and /var writable and with the files of `packages` (of tests/daemons).
void make_machine(const std::vector<std::string>& packages = {});

/// The same without virtuald and its configurations.
void make_machine_without_virtuald(const std::vector<std::string>& packages);

/// Gives each domain a root with only the tests' static service, as /usr/sbin/NAME for each of
/// `names`, and the user www-data. The service answers `name` with the domain's name.
void make_small_roots(const std::vector<std::string>& names = {"service"});

/// The path and the text of an installed sample. `name` is its path in examples/.
std::filesystem::path sample_path(const std::string& name);
std::string sample(const std::string& name);

/// A test that runs once for every kind of root: GetParam() is "isolated", as in the samples, or
/// "plain", without their -i. Instantiate it with INSTANTIATE_ROOTS(Name).
using RootsTest = testing::TestWithParam<const char*>;

/// The line of conf/samples/inetd.conf.in for `service` that contains `words`, even if it is
/// commented out, for roots of that kind.
std::string inetd_line(const std::string& service, const std::string& words,
                       const std::string& roots = "isolated");

/// openbsd-inetd with these lines of inetd.conf.
Command inetd(const std::vector<std::string>& lines);

/// A real systemd with the units virtual-NAME of conf/systemd, for roots of that kind. Needs the
/// package systemd.
Command systemd_unit(const std::string& name, const std::string& roots = "isolated");

/// A name server on 127.0.0.1 with conf/samples/dnsmasq.conf.
Command dns();

/// Runs a command and returns its output. Throws, with its messages, if it fails.
std::string must_run(const std::vector<std::string>& arguments, const std::string& input = "");

/// Makes each domain's root with virtfs and `programs`, and the user bob, with his password() and a
/// file `readme` in his home that contains bobs_text().
void make_domains(const std::vector<std::string>& programs);

std::filesystem::path bobs_home(const Domain& domain);
std::string bobs_text(const Domain& domain);

/// bob's password, which differs by domain.
std::string password(const Domain& domain);

/// Replaces these programs of the private world, their libraries and their loader, as an upgrade
/// does, with files that have some more bytes at their ends. Returns their names.
std::vector<std::filesystem::path> upgrade_host(const std::vector<std::filesystem::path>& programs);

/// Makes such a machine, each domain of which has busybox and a web page with the text page_of().
void make_web_machine();
std::filesystem::path web_site(const Domain& domain);
std::string page_of(const Domain& domain);

/// The sendmail.cf that m4 makes from a sendmail.mc for example.com, with `name` instead.
std::string sendmail_cf(const std::string& macros, const std::string& name);

/// Whether `text` is in a file, which may not exist yet.
bool holds(const std::filesystem::path& file, const std::string& text);

/// Whether `text` appears in the file within kPatience.
bool arrives(const std::string& text, const std::filesystem::path& file);

/// The result of curl for `url`, after waiting for a listener there.
Outcome curl(const std::string& url, const std::vector<std::string>& options = {});

}  // namespace testing_support

#define INSTANTIATE_ROOTS(name)                                               \
  INSTANTIATE_TEST_SUITE_P(Roots, name, testing::Values("plain", "isolated"), \
                           [](const auto& roots) { return std::string(roots.param); })
