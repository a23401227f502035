// The rules of README's section "Contributing" that a text search can check.

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

/// The code of a source and its header, without the comments.
std::string code_of(const std::string& part) {
  std::string code;
  for (const fs::path& file :
       {kSource / "src" / (part + ".cpp"), kSource / "include/virtuald" / (part + ".h")}) {
    code += fs::exists(file) ? read_file(file) : "";
  }
  return std::regex_replace(code, std::regex("//[^\n]*"), "");
}

/// All parts of the program: the paths of their files without the suffix.
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

/// The parts whose code matches `pattern`.
Names parts_with(const std::string& pattern) {
  Names found;
  for (const std::string& part : parts()) {
    if (std::regex_search(code_of(part), std::regex(pattern))) {
      found.insert(part);
    }
  }
  return found;
}

/// The other parts that a part includes.
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

/// The layers of the parts: each part includes only parts of lower layers.
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
                                            {"check/needs", 4},
                                            {"check/trial", 4},
                                            {"check/check", 5},
                                            {"enter/environment", 4},
                                            {"enter/log_mount", 4},
                                            {"enter/terminal", 4},
                                            {"enter/session", 5},
                                            {"front", 3},
                                            {"by_hand", 6},
                                            {"main", 6}};

TEST(SourceRules, each_part_includes_only_lower_layers) {
  for (const std::string& part : parts()) {
    ASSERT_TRUE(kLayers.contains(part)) << part << " has no layer";
    for (const std::string& other : known_to(part)) {
      EXPECT_LT(kLayers.at(other), kLayers.at(part)) << part << " includes " << other;
    }
  }
}

TEST(SourceRules, only_by_hand_includes_check_and_enter) {
  for (const std::string mode : {"check/", "enter/"}) {
    for (const std::string& part : parts()) {
      for (const std::string& other : known_to(part)) {
        EXPECT_TRUE(!other.starts_with(mode) || part.starts_with(mode) || part == "by_hand")
            << part << " includes " << other;
      }
    }
  }
}

TEST(SourceRules, only_front_and_main_log) {
  EXPECT_EQ((Names{"front", "log", "main"}), parts_with(R"(\b(log_message|open_log)\()"));
}

TEST(SourceRules, only_address_and_log_use_socket_addresses) {
  EXPECT_EQ((Names{"address", "log"}), parts_with("sockaddr"));
}

TEST(SourceRules, only_these_change_root_namespace_user_or_session) {
  EXPECT_EQ((Names{"check/loader", "bounds", "enter/session", "identity", "isolation", "root"}),
            parts_with(R"(::(chroot|unshare|setres[ug]id|set[ug]id|setgroups|setsid|prctl)\()"));
}

TEST(SourceRules, only_check_session_and_programs_fork_or_exec) {
  EXPECT_EQ((Names{"check/loader", "check/trial", "enter/session", "main", "program"}),
            parts_with(R"(::(execve|execv|fork)\()"));
}

TEST(SourceRules, nothing_throws_allocates_or_uses_name_services) {
  EXPECT_EQ(Names{}, parts_with(R"(\b(throw|try|catch|dynamic_cast|typeid)\b|\b(new|delete) \w)"));
  EXPECT_EQ(Names{}, parts_with(R"(\b(malloc|calloc|realloc|free|dlopen|setlocale)\()"));
  EXPECT_EQ(Names{}, parts_with(R"(\bget(pw|gr(?!oups\()|addrinfo|hostby|serv)\w*\()"));
  EXPECT_EQ(Names{},
            parts_with(R"(<(iostream|fstream|sstream|ostream|locale|string|vector|map|memory|)"
                       R"(functional|regex|stdexcept|exception)>)"));
}

TEST(SourceRules, changelog_begins_with_the_projects_version) {
  const std::string changelog = read_file(kSource / "conf/debian/changelog");
  EXPECT_EQ(std::string("virtuald (") + kVersion + ") unstable; urgency=medium",
            split_lines(changelog).at(0));
}

}  // namespace
}  // namespace testing_support
