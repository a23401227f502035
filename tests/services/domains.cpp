#include "domains.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "files.h"
#include "paths.h"
#include "systemd.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

/// A package may still have files in /sbin and /lib instead of /usr/sbin and /usr/lib.
void copy_files_outside_usr(const std::string& package) {
  for (const char* directory : {"/bin", "/lib", "/sbin"}) {
    if (fs::exists(daemon_path(package, directory))) {
      // std::filesystem does not replace an existing link, and the host may have the package's
      // links.
      must_run(
          {"cp", "-a", "--remove-destination", daemon_path(package, directory) + "/.", directory});
    }
  }
}

/// Does what the installation of a package does besides unpacking.
void finish_installation(const std::string& package) {
  if (package == "sendmail-bin") {
    fs::create_symlink("../libexec/sendmail/sendmail", "/usr/sbin/sendmail");
    for (const char* name : {"mailq", "newaliases"}) {
      fs::create_symlink(std::string("../libexec/sendmail/") + name,
                         std::string("/usr/bin/") + name);
    }
    must_run({"update-rc.d", "sendmail", "defaults"});
  } else if (package == "popa3d") {
    must_run({"useradd", "--system", "--home-dir", "/var/lib/popa3d", "popa3d"});
    must_run({"update-rc.d", "popa3d", "defaults"});
  } else if (package == "exim4-daemon-light") {
    must_run({"useradd", "--system", "--home-dir", "/var/spool/exim4", "-U", "Debian-exim"});
  } else if (package == "vim-tiny") {
    fs::remove("/usr/bin/vi");
    fs::create_symlink("vim.tiny", "/usr/bin/vi");
  } else if (package == "systemd") {
    must_run({"systemd-machine-id-setup"});
    must_run({"systemd-sysusers", "systemd-network.conf"});
  }
}

/// The port of a URL.
std::uint16_t port_of(const std::string& url) {
  static const std::map<std::string, std::uint16_t> kPorts = {
      {"ftp", 21},  {"http", 80}, {"pop3", 110}, {"pop3s", 995},
      {"sftp", 22}, {"smtp", 25}, {"smtps", 465}};
  return kPorts.at(url.substr(0, url.find(':')));
}

/// Whether anybody listens on `port`. Asks the kernel, because a connection would start the
/// service.
bool is_listened_on(std::uint16_t port, bool ipv6_only) {
  std::ostringstream end;
  end << ':' << std::hex << std::uppercase << std::setw(4) << std::setfill('0') << port;
  const std::string listening = end.str() + " [0-9A-F]*:0000 0A ";
  const std::string table =
      (ipv6_only ? "" : read_file("/proc/net/tcp")) + read_file("/proc/net/tcp6");
  return std::regex_search(table, std::regex(listening));
}

/// A command of the samples, all of which isolate, adapted to roots of that kind.
std::string command_for(const std::string& roots, const std::string& command) {
  static const std::regex isolating("virtuald -i ");
  if (!std::regex_search(command, isolating)) {
    throw std::runtime_error("does not isolate: " + command);
  }
  return roots == "isolated" ? command
                             : std::regex_replace(command, isolating, "virtuald ",
                                                  std::regex_constants::format_first_only);
}

}  // namespace

