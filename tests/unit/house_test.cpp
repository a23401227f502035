// The rules of README's section "Contributing" that a text search can hold.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "files.h"
#include "paths.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

const fs::path kSource = kSourceDirectory;

/// A source with its own header, without the comments.
std::string code_of(const std::string& part) {
  std::string code;
  for (const fs::path& file :
       {kSource / "src" / (part + ".cpp"), kSource / "include/virtuald" / (part + ".h")}) {
    code += fs::exists(file) ? read_file(file) : "";
  }
  return std::regex_replace(code, std::regex("//[^\n]*"), "");
}

/// Every part of the program, by its file's path without the ending.
Names parts() {
  Names names;
  for (const fs::path& top : {kSource / "src", kSource / "include/virtuald"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h") {
        names.insert(entry.path().lexically_relative(top).replace_extension());
      }
    }
  }
  return names;
}

/// Those whose code has a match of `pattern`.
Names parts_with(const std::string& pattern) {
  Names found;
  for (const std::string& part : parts()) {
    if (std::regex_search(code_of(part), std::regex(pattern))) {
      found.insert(part);
    }
  }
  return found;
}

/// What a part includes of the others.
Names known_to(const std::string& part) {
  const std::string code = code_of(part);
  const std::regex include(R"re(#include "virtuald/([\w/]+)\.h")re");
  Names known;
  for (std::sregex_iterator match(code.begin(), code.end(), include), end; match != end; ++match) {
    known.insert((*match)[1]);
  }
  known.erase(part);
  return known;
}

/// The parts in layers: each knows none but those of the layers before its own.
const std::map<std::string, int> kLayers = {{"call_filter", 0},
                                            {"clock", 0},
                                            {"error", 0},
                                            {"line_reader", 0},
                                            {"number_text", 0},
                                            {"address", 1},
                                            {"bounds", 1},
                                            {"inherited", 1},
                                            {"log", 1},
                                            {"options", 1},
                                            {"root", 1},
                                            {"trust", 1},
                                            {"config", 2},
                                            {"identity", 2},
                                            {"interpreter", 2},
                                            {"isolation", 2},
                                            {"program", 3},
                                            {"check/line_table", 4},
                                            {"check/loader", 4},
                                            {"check/trial", 4},
                                            {"check/check", 5},
                                            {"enter/environment", 4},
                                            {"enter/log_mount", 4},
                                            {"enter/terminal", 4},
                                            {"enter/session", 5},
                                            {"front", 3},
                                            {"by_hand", 6},
                                            {"main", 6}};

TEST(House, each_part_knows_only_the_layers_before_its_own) {
  for (const std::string& part : parts()) {
    ASSERT_TRUE(kLayers.contains(part)) << part << " has no layer";
    for (const std::string& other : known_to(part)) {
      EXPECT_LT(kLayers.at(other), kLayers.at(part)) << part << " includes " << other;
    }
  }
}

TEST(House, only_the_program_for_it_knows_what_only_one_mode_needs) {
  for (const std::string mode : {"check/", "enter/"}) {
    for (const std::string& part : parts()) {
      for (const std::string& other : known_to(part)) {
        EXPECT_TRUE(!other.starts_with(mode) || part.starts_with(mode) || part == "by_hand")
            << part << " includes " << other;
      }
    }
  }
}

TEST(House, only_the_programs_log) {
  EXPECT_EQ((Names{"front", "log", "main"}), parts_with(R"(\b(log_message|open_log)\()"));
}

TEST(House, only_the_address_and_the_logs_own_socket_are_socket_addresses) {
  EXPECT_EQ((Names{"address", "log"}), parts_with("sockaddr"));
}

TEST(House, only_these_change_what_the_process_is) {
  EXPECT_EQ((Names{"check/loader", "bounds", "enter/session", "identity", "isolation", "root"}),
            parts_with(R"(::(chroot|unshare|setres[ug]id|set[ug]id|setgroups|setsid|prctl)\()"));
}

TEST(House, only_check_a_session_and_the_programs_fork_or_become_another) {
  EXPECT_EQ((Names{"check/loader", "check/trial", "enter/session", "main", "program"}),
            parts_with(R"(::(execve|execv|fork)\()"));
}

TEST(House, nothing_throws_allocates_or_asks_the_hosts_name_services) {
  EXPECT_EQ(Names{}, parts_with(R"(\b(throw|try|catch|dynamic_cast|typeid)\b|\b(new|delete) \w)"));
  EXPECT_EQ(Names{}, parts_with(R"(\b(malloc|calloc|realloc|free|dlopen|setlocale)\()"));
  EXPECT_EQ(Names{}, parts_with(R"(\bget(pw|gr(?!oups\()|addrinfo|hostby|serv)\w*\()"));
  EXPECT_EQ(Names{},
            parts_with(R"(<(iostream|fstream|sstream|ostream|locale|string|vector|map|memory|)"
                       R"(functional|regex|stdexcept|exception)>)"));
}

TEST(House, changelog_begins_with_the_projects_version) {
  const std::string changelog = read_file(kSource / "conf/debian/changelog");
  EXPECT_EQ(std::string("virtuald (") + kVersion + ") unstable; urgency=medium",
            split_lines(changelog).at(0));
}

}  // namespace
}  // namespace testing_support
