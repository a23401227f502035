// The machine that the services are tried on: two domains, as in the samples.
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

/// Makes the private world such a machine, once: its addresses, virtuald as
/// /usr/local/bin/virtuald and /usr/bin/virtuald, the sample configurations in /virtual, and /usr,
/// /etc and /var writable and with the files of `packages` (of tests/daemons).
void make_machine(const std::vector<std::string>& packages = {});

/// The same but for virtuald and its configurations.
void make_machine_without_virtuald(const std::vector<std::string>& packages);

/// Gives each domain a root that holds only the tests' own static service, as /usr/sbin/NAME for
/// each of `names`, and the user www-data. The service answers `name` with the domain's.
void make_small_roots(const std::vector<std::string>& names = {"service"});

/// A sample as it is installed: where it is, and its text. `name` is its path in examples/.
std::filesystem::path sample_path(const std::string& name);
std::string sample(const std::string& name);

/// A test that runs once for every kind of root: GetParam() is "isolated", which is what the
/// samples make, or "plain", without their -i. To be instantiated by INSTANTIATE_ROOTS(Name).
using RootsTest = testing::TestWithParam<const char*>;

/// The line of conf/samples/inetd.conf.in for `service` that holds `words`, be it commented out or
/// not, for roots of that kind.
std::string inetd_line(const std::string& service, const std::string& words,
                       const std::string& roots = "isolated");

/// openbsd-inetd with these lines of inetd.conf.
Command inetd(const std::vector<std::string>& lines);

/// A real systemd with the units virtual-NAME of conf/systemd, for roots of that kind. Needs the
/// package systemd.
Command systemd_unit(const std::string& name, const std::string& roots = "isolated");

/// A name server on 127.0.0.1, which programs ask, with conf/samples/dnsmasq.conf.
Command dns();

/// Runs a command that must not fail; its output. Throws with what it said if it does.
std::string must_run(const std::vector<std::string>& arguments, const std::string& input = "");

/// Makes each domain's root with virtfs, of `programs`, and its user bob, who has his password()
/// and in his home a file `readme`, which says bobs_text().
void make_domains(const std::vector<std::string>& programs);

std::filesystem::path bobs_home(const Domain& domain);
std::string bobs_text(const Domain& domain);

/// bob's, which is another in each domain.
std::string password(const Domain& domain);

/// Replaces these programs of the private world, their libraries and their loader, as an upgrade
/// does: each by a file that has some more bytes at its end. Returns their names.
std::vector<std::filesystem::path> upgrade_host(const std::vector<std::filesystem::path>& programs);

/// Makes such a machine whose domains have busybox, and a web page that says page_of() them.
void make_web_machine();
std::filesystem::path web_site(const Domain& domain);
std::string page_of(const Domain& domain);

/// The sendmail.cf that m4 makes of a sendmail.mc for example.com, for `name` in its place.
std::string sendmail_cf(const std::string& macros, const std::string& name);

/// Whether `text` is in a file, which may not be there yet.
bool holds(const std::filesystem::path& file, const std::string& text);

/// Whether it is, or soon is.
bool arrives(const std::string& text, const std::filesystem::path& file);

/// What curl makes of `url`, once somebody listens there.
Outcome curl(const std::string& url, const std::vector<std::string>& options = {});

}  // namespace testing_support

#define INSTANTIATE_ROOTS(name)                                               \
  INSTANTIATE_TEST_SUITE_P(Roots, name, testing::Values("plain", "isolated"), \
                           [](const auto& roots) { return std::string(roots.param); })
