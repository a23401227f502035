// Many connections at a time under real super servers, while the configuration keeps being
// replaced.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "daemons.h"
#include "domains.h"
#include "files.h"
#include "log_socket.h"
#include "network.h"
#include "paths.h"
#include "process.h"
#include "world.h"

namespace testing_support {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDomains = 8;
constexpr std::size_t kConnections = 20'000;
constexpr std::size_t kWarmUp = 1'000;
constexpr std::size_t kAtATime = 64;
constexpr std::uint16_t kPort = 5000;        // virtuald, which starts the service
constexpr std::uint16_t kDirectPort = 5001;  // only the service

std::string address_of(std::size_t domain) {
  return "127.0.1." + std::to_string(domain + 1);
}

std::string name_of(std::size_t domain) {
  return "domain" + std::to_string(domain + 1) + ".com";
}

/// A configuration with all domains, beginning with `first` and wrapping around.
std::string make_config(std::size_t first) {
  std::string text = "# in another order each time\n";
  for (std::size_t index = 0; index < kDomains; ++index) {
    const std::size_t domain = (first + index) % kDomains;
    text += address_of(domain) + " /virtual/" + name_of(domain) + "\n";
  }
  return text;
}

/// The results of many connections.
struct Tally {
  std::size_t right = 0;  // answers from the domain that was reached
  std::size_t wrong = 0;  // from another
  std::size_t lost = 0;   // none
  double seconds = 0;
};

/// A client whose connection is in progress.
struct Client {
  Descriptor socket;
  std::size_t domain = 0;
  std::string answer;
};

Descriptor begin_connection(std::size_t domain, std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(port);
  ::inet_pton(AF_INET, address_of(domain).c_str(), &target.sin_addr);
  ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target);
  return socket;
}

/// True once the answer is whole.
bool receive_more(Client& client) {
  char buffer[256];
  const ssize_t count = ::read(client.socket.get(), buffer, sizeof buffer);
  if (count > 0) {
    client.answer.append(buffer, static_cast<std::size_t>(count));
  }
  return count == 0 || (count < 0 && errno != EAGAIN);
}

/// Makes `total` connections, kAtATime at a time, to all domains in turn. `name` returns the right
/// answer for each.
Tally load(std::size_t total, std::uint16_t port, std::string (*name)(std::size_t)) {
  Tally tally;
  std::array<Client, kAtATime> clients;
  std::array<pollfd, kAtATime> waiting{};
  std::size_t begun = 0;
  std::size_t done = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto next = [&](std::size_t slot) {
    clients[slot] = Client();
    waiting[slot] = {-1, POLLIN, 0};
    if (begun < total) {
      clients[slot].domain = begun++ % kDomains;
      clients[slot].socket = begin_connection(clients[slot].domain, port);
      waiting[slot].fd = clients[slot].socket.get();
    }
  };
  for (std::size_t slot = 0; slot < kAtATime; ++slot) {
    next(slot);
  }
  while (done < total) {
    if (::poll(waiting.data(), waiting.size(), 20'000) <= 0) {
      tally.lost += total - done;
      break;
    }
    for (std::size_t slot = 0; slot < kAtATime; ++slot) {
      if (waiting[slot].revents == 0 || !receive_more(clients[slot])) {
        continue;
      }
      const std::string& answer = clients[slot].answer;
      ++(answer.empty()                                ? tally.lost
         : answer == name(clients[slot].domain) + "\n" ? tally.right
                                                       : tally.wrong);
      ++done;
      next(slot);
    }
  }
  tally.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return tally;
}

/// Repeats a step in a thread until it is destroyed.
class Repeating {
 public:
  /// Calls `step` with 0, 1, 2 and so on.
  explicit Repeating(void (*step)(std::size_t))
      : thread_([this, step] {
          for (; !stopping_; ++count_) {
            step(count_);
          }
        }) {}
  ~Repeating() { stop(); }
  Repeating(const Repeating&) = delete;
  Repeating& operator=(const Repeating&) = delete;

  /// Returns how often the step was taken.
  std::size_t stop() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    return count_;
  }

 private:
  std::atomic<bool> stopping_ = false;
  std::size_t count_ = 0;
  std::thread thread_;
};

