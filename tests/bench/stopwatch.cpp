#include "stopwatch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <random>
#include <stdexcept>
#include <system_error>

#include "service.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWarmUpRounds = 3;

/// The arguments of execve(2), prepared before the clock starts.
class Prepared {
 public:
  explicit Prepared(const Launch& launch) : launch_(launch) {
    for (std::string& argument : launch_.arguments) {
      arguments_.push_back(argument.data());
    }
    arguments_.push_back(nullptr);
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  [[nodiscard]] double run(int connection) const;

  [[nodiscard]] const Launch& launch() const { return launch_; }

 private:
  Launch launch_;
  std::vector<char*> arguments_;
};

double Prepared::run(int connection) const {
  static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* const environment[] = {path, nullptr};
  const auto begin = Clock::now();
  const pid_t pid = ::vfork();
  if (pid == 0) {
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      ::dup2(connection, descriptor);
    }
    ::execve(launch_.program.c_str(), arguments_.data(), environment);
    ::_exit(255);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) {
    throw std::system_error(errno, std::generic_category(), "vfork");
  }
  const auto end = Clock::now();
  const bool reached = WIFEXITED(status) && WEXITSTATUS(status) == kServiceStatus;
  if (reached != launch_.reaches_service) {
    throw std::runtime_error(launch_.program + (reached ? ": reached the service" : ": failed") +
                             ", wait status " + std::to_string(status));
  }
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

Summary summarize(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  const std::size_t last = times.size() - 1;
  const double median = (times[last / 2] + times[last - last / 2]) / 2;
  return {times.front(), times[last / 4], median, times[last - last / 4]};
}

}  // namespace

double time_once(const Launch& launch, int connection) {
  return Prepared(launch).run(connection);
}

bool works(const Launch& launch, int connection) {
  try {
    time_once(launch, connection);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::vector<Summary> take_turns(std::size_t count, std::size_t warm_up, std::size_t rounds,
                                const std::function<double(std::size_t)>& measure) {
  std::vector<std::vector<double>> times(count);
  // The previous program leaves the caches warm or cold, so no program may always follow the same
  // one.
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random;
  for (std::size_t round = 0; round < warm_up + rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t index : order) {
      const double time = measure(index);
      if (round >= warm_up) {
        times[index].push_back(time);
      }
    }
  }
  std::vector<Summary> summaries;
  std::transform(times.begin(), times.end(), std::back_inserter(summaries), summarize);
  return summaries;
}

std::vector<Summary> race(const std::vector<Launch>& launches, int connection, std::size_t rounds,
                          const std::function<void()>& between) {
  const std::vector<Prepared> prepared(launches.begin(), launches.end());
  return take_turns(launches.size(), kWarmUpRounds, rounds, [&](std::size_t index) {
    const double time = prepared[index].run(connection);
    between();
    return time;
  });
}

}  // namespace bench
