// cmake --install: what a machine gets.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "files.h"
#include "package.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class Install : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    const Outcome outcome = run({"cmake", "--install", kBuildDirectory, "--prefix", "/run/usr"});
    ASSERT_EQ(0, outcome.status) << outcome.errors;
  }

  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(0, ::lstat(path.c_str(), &status)) << path;
    return status.st_mode & 07777;
  }
};

TEST_F(Install, programs_are_in_bin_and_everybody_can_run_them) {
  for (const char* name : {"virtuald", "virtfs", "virtexec", "syslog.init", "sendmail.init"}) {
    EXPECT_EQ(0755U, mode_of(fs::path("/run/usr/bin") / name)) << name;
  }
}

TEST_F(Install, virtexec_has_its_links) {
  for (const char* name : {"virtadduser", "virtdeluser", "virtmailq", "virtnewaliases",
                           "virtpasswd", "virtsmbstatus", "virtvi"}) {
    EXPECT_EQ("virtexec", fs::read_symlink(fs::path("/run/usr/bin") / name)) << name;
  }
}

TEST_F(Install, every_command_has_its_page) {
  for (const char* name : {"virtuald", "virtfs", "virtexec", "syslog.init", "sendmail.init"}) {
    EXPECT_EQ(0644U, mode_of(fs::path("/run/usr/share/man/man8") / (std::string(name) + ".8")));
  }
  EXPECT_EQ(0644U, mode_of("/run/usr/share/man/man5/virtuald.conf.5"));
  EXPECT_EQ(0644U, mode_of("/run/usr/share/man/man7/virtuald.7"));
}

TEST_F(Install, samples_are_in_the_documentation_directory) {
  EXPECT_TRUE(fs::exists("/run/usr/share/doc/virtuald/examples/conf.ftp"));
  EXPECT_TRUE(fs::exists("/run/usr/share/doc/virtuald/examples/inetd.conf"));
}

TEST_F(Install, files_name_only_the_installation_prefix) {
  ASSERT_EQ(0,
            run({"cmake", "--install", kBuildDirectory, "--prefix", "/run/strange/place"}).status);
  const std::regex path(R"(([/\w]*)/(bin/(virt[a-z]+|[a-z]+\.init)|share/(doc/)?virtuald)\b)");
  std::size_t named = 0;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator("/run/strange/place/share")) {
    const std::string text = entry.is_regular_file() ? read_file(entry.path()) : "";
    for (std::sregex_iterator match(text.begin(), text.end(), path), end; match != end; ++match) {
      const std::string prefix = (*match)[1];
      EXPECT_TRUE(prefix.empty() || prefix == "/run/strange/place")
          << entry << ": " << match->str();
      named += prefix.empty() ? 0U : 1U;
    }
    EXPECT_EQ(std::string::npos, text.find("@BINDIR@")) << entry;
  }
  EXPECT_GT(named, 25U);  // in samples, units and pages
}

TEST_F(Install, installed_program_runs) {
  const Outcome outcome = run({"/run/usr/bin/virtuald", "-V"});
  EXPECT_EQ(std::string("virtuald ") + kVersion + "\n", outcome.output);
}

TEST_F(Install, installed_program_works_under_any_prefix) {
  const fs::path prefix = "/run/share/of/it";
  ASSERT_EQ(0, run({"cmake", "--install", kBuildDirectory, "--prefix", prefix}).status);
  EXPECT_EQ(0, run({prefix / "bin/virtuald", "-V"}).status);
  write_file("/run/conf", "127.0.0.2 /run\n");
  EXPECT_EQ("/run/conf: entries: 1, errors: 0, warnings: 0\n",
            run({prefix / "bin/virtuald", "-t", "/run/conf"}).output);
}

TEST_F(Install, by_hand_is_found_through_a_link) {
  fs::create_symlink("/run/usr/bin/virtuald", "/run/link");
  EXPECT_EQ("", run({"/run/link", "-x", "/", "true"}).errors);
}

TEST_F(Install, missing_by_hand_is_named) {
  fs::remove("/run/usr/libexec/virtuald/virtuald-by-hand");
  const Outcome outcome = run({"/run/usr/bin/virtuald", "-x", "/", "true"});
  EXPECT_EQ(
      "virtuald: exec /run/usr/bin/../libexec/virtuald/virtuald-by-hand: No such file or "
      "directory\n",
      outcome.errors);
  EXPECT_EQ(125, outcome.status);
}