/// Replaces the configuration by rename.
void replace_config(std::size_t turn) {
  write_file("/virtual/conf.new", make_config(turn % kDomains));
  fs::rename("/virtual/conf.new", "/virtual/conf");
  // Leaves the processors to the connections.
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Counts virtuald's lines in the log as they arrive.
class LogCount {
 public:
  /// `roots` is what the lines say about roots besides their names.
  explicit LogCount(std::string roots) : roots_(std::move(roots)), thread_([this] { count(); }) {}
  ~LogCount() { stop(); }
  LogCount(const LogCount&) = delete;
  LogCount& operator=(const LogCount&) = delete;

  void stop() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  [[nodiscard]] std::size_t right() const { return right_; }
  [[nodiscard]] const std::vector<std::string>& others() const { return others_; }

 private:
  void count() {
    while (!stopping_) {
      pollfd waiting = {log_.descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, 10);
      take();
    }
    take();
  }

  /// Whether the domain in the line belongs to the address in it.
  [[nodiscard]] bool is_right(const std::string& line) const {
    const std::string address = " to 127.0.1.";
    const std::size_t at = line.find(address);
    if (at == std::string::npos) {
      return false;
    }
    const char number = line[at + address.size()];
    const std::string root = std::string(": root /virtual/domain") + number + ".com";
    return line.starts_with("<30>virtuald[") && line.ends_with(root + roots_ + ", program service");
  }

  void take() {
    for (const std::string& line : log_.take()) {
      if (is_right(line)) {
        ++right_;
      } else if (line.find("virtuald[") != std::string::npos) {
        others_.push_back(line);
      }
    }
  }

  std::string roots_;
  LogSocket log_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> right_ = 0;
  std::vector<std::string> others_;
  std::thread thread_;
};

/// The resources that a super server holds.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t kilobytes = 0;
  std::string children;
};

Holdings holdings_of(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  Holdings holdings;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory + "/fd")) {
    ++holdings.descriptors;
  }
  const std::string status = read_file(directory + "/status");
  holdings.kilobytes = std::stoul(status.substr(status.find("VmRSS:") + 6));
  holdings.children = read_file(directory + "/task/" + std::to_string(pid) + "/children");
  return holdings;
}

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_REAL_ROOT();
    for (std::size_t domain = 0; domain < kDomains; ++domain) {
      const fs::path root = "/virtual/" + name_of(domain);
      fs::create_directories(root / "bin");
      fs::copy_file(kService, root / "bin/service", fs::copy_options::overwrite_existing);
      write_file(root / "name", name_of(domain) + "\n");
    }
    write_file("/virtual/conf", make_config(0));
    write_file("/name", "host\n");
  }

  /// Puts load on the super server that `command` starts, and expects that it loses no connection
  /// and leaks no resources.
  static void try_super_server(const std::string& name, const Command& command,
                               const std::string& roots = "") {
    LogCount log(roots);
    const BackgroundProcess server(command);
    ask(address_of(0), kDirectPort);  // It listens now.
    expect_all_right(load(kWarmUp, kPort, name_of), kWarmUp);
    eventually([&server] { return holdings_of(server.pid()).children.empty(); });
    const Holdings before = holdings_of(server.pid());
    Repeating replacing(replace_config);
    const Tally tally = load(kConnections, kPort, name_of);
    const std::size_t replaced = replacing.stop();
    expect_all_right(tally, kConnections);
    EXPECT_GT(replaced, 100U);
    // A zombie would remain in the list.
    EXPECT_TRUE(eventually([&server] { return holdings_of(server.pid()).children.empty(); }));
    const Holdings after = holdings_of(server.pid());
    EXPECT_EQ(before.descriptors, after.descriptors);
    EXPECT_LE(after.kilobytes, before.kilobytes + 256);
    EXPECT_TRUE(eventually([&log] { return log.right() >= kConnections + kWarmUp; }));
    log.stop();
    EXPECT_EQ(kConnections + kWarmUp, log.right());
    EXPECT_TRUE(log.others().empty()) << log.others().front();

    const Tally direct =
        load(kConnections / 4, kDirectPort, [](std::size_t) { return std::string("host"); });
    expect_all_right(direct, kConnections / 4);
    std::printf(
        "%s: %zu connections, %.0f a second (the service alone: %.0f); configuration "
        "replaced %zu times\n",
        name.c_str(), kConnections, kConnections / tally.seconds, kConnections / 4 / direct.seconds,
        replaced);
  }

  static void expect_all_right(const Tally& tally, std::size_t total) {
    EXPECT_EQ(total, tally.right);
    EXPECT_EQ(0U, tally.wrong);
    EXPECT_EQ(0U, tally.lost);
  }
};

