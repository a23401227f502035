#include "served.h"

#include <signal.h>

#include <filesystem>
#include <map>
#include <regex>
#include <stdexcept>

#include "files.h"
#include "paths.h"
#include "process.h"

namespace testing_support {

void make_domain(const std::string& name) {
  const std::filesystem::path root = "/virtual/" + name;
  write_file(root / "name", name + "\n");
  write_file(root / "etc/passwd",
             "root:x:0:0:root:/root:/bin/sh\n"
             "www:x:33:33:www:/var/www:/bin/sh\n"
             "mail:x:8:8:mail:/var/mail:/bin/sh\n");
  write_file(root / "etc/group", "root:x:0:\nwww:x:33:\nextra:x:44:www\nmail:x:8:\n");
  std::filesystem::create_directories(root / "bin");
  std::filesystem::copy_file(kService, root / "bin/service",
                             std::filesystem::copy_options::overwrite_existing);
}

Serving::Serving(const Call& call) {
  Connection connection = connect_pair(call.address);
  Command command;
  command.arguments = call.under;
  command.arguments.emplace_back(kVirtuald);
  command.arguments.insert(command.arguments.end(), call.options.begin(), call.options.end());
  command.arguments.push_back(call.config);
  command.arguments.insert(command.arguments.end(), call.service.begin(), call.service.end());
  command.environment = std::map<std::string, std::string>{{"PATH", "/bin"}};
  command.prepare = call.prepare;
  const int socket = connection.server.get();
  pid_ = start(command, socket, socket, socket);
  client_ = std::move(connection.client);
}

Served Serving::finish(LogSocket& log) {
  Served served;
  served.answer = receive_all(client_.get());
  served.status = wait_for(pid_);
  for (const std::string& datagram : log.take()) {
    served.log.push_back(shorten(datagram));
  }
  return served;
}

Served serve(const Call& call, LogSocket& log) {
  return Serving(call).finish(log);
}

Served serve_stopped(const Call& call, const std::string& name, int number,
                     const std::function<void()>& change, LogSocket& log) {
  const TemporaryDirectory directory;
  const std::string trace = directory.path() / "trace";
  Call traced = call;
  traced.under = {"strace",
                  "-o",
                  trace,
                  "-e",
                  "trace=" + name,
                  "-e",
                  "inject=" + name + ":signal=SIGSTOP:when=" + std::to_string(number)};
  Serving serving(traced);
  const bool stopped = eventually([&trace] {
    return std::filesystem::exists(trace) &&
           read_file(trace).find("--- stopped by SIGSTOP ---") != std::string::npos;
  });
  if (!stopped) {
    throw std::runtime_error("virtuald made no call " + std::to_string(number) + " of " + name);
  }
  const std::string tracer = std::to_string(serving.pid());
  const std::string tracee = read_file("/proc/" + tracer + "/task/" + tracer + "/children");
  change();
  ::kill(std::stoi(tracee), SIGCONT);
  return serving.finish(log);
}

std::string shorten(const std::string& datagram) {
  static const std::regex kIdent(R"(^(<[0-9]+>)virtuald\[[0-9]+\]: )");
  return std::regex_replace(datagram, kIdent, "$1", std::regex_constants::format_first_only);
}

}  // namespace testing_support
