// What bash completes for virtfs and virtexec.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "files.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    for (const char* name : {"example.com", "example.net", "other.test"}) {
      fs::create_directories(fs::path("/virtual") / name / "usr/bin");
    }
    write_file("/virtual/conf.ftp", "");
    write_program("/virtual/example.com/usr/bin/sleep", "");
    write_program("/virtual/example.com/usr/bin/sl", "");
    write_file("/virtual/example.com/usr/bin/slow.txt", "");
  }

  /// The completions of the last word of the line, which may be empty.
  static std::string complete(const std::string& words) {
    const std::string source = kSourceDirectory;
    const Outcome outcome =
        run({"env", "PATH=" + source + "/scripts/bin:/usr/bin:/bin", "bash", "-c",
             "COMP_WORDS=(" + words + ")\n" +
                 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                 ". " +
                 source + "/scripts/share/bash-completion/completions/${COMP_WORDS[0]}\n" +
                 "_${COMP_WORDS[0]}\n"
                 "printf '%s\\n' \"${COMPREPLY[*]}\""});
    return outcome.errors + outcome.output;
  }
};

TEST_F(Completion, virtexec_takes_a_domain) {
  EXPECT_EQ("example.com example.net\n", complete("virtexec ex"));
}

TEST_F(Completion, virtexec_takes_a_program_of_the_domain) {
  EXPECT_EQ("sl sleep\n", complete("virtexec example.com sl"));
}

TEST_F(Completion, virtexec_follows_no_link_of_a_domain) {
  fs::create_directories("/run/secret");
  write_program("/run/secret/sleuth", "");
  fs::remove_all("/virtual/example.com/usr/bin");
  fs::create_directory_symlink("/run/secret", "/virtual/example.com/usr/bin");
  EXPECT_EQ("\n", complete("virtexec example.com sl"));
}

TEST_F(Completion, virtexec_leaves_out_what_bash_would_expand) {
  write_program("/virtual/example.com/usr/bin/sl$(touch proof)", "");
  write_program("/virtual/example.com/usr/bin/sl\nfoo", "");
  EXPECT_EQ("sl sleep\n", complete("virtexec example.com sl"));
}

TEST_F(Completion, virtfs_takes_its_options) {
  EXPECT_PRED2(contains, complete("virtfs -"), "-a -d -f ");
}

TEST_F(Completion, virtfs_takes_a_program_of_the_host) {
  EXPECT_EQ("sha512sum\n", complete("virtfs -p sha512s"));
}

TEST_F(Completion, virtfs_takes_a_configuration) {
  EXPECT_EQ("/virtual/conf.ftp\n", complete("virtfs -a 10.10.10.129 -f ''"));
}

TEST_F(Completion, virtfs_takes_a_domain_to_remove) {
  EXPECT_EQ("other.test\n", complete("virtfs -r o"));
}

TEST_F(Completion, virtfs_takes_a_domain_to_rename_but_no_new_name) {
  EXPECT_EQ("other.test\n", complete("virtfs -m o"));
  EXPECT_EQ("other.test\n", complete("virtfs -mn -d /virtual o"));
  EXPECT_EQ("\n", complete("virtfs -mn -d /virtual example.com o"));
}

TEST_F(Completion, virtfs_leaves_the_name_of_a_new_domain_to_the_administrator) {
  EXPECT_EQ("\n", complete("virtfs -p sh o"));
}

}  // namespace
}  // namespace testing_support