/// The number of mounts in all namespaces of the machine; 0 if the kernel does not show it.
long mounts_in_use() {
  for (const std::string& line : split_lines(read_file("/proc/slabinfo"))) {
    if (line.starts_with("mnt_cache ")) {
      return std::stol(line.substr(std::strlen("mnt_cache")));
    }
  }
  return 0;
}

class LoadOfRoots : public Load, public testing::WithParamInterface<const char*> {};

INSTANTIATE_ROOTS(LoadOfRoots);

TEST_P(LoadOfRoots, openbsd_inetd) {
  NEEDS_PACKAGES("openbsd-inetd");
  const std::string inetd = daemon_path("openbsd-inetd", "/usr/sbin/inetd");
  const std::string start = " stream tcp4 nowait.100000 root ";
  const std::string service = kService;
  const std::string virtuald = kVirtuald;
  const bool is_isolated = std::string(GetParam()) == "isolated";
  write_file("/virtual/inetd.conf",
             std::to_string(kPort) + start + virtuald + " virtuald " + (is_isolated ? "-i " : "") +
                 "-v /virtual/conf service name\n" + std::to_string(kDirectPort) + start + service +
                 " service name\n");
  const std::string mounts = read_file("/proc/self/mountinfo");
  const long in_use = mounts_in_use();
  try_super_server(std::string("openbsd-inetd, ") + GetParam(),
                   command_of({inetd, "-i", "/virtual/inetd.conf"}),
                   is_isolated ? ", isolated" : "");
  // The namespaces of each isolated connection end with it. The kernel frees them a little later,
  // and other tests are using the machine.
  EXPECT_EQ(mounts, read_file("/proc/self/mountinfo"));
  EXPECT_TRUE(eventually([in_use] { return mounts_in_use() < in_use + 5000; })) << mounts_in_use();
}

/// One service of xinetd's configuration.
std::string xinetd_service(const std::string& name, std::uint16_t port, const std::string& server,
                           const std::string& arguments) {
  return "service " + name + "\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n" +
         " wait = no\n user = root\n instances = UNLIMITED\n per_source = UNLIMITED\n" +
         " cps = 100000 1\n port = " + std::to_string(port) + "\n server = " + server +
         "\n server_args = " + arguments + "\n}\n";
}

TEST_F(Load, xinetd) {
  NEEDS_PACKAGES("xinetd");
  const std::string xinetd = daemon_path("xinetd", "/usr/sbin/xinetd");
  // xinetd looks up its protocol, even a number, in /etc/protocols.
  overlay("/etc", {"netbase"});
  write_file("/virtual/xinetd.conf",
             "defaults\n{\n log_type = FILE /dev/null\n}\n" +
                 xinetd_service("wrapped", kPort, kVirtuald, "-v /virtual/conf service name") +
                 xinetd_service("direct", kDirectPort, kService, "name"));
  Command command =
      command_of({xinetd, "-dontfork", "-f", "/virtual/xinetd.conf", "-pidfile", "/run/pid"});
  command.environment = std::map<std::string, std::string>{};
  try_super_server("xinetd", command);
}