TEST_F(Install, installed_scripts_find_their_shared_files) {
  for (const char* name : {"virtfs", "virtexec", "syslog.init", "sendmail.init"}) {
    const Outcome outcome = run({std::string("/run/usr/bin/") + name, "-h"});
    EXPECT_EQ(0, outcome.status) << name << outcome.errors;
  }
}

TEST_F(Install, manifest_lists_every_installed_file) {
  for (const std::string& file :
       split_lines(read_file(fs::path(kBuildDirectory) / "install_manifest.txt"))) {
    fs::remove(file);
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator("/run/usr")) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
  }
}

// The shipped programs are static, whichever program is under test.
TEST_F(Install, programs_need_no_library_and_are_hardened) {
  for (const char* name : {"bin/virtuald", "libexec/virtuald/virtuald-by-hand"}) {
    SCOPED_TRACE(name);
    const Outcome sections = run({"readelf", "-dlW", std::string("/run/usr/") + name});
    EXPECT_EQ(std::string::npos, sections.output.find("(NEEDED)"));
    EXPECT_EQ(std::string::npos, sections.output.find("INTERP"));
    EXPECT_NE(sections.output.find("Elf file type is DYN"), std::string::npos);
    EXPECT_NE(sections.output.find("GNU_RELRO"), std::string::npos);
    EXPECT_NE(sections.output.find("BIND_NOW"), std::string::npos);
    for (const std::string& line : split_lines(sections.output)) {
      if (line.find("GNU_STACK") != std::string::npos) {
        EXPECT_EQ(std::string::npos, line.find("RWE")) << line;
      }
    }
  }
}

/// The kernel maps 64 KiB at once; the code fits, and data and section headers follow. With another
/// libc the program is larger.
TEST_F(Install, program_of_every_connection_is_small) {
  const Outcome outcome = run({"strip", "-o", "/run/stripped", "/run/usr/bin/virtuald"});
  ASSERT_EQ(0, outcome.status) << outcome.errors;
  EXPECT_LT(fs::file_size("/run/stripped"), 68U * 1024);
}

/// The Debian package, installed in a root that contains only a shell.
class Package : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    package_ = make_package("/run/package");
    fs::create_directories(root_ / "var/lib/dpkg/info");
    fs::create_directories(root_ / "var/lib/dpkg/updates");
    write_file(root_ / "var/lib/dpkg/status", "");
    fs::create_directories(root_ / "bin");
    fs::copy_file("/bin/busybox", root_ / "bin/busybox");
    fs::create_symlink("busybox", root_ / "bin/sh");
    dpkg({"--install", package_.string()});
  }

  void dpkg(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"dpkg", "--root=" + root_.string(), "--force-script-chrootless"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(0, outcome.status) << outcome.errors;
  }

  fs::path root_ = "/run/bare";
  fs::path package_;
};

/// Root sources the settings and starts the programs, so a careless umask must not make them
/// writable.
TEST_F(Package, contains_nothing_writable_by_others_whatever_the_umask) {
  const mode_t before = ::umask(0);
  const fs::path package = make_package("/run/careless");
  ::umask(before);
  const std::string listing = run({"dpkg-deb", "-c", package.string()}).output;
  EXPECT_PRED2(contains, listing, "./etc/default/virtuald\n");
  for (const std::string& line : split_lines(listing)) {
    EXPECT_TRUE(line.front() == 'l' || (line.at(5) == '-' && line.at(8) == '-')) << line;
  }
}

TEST_F(Package, needs_no_other_package) {
  EXPECT_EQ("", run({"dpkg-deb", "-f", package_.string(), "Depends", "Pre-Depends"}).output);
}

TEST_F(Package, program_runs_without_any_library) {
  EXPECT_EQ(std::string("virtuald ") + kVersion + "\n",
            run({"chroot", root_.string(), "/usr/bin/virtuald", "-V"}).output);
}

TEST_F(Package, settings_are_a_conffile) {
  EXPECT_EQ("/etc/default/virtuald\n", read_file(root_ / "var/lib/dpkg/info/virtuald.conffiles"));
  EXPECT_TRUE(fs::exists(root_ / "etc/default/virtuald"));
}

TEST_F(Package, leaves_nothing_when_it_is_purged) {
  EXPECT_TRUE(fs::exists(root_ / "usr/share/man/man7/virtuald.7.gz"));
  EXPECT_TRUE(fs::exists(root_ / "usr/share/man/man8/virtuald.8.gz"));
  dpkg({"--purge", "virtuald"});
  EXPECT_FALSE(fs::exists(root_ / "usr"));
  EXPECT_FALSE(fs::exists(root_ / "etc"));
}

}  // namespace
}  // namespace testing_support
