#include "serving.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "paths.h"
#include "process.h"

namespace testing_support {

namespace fs = std::filesystem;

void make_root(const fs::path& root, const std::string& name) {
  fs::create_directories(root / "usr/sbin");
  fs::copy_file(kService, root / "usr/sbin/service", fs::copy_options::overwrite_existing);
  write_file(root / "name", name + "\n");
}

namespace {

/// Starts virtuald on a connection, and sets `client` to its other end.
pid_t start_serving(const Serving& serving, Descriptor& client) {
  const std::string& listen_on = serving.listen_on.empty() ? serving.address : serving.listen_on;
  Connection connection = connect_pair(listen_on, serving.address);
  Command command;
  command.arguments = serving.under;
  if (serving.under.empty()) {
    command.program = kVirtuald;
    command.arguments = {"virtuald"};
  } else {
    command.arguments.emplace_back(kVirtuald);
  }
  command.arguments.insert(command.arguments.end(), serving.arguments.begin(),
                           serving.arguments.end());
  command.environment = serving.environment;
  command.prepare = serving.prepare;
  const int socket = connection.server.get();
  const pid_t pid = start(command, socket, socket, socket);
  client = std::move(connection.client);
  ::send(client.get(), serving.request.data(), serving.request.size(), MSG_NOSIGNAL);
  ::shutdown(client.get(), SHUT_WR);
  return pid;
}

Served finish_serving(pid_t pid, const Descriptor& client, LogSocket& log) {
  Served served;
  served.answer = receive_all(client.get());
  served.status = wait_for(pid);
  served.log = log.take();
  return served;
}

}  // namespace

Served serve(const Serving& serving) {
  LogSocket log;
  Descriptor client;
  const pid_t pid = start_serving(serving, client);
  return finish_serving(pid, client, log);
}

Served serve_stopped(const Serving& serving, const std::string& name, int number,
                     const std::function<void()>& change) {
  const TemporaryDirectory directory;
  const std::string trace = directory.path() / "trace";
  Serving traced = serving;
  traced.under = {"strace",
                  "-o",
                  trace,
                  "-e",
                  "trace=" + name,
                  "-e",
                  "inject=" + name + ":signal=SIGSTOP:when=" + std::to_string(number)};
  LogSocket log;
  Descriptor client;
  const pid_t tracer = start_serving(traced, client);
  const bool stopped = eventually([&trace] {
    return fs::exists(trace) &&
           read_file(trace).find("--- stopped by SIGSTOP ---") != std::string::npos;
  });
  EXPECT_TRUE(stopped) << "no call " << number << " of " << name;
  const std::string id = std::to_string(tracer);
  const std::string tracee = read_file("/proc/" + id + "/task/" + id + "/children");
  change();
  ::kill(std::stoi(tracee), SIGCONT);
  return finish_serving(tracer, client, log);
}

Served serve(const std::vector<std::string>& arguments) {
  Serving serving;
  serving.arguments = arguments;
  return serve(serving);
}

void expect_refusal(const Served& served, int status, const std::string& message) {
  EXPECT_EQ("", served.answer);
  EXPECT_EQ(status, served.status);
  ASSERT_EQ(1U, served.log.size());
  EXPECT_EQ(message, without_prefix(served.log[0]));
}

std::string reason_of(int code) {
  if (kVirtualdHasMusl) {
    switch (code) {
      case ELOOP:
        return "Symbolic link loop";
      case ENAMETOOLONG:
        return "Filename too long";
      case ENOTSOCK:
        return "Not a socket";
      case EMFILE:
        return "No file descriptors available";
      case EBUSY:
        return "Resource busy";
      case EIO:
        return "I/O error";
      default:
        break;
    }
  }
  return std::strerror(code);
}

void make_two_domains() {
  make_root("/virtual/domain1.com", "domain1");
  make_root("/virtual/domain2.com", "domain2");
  write_file("/virtual/conf",
             "127.0.0.2 /virtual/domain1.com\n"
             "::1 /virtual/domain1.com\n"
             "127.0.0.3 /virtual/domain2.com\n");
}

}  // namespace testing_support