/// Upgrades the host's libc, and updates all domains.
void update_domains(std::size_t /*turn*/) {
  upgrade_host({"/usr/bin/cat"});
  must_run({std::string(kSourceDirectory) + "/scripts/bin/virtfs", "-uq"});
}

/// The program is dynamic: its libc and loader are replaced while connections start it.
TEST(LoadOfUpdates, connections_are_served_at_every_moment) {
  NEEDS_REAL_ROOT();
  NEEDS_PACKAGES("openbsd-inetd");
  constexpr std::size_t kUpdateConnections = 5'000;
  make_writable("/usr");
  ::setenv("VIRTUALD", kVirtuald, 1);
  for (std::size_t domain = 0; domain < kDomains; ++domain) {
    must_run({std::string(kSourceDirectory) + "/scripts/bin/virtfs", "-q", "-p", "cat",
              name_of(domain)});
    write_file("/virtual/" + name_of(domain) + "/name", name_of(domain) + "\n");
  }
  write_file("/virtual/conf", make_config(0));
  write_file("/virtual/inetd.conf", std::to_string(kPort) + " stream tcp4 nowait.100000 root " +
                                        kVirtuald + " virtuald -i /virtual/conf cat /name\n");
  const BackgroundProcess server(
      command_of({daemon_path("openbsd-inetd", "/usr/sbin/inetd"), "-i", "/virtual/inetd.conf"}));
  ask(address_of(0), kPort);  // It listens now.
  Repeating updating(update_domains);
  const Tally tally = load(kUpdateConnections, kPort, name_of);
  const std::size_t updated = updating.stop();
  EXPECT_EQ(kUpdateConnections, tally.right);
  EXPECT_EQ(0U, tally.wrong);
  EXPECT_EQ(0U, tally.lost);
  EXPECT_GT(updated, 1U);
  std::printf("%zu connections during %zu updates of %zu domains\n", kUpdateConnections, updated,
              kDomains);
}

/// inetd cannot start anything for a while: the client gets nothing, and the next one is served.
/// inetd runs as another user, because root's processes are not limited.
TEST_F(Load, inetd_out_of_processes) {
  NEEDS_PACKAGES("openbsd-inetd");
  const std::string inetd = daemon_path("openbsd-inetd", "/usr/sbin/inetd");
  write_file("/virtual/inetd.conf", std::to_string(kPort) + " stream tcp4 nowait.100000 games " +
                                        kVirtuald + " virtuald /virtual/conf service name\n");
  const BackgroundProcess server(command_of(
      {"setpriv", "--reuid=games", "--clear-groups", "--inh-caps", "+sys_chroot", "--ambient-caps",
       "+sys_chroot", "prlimit", "--nproc=2", inetd, "-i", "/virtual/inetd.conf"}));
  EXPECT_EQ(name_of(0) + "\n", ask(address_of(0), kPort));
  // A child that inetd has not waited for yet counts too, even after the end of `other`.
  ASSERT_TRUE(eventually([&server] { return holdings_of(server.pid()).children.empty(); }));
  BackgroundProcess other(
      command_of({"setpriv", "--reuid=games", "--clear-groups", "sleep", "60"}));
  ASSERT_TRUE(eventually([&other] {
    return read_file("/proc/" + std::to_string(other.pid()) + "/comm") == "sleep\n";
  }));
  EXPECT_EQ("", ask(address_of(1), kPort));
  other.stop();
  EXPECT_EQ(name_of(2) + "\n", ask(address_of(2), kPort));
}

}  // namespace
}  // namespace testing_support
