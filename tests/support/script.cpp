#include "script.h"

#include <unistd.h>

#include <cstddef>
#include <map>
#include <string_view>

#include "paths.h"

namespace testing_support {
namespace {

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
  }
  return variables;
}

}  // namespace

Command ShellTest::script(const std::string& name,
                          const std::vector<std::string>& arguments) const {
  Command command;
  command.arguments.emplace_back(GetParam());
  if (command.arguments.front() == "busybox") {
    command.arguments.emplace_back("sh");
  }
  command.arguments.push_back(
      name.front() == '/' ? name : std::string(kSourceDirectory) + "/scripts/bin/" + name);
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.environment = own_environment();
  (*command.environment)["VIRTUALD"] = kVirtuald;
  command.environment->erase("VIRTUAL");
  return command;
}

Outcome ShellTest::run_script(const std::string& name,
                              const std::vector<std::string>& arguments) const {
  return run(script(name, arguments));
}

}  // namespace testing_support