void make_machine_without_virtuald(const std::vector<std::string>& packages) {
  std::vector<std::string> all = packages;
  all.emplace_back("netbase");  // names of services and protocols
  for (const char* directory : {"/usr", "/etc", "/var"}) {
    overlay(directory, all);
  }
  for (const std::string& package : packages) {
    copy_files_outside_usr(package);
    finish_installation(package);
  }
  write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  for (const Domain& domain : kDomains) {
    add_address(domain.ipv4 + "/32");
    add_address(domain.ipv6 + "/128");
  }
  add_address(std::string(kNobody) + "/32");
  ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

void make_machine(const std::vector<std::string>& packages) {
  static bool is_made = false;
  if (is_made) {
    return;
  }
  make_machine_without_virtuald(packages);
  must_run({"cmake", "--install", kBuildDirectory, "--prefix", "/usr/local"});
  // The HOWTO's lines name this path.
  fs::create_symlink("../local/bin/virtuald", "/usr/bin/virtuald");
  for (const char* service : {"ftp", "pop", "mail", "www", "smb"}) {
    const std::string name = std::string("conf.") + service;
    write_file(fs::path("/virtual") / name, sample(name));
  }
  is_made = true;
}

void make_small_roots(const std::vector<std::string>& names) {
  for (const Domain& domain : kDomains) {
    write_file(domain.root() / "name", domain.name);
    write_file(domain.root() / "etc/passwd", "www-data:x:33:33::/:/bin/sh\n");
    write_file(domain.root() / "etc/group", "www-data:x:33:\n");
    fs::create_directories(domain.root() / "usr/sbin");
    for (const std::string& name : names) {
      fs::copy_file(kService, domain.root() / "usr/sbin" / name, fs::copy_options::skip_existing);
    }
  }
}

fs::path sample_path(const std::string& name) {
  return fs::path("/usr/local/share/doc/virtuald/examples") / name;
}

std::string sample(const std::string& name) {
  return read_file(sample_path(name));
}

std::string inetd_line(const std::string& service, const std::string& words,
                       const std::string& roots) {
  for (std::string line : split_lines(sample("inetd.conf"))) {
    line.erase(0, line.starts_with('#') ? 1 : 0);
    if (line.starts_with(service + "\t") && line.find(words) != std::string::npos) {
      return command_for(roots, line);
    }
  }
  throw std::runtime_error("inetd.conf: no line for " + service + " with " + words);
}

Command inetd(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  write_file("/run/inetd.conf", text);
  return command_of({daemon_path("openbsd-inetd", "/usr/sbin/inetd"), "-d", "/run/inetd.conf"});
}

Command systemd_unit(const std::string& name, const std::string& roots) {
  const std::string unit = "virtual-" + name;
  const fs::path directory = "/etc/systemd/system";
  std::string service;
  for (const std::string& line : split_lines(sample("systemd/" + unit + "@.service"))) {
    service += (line.starts_with("ExecStart=") ? command_for(roots, line) : line) + "\n";
  }
  write_file(directory / (unit + "@.service"), service);
  write_file(directory / (unit + ".socket"), sample("systemd/" + unit + ".socket"));
  return systemd(unit + ".socket");
}

Command dns() {
  return command_of({daemon_path("dnsmasq-base", "/usr/sbin/dnsmasq"), "--keep-in-foreground",
                     "--user=root",
                     "--pid-file=", "--conf-file=" + sample_path("dnsmasq.conf").string()});
}

std::string must_run(const std::vector<std::string>& arguments, const std::string& input) {
  Command command = command_of(arguments);
  command.input = input;
  const Outcome outcome = run(command);
  if (outcome.status != 0) {
    throw std::runtime_error(arguments.at(0) + ": " + outcome.output + outcome.errors);
  }
  return outcome.output;
}

void make_domains(const std::vector<std::string>& programs) {
  for (const Domain& domain : kDomains) {
    if (fs::exists(domain.root())) {
      continue;
    }
    std::vector<std::string> command = {"virtfs", "-q",      "-p", "sh",
                                        "-p",     "useradd", "-p", "chpasswd"};
    for (const std::string& program : programs) {
      command.insert(command.end(), {"-p", program});
    }
    command.push_back(domain.name);
    must_run(command);
    must_run(
        {"virtexec", domain.name, "useradd", "-m", "-d", "/home/b/bob", "-s", "/bin/sh", "bob"});
    must_run({"virtexec", domain.name, "chpasswd"}, "bob:" + password(domain) + "\n");
    write_file(bobs_home(domain) / "readme", bobs_text(domain));
  }
}

fs::path bobs_home(const Domain& domain) {
  return domain.root() / "home/b/bob";
}

std::string bobs_text(const Domain& domain) {
  return "bob's at " + domain.name + "\n";
}

std::string password(const Domain& domain) {
  return "bob-of-" + domain.name;
}

std::vector<fs::path> upgrade_host(const std::vector<fs::path>& programs) {
  std::vector<fs::path> files = programs;
  for (const fs::path& program : programs) {
    const std::vector<fs::path> libraries = libraries_of(program);
    files.insert(files.end(), libraries.begin(), libraries.end());
  }
  static int upgrades = 0;
  const std::string end = "\nupgrade " + std::to_string(++upgrades);
  for (const fs::path& file : files) {
    const fs::path path = fs::canonical(file);
    const fs::path newer = path.string() + ".new";
    fs::copy_file(path, newer, fs::copy_options::overwrite_existing);
    std::ofstream(newer, std::ios::app) << end;
    fs::rename(newer, path);
  }
  return files;
}

void make_web_machine() {
  make_machine({"systemd"});
  make_domains({"busybox"});
  for (const Domain& domain : kDomains) {
    write_file(web_site(domain) / "index.html", page_of(domain));
  }
}

fs::path web_site(const Domain& domain) {
  return domain.root() / "var/www/html";
}

std::string page_of(const Domain& domain) {
  return "page of " + domain.name + "\n";
}

std::string sendmail_cf(const std::string& macros, const std::string& name) {
  return must_run(
      {"m4", "-D_CF_DIR_=/usr/share/sendmail/cf/", "/usr/share/sendmail/cf/m4/cf.m4", "-"},
      std::regex_replace(macros, std::regex("example\\.com"), name));
}

bool holds(const fs::path& file, const std::string& text) {
  return fs::exists(file) && contains(read_file(file), text);
}

bool arrives(const std::string& text, const fs::path& file) {
  return eventually([&] { return holds(file, text); });
}

Outcome curl(const std::string& url, const std::vector<std::string>& options) {
  const std::uint16_t port = port_of(url);
  const bool is_ipv6 = url.find('[') != std::string::npos;
  if (!eventually([=] { return is_listened_on(port, is_ipv6); })) {
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
  }
  std::vector<std::string> command = {"curl", "--silent", "--show-error", "--max-time", "15"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(url);
  return run(command);
}

}  // namespace testing_support
