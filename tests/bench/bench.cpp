// Measures the cost of a connection through virtuald and through other programs, side by side.

#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "config_file.h"
#include "contenders.h"
#include "files.h"
#include "inetd.h"
#include "log_socket.h"
#include "memory.h"
#include "network.h"
#include "plot.h"
#include "stopwatch.h"
#include "table.h"
#include "world.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using testing_support::Connection;
using testing_support::LogSocket;

constexpr const char* kUsage =
    "usage: bench [--quick] [--only PART] [--against [NAME=]PROGRAM]... [--svg DIRECTORY]\n"
    "Measures the cost of virtuald and of other programs, as root. PROGRAM is called as\n"
    "`PROGRAM CONFIG SERVICE`, as virtuald is. PART is start-up, mounts, look-up, memory\n"
    "or inetd.\n"
    "--svg writes start-up.svg and look-up.svg.\n";

const Place kPlace = {"/virtual/conf.bench", "/virtual/domain3.com", "/bin/noop"};
const Place kAnsweringPlace = {kPlace.config, kPlace.root, "/bin/answer"};
const fs::path kPrograms = "/virtual/programs";

constexpr const char* kStartUp = "start-up";
constexpr const char* kMounts = "mounts";
constexpr const char* kLookUp = "look-up";
constexpr const char* kMemory = "memory";
constexpr const char* kInetd = "inetd";

// Positions of the first three contenders.
constexpr std::size_t kNoop = 0;
constexpr std::size_t kLimit = 1;
constexpr std::size_t kVirtuald = 2;

struct Options {
  bool quick = false;
  bool help = false;
  std::string only;                                          // the one part to measure, or empty
  std::vector<std::pair<std::string, std::string>> against;  // name, program
  std::optional<fs::path> plots;
};

std::optional<Options> parse_options(int count, char** arguments) {
  const option known[] = {
      {"quick", no_argument, nullptr, 'q'},         {"only", required_argument, nullptr, 'o'},
      {"against", required_argument, nullptr, 'a'}, {"svg", required_argument, nullptr, 's'},
      {"help", no_argument, nullptr, 'h'},          {}};
  Options options;
  for (int option = 0; (option = ::getopt_long(count, arguments, "", known, nullptr)) != -1;) {
    const std::string value = optarg != nullptr ? optarg : "";
    const std::size_t equals = value.find('=');
    switch (option) {
      case 'q':
        options.quick = true;
        break;
      case 'o':
        options.only = value;
        break;
      case 'a':
        options.against.emplace_back(
            equals == std::string::npos ? fs::path(value).filename().string()
                                        : value.substr(0, equals),
            equals == std::string::npos ? value : value.substr(equals + 1));
        break;
      case 's':
        options.plots = value;
        break;
      case 'h':
        options.help = true;
        break;
      default:
        return std::nullopt;
    }
  }
  const bool is_part = options.only.empty() || options.only == kStartUp ||
                       options.only == kMounts || options.only == kLookUp ||
                       options.only == kMemory || options.only == kInetd;
  return optind == count && is_part ? std::optional(options) : std::nullopt;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "processor unknown";
}

/// Figures are useless without the day, the machine and the command.
void print_circumstances(int count, char** arguments) {
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::localtime(&now));
  utsname system{};
  ::uname(&system);
  std::printf("%s, %s, %ld processors, %s %s %s\n", date, processor_name().c_str(),
              ::sysconf(_SC_NPROCESSORS_ONLN), system.sysname, system.release, system.machine);
  for (int index = 0; index < count; ++index) {
    std::printf("%s%s", index == 0 ? "$ " : " ", arguments[index]);
  }
  std::printf("\n");
  std::fflush(stdout);  // otherwise the private world's process would print it again
}

/// On a single processor, the scheduler's choice of a processor for a new process does not affect
/// the times. Returns the previous set of processors.
cpu_set_t stay_on_one_processor() {
  cpu_set_t before;
  ::sched_getaffinity(0, sizeof before, &before);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &set);
  ::sched_setaffinity(0, sizeof set, &set);
  return before;
}

/// All measurements.
class Bench {
 public:
  Bench(const Options& options, std::vector<Contender> contenders, Contender reader)
      : options_(options), contenders_(std::move(contenders)), reader_(std::move(reader)) {}

  void install();
  void measure();
  void save_plots(std::ostream& start_up, std::ostream& look_up) const;

 private:
  void measure_start_up();
  void measure_mounts();
  void measure_look_up();
  void measure_memory();
  void measure_inetd();
  void measure_family(const char* name, Family family, const Connection& connection,
                      const std::string& address);
  std::vector<const Contender*> working_contenders(const Place& place,
                                                   const Connection& connection) const;
  std::vector<const Contender*> look_up_contenders(const Connection& connection) const;
  void note_curves(const std::vector<const Contender*>& contenders,
                   const std::vector<Summary>& times, std::size_t entries);
  [[nodiscard]] std::function<void()> drain() {
    return [this] { log_.take(); };
  }

  const Options& options_;
  std::vector<Contender> contenders_;
  Contender reader_;
  LogSocket log_;  // virtuald finds a log daemon, as on any host
  std::vector<Bar> bars_;
  std::vector<Curve> curves_;
};

void Bench::install() {
  for (Contender& contender : contenders_) {
    install_contender(contender, kPrograms);
  }
  install_contender(reader_, kPrograms);
  const fs::path service = kPlace.root.string() + kPlace.service;
  fs::create_directories(service.parent_path());
  fs::copy_file(contenders_[kNoop].program, service);
  fs::copy_file(BENCH_ANSWER, kAnsweringPlace.root.string() + kAnsweringPlace.service);
}

void Bench::measure() {
  const auto is_wanted = [this](const char* part) {
    return options_.only.empty() || options_.only == part;
  };
  const cpu_set_t processors = stay_on_one_processor();
  if (is_wanted(kStartUp)) {
    measure_start_up();
  }
  if (is_wanted(kMounts)) {
    measure_mounts();
  }
  if (is_wanted(kLookUp)) {
    measure_look_up();
  }
  if (is_wanted(kMemory)) {
    measure_memory();
  }
  // As on a real machine: client, inetd and services share all processors.
  ::sched_setaffinity(0, sizeof processors, &processors);
  if (is_wanted(kInetd)) {
    measure_inetd();
  }
}

/// The contenders that reach the service over `connection`; prints the names of the others.
std::vector<const Contender*> Bench::working_contenders(const Place& place,
                                                        const Connection& connection) const {
  std::vector<const Contender*> working;
  for (const Contender& contender : contenders_) {
    if (works(launch_of(contender, place), connection.server.get())) {
      working.push_back(&contender);
    } else {
      std::printf("%s: left out, because it does not work here\n", contender.name.c_str());
    }
  }
  return working;
}

void Bench::measure_start_up() {
  const std::size_t rounds = options_.quick ? 50 : 2000;
  const Connection connection = testing_support::connect_pair("127.0.0.1");
  write_config(kPlace.config, {3, Family::ipv4, Position::last}, "127.0.0.1", kPlace.root);
  const std::vector<const Contender*> racers = working_contenders(kPlace, connection);
  std::vector<Launch> launches;
  for (const Contender* contender : racers) {
    launches.push_back(launch_of(*contender, kPlace));
  }
  const std::vector<Summary> times = race(launches, connection.server.get(), rounds, drain());
  const double base = times.at(kNoop).median;
  const double limit = times.at(kLimit).median - base;
  const double ours = times.at(kVirtuald).median - base;
  Table table = {{"start-up, us", "minimum", "quartile", "median", "quartile", "over the no-op",
                  "least", "/ limit", "/ virtuald"}};
  for (std::size_t index = 0; index < racers.size(); ++index) {
    const Summary& time = times[index];
    const double over = time.median - base;
    table.push_back({racers[index]->name, number(time.minimum, 1), number(time.lower_quartile, 1),
                     number(time.median, 1), number(time.upper_quartile, 1), number(over, 1),
                     number(time.minimum - times[kNoop].minimum, 1), number(over / limit, 2),
                     number(over / ours, 2)});
    if (index != kNoop) {
      bars_.push_back({racers[index]->name, over, index == kVirtuald});
    }
  }
  std::printf("\nFrom vfork to the reaping of the service, three entries, %zu shuffled rounds\n\n",
              rounds);
  print_table(table);
}

std::size_t count_mounts() {
  std::ifstream file("/proc/self/mountinfo");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

/// Makes mounts that are unrelated to the domain, as a host has.
void mount_until(std::size_t total) {
  for (std::size_t count = count_mounts(); count < total; ++count) {
    const fs::path place = kPrograms.parent_path() / "mounts" / std::to_string(count);
    fs::create_directories(place);
    if (::mount("tmpfs", place.c_str(), "tmpfs", 0, nullptr) != 0) {
      throw std::system_error(errno, std::generic_category(), "mount " + place.string());
    }
  }
}

/// A mount namespace begins as a copy of all mounts. The first measurement has only those of the
/// private world.
void Bench::measure_mounts() {
  const std::size_t rounds = options_.quick ? 20 : 500;
  const Connection connection = testing_support::connect_pair("127.0.0.1");
  write_config(kPlace.config, {3, Family::ipv4, Position::last}, "127.0.0.1", kPlace.root);
  std::vector<const Contender*> racers = working_contenders(kPlace, connection);
  std::erase_if(racers, [this](const Contender* contender) {
    return contender != &contenders_[kNoop] && !makes_root(*contender);
  });
  Table table = {{"start-up over the no-op, us; mounts:"}};
  for (std::size_t index = 1; index < racers.size(); ++index) {
    table.push_back({racers[index]->name});
  }
  std::vector<Launch> launches;
  for (const Contender* contender : racers) {
    launches.push_back(launch_of(*contender, kPlace));
  }
  for (const std::size_t mounts : {std::size_t{0}, std::size_t{100}, std::size_t{1000}}) {
    mount_until(mounts);
    table[0].push_back(std::to_string(count_mounts()));
    const std::vector<Summary> times = race(launches, connection.server.get(), rounds, drain());
    for (std::size_t index = 1; index < racers.size(); ++index) {
      table[index].push_back(number(times[index].median - times[kNoop].median, 1));
    }
  }
  for (std::size_t count = count_mounts(); count > 0; --count) {
    ::umount2((kPrograms.parent_path() / "mounts" / std::to_string(count)).c_str(), 0);
  }
  std::printf("\nBy the number of mounts on the host, %zu shuffled rounds\n\n", rounds);
  print_table(table);
}

/// The contenders that look up an address and work over `connection`.
std::vector<const Contender*> Bench::look_up_contenders(const Connection& connection) const {
  std::vector<const Contender*> racers = {&contenders_[kNoop], &contenders_[kVirtuald]};
  for (std::size_t index = kVirtuald + 2; index < contenders_.size(); ++index) {
    const Contender& contender = contenders_[index];
    if (contender.form == Form::config &&
        works(launch_of(contender, kPlace), connection.server.get())) {
      racers.push_back(&contender);
    }
  }
  racers.push_back(&reader_);
  return racers;
}

void Bench::note_curves(const std::vector<const Contender*>& contenders,
                        const std::vector<Summary>& times, std::size_t entries) {
  curves_.resize(contenders.size() - 1);
  for (std::size_t index = 1; index < contenders.size(); ++index) {
    Curve& curve = curves_[index - 1];
    curve.name = contenders[index]->name;
    curve.is_ours = index == 1;
    const double milliseconds = (times[index].median - times[kNoop].median) / 1000;
    curve.points.emplace_back(static_cast<double>(entries), milliseconds);
  }
}

void Bench::measure_family(const char* name, Family family, const Connection& connection,
                           const std::string& address) {
  const struct {
    const char* name;
    Position position;
  } kPositions[] = {{"first", Position::first},
                    {"middle", Position::middle},
                    {"last", Position::last},
                    {"none", Position::none}};
  write_config(kPlace.config, {3, family, Position::last}, address, kPlace.root);
  const std::vector<const Contender*> racers = look_up_contenders(connection);
  Table table = {{std::string("look-up, ") + name + ", us", "match"}};
  for (std::size_t index = 1; index < racers.size(); ++index) {
    table[0].insert(table[0].end(), {racers[index]->name + ": median", "least", "/ virtuald"});
  }
  const std::size_t largest = options_.quick ? 10'000 : 1'000'000;
  for (std::size_t entries = 10; entries <= largest; entries *= 10) {
    const std::size_t rounds = options_.quick ? 5 : entries < 1'000'000 ? 100 : 15;
    for (const auto& position : kPositions) {
      write_config(kPlace.config, {entries, family, position.position}, address, kPlace.root);
      std::vector<Launch> launches;
      for (const Contender* contender : racers) {
        launches.push_back(launch_of(*contender, kPlace));
        launches.back().reaches_service =
            position.position != Position::none || contender->form != Form::config;
      }
      const std::vector<Summary> times = race(launches, connection.server.get(), rounds, drain());
      const double base = times[kNoop].median;
      const double least = times[kNoop].minimum;
      std::vector<std::string> row = {std::to_string(entries), position.name};
      for (std::size_t index = 1; index < racers.size(); ++index) {
        const double over = times[index].median - base;
        row.insert(row.end(), {number(over, 0), number(times[index].minimum - least, 0),
                               number(over / (times[1].median - base), 2)});
      }
      table.push_back(row);
      if (family == Family::ipv4 && position.position == Position::last) {
        note_curves(racers, times, entries);
      }
    }
  }
  std::printf("\n");
  print_table(table);
}

void Bench::measure_look_up() {
  std::printf("\nOver the no-op; with \"none\", no service starts, and the reason is logged\n");
  const Connection ipv4 = testing_support::connect_pair("127.0.0.1");
  measure_family("IPv4", Family::ipv4, ipv4, "127.0.0.1");
  measure_family("mixed", Family::mixed, ipv4, "127.0.0.1");
  const Connection ipv6 = testing_support::connect_pair("::1");
  measure_family("IPv6", Family::ipv6, ipv6, "::1");
}

void Bench::measure_memory() {
  const Connection connection = testing_support::connect_pair("127.0.0.1");
  Table table = {{"resident at most, KiB"}};
  for (std::size_t entries = 10; entries <= (options_.quick ? 10'000U : 1'000'000U);
       entries *= 10) {
    write_config(kPlace.config, {entries, Family::ipv4, Position::last}, "127.0.0.1", kPlace.root);
    table[0].push_back(std::to_string(entries));
    std::size_t row = 0;
    for (const Contender* contender : look_up_contenders(connection)) {
      if (++row >= table.size()) {
        table.push_back({contender->name});
      }
      table[row].push_back(
          std::to_string(peak_resident(launch_of(*contender, kPlace), connection.server.get())));
    }
  }
  std::printf("\n");
  print_table(table);
}

void Bench::measure_inetd() {
  if (!has_inetd()) {
    std::printf("inetd: left out, because tests/run has not unpacked it\n");
    return;
  }
  const std::size_t connections = options_.quick ? 200 : 2000;
  const std::size_t rounds = options_.quick ? 2 : 6;
  write_config(kPlace.config, {3, Family::ipv4, Position::last}, "127.0.0.1", kPlace.root);
  const std::vector<const Contender*> racers =
      working_contenders(kAnsweringPlace, testing_support::connect_pair("127.0.0.1"));
  // tcpd logs every connection, and would wait if nobody read the log.
  const std::jthread reading([this](const std::stop_token& stop) {
    pollfd waiting = {log_.descriptor(), POLLIN, 0};
    while (!stop.stop_requested()) {
      ::poll(&waiting, 1, 10);
      log_.take();
    }
  });
  const std::vector<Summary> times = race_under_inetd(racers, kAnsweringPlace, connections, rounds);
  std::vector<std::size_t> yardsticks = {kNoop, kLimit};
  Table table = {{"connections a second", "quartile", "median", "quartile", "/ alone", "/ limit"}};
  const Contender* const first_against =
      contenders_.data() + (contenders_.size() - options_.against.size());
  for (std::size_t index = kVirtuald; index < racers.size(); ++index) {
    if (racers[index] >= first_against) {
      yardsticks.push_back(index);
      table[0].push_back("/ " + racers[index]->name);
    }
  }
  for (std::size_t index = 0; index < racers.size(); ++index) {
    const Summary& time = times[index];
    std::vector<std::string> row = {racers[index]->name, number(1e6 / time.upper_quartile, 0),
                                    number(1e6 / time.median, 0),
                                    number(1e6 / time.lower_quartile, 0)};
    for (const std::size_t yardstick : yardsticks) {
      row.push_back(number(times[yardstick].median / time.median, 3));
    }
    table.push_back(row);
  }
  std::printf("\nUnder openbsd-inetd, %zu connections, %zu at a time, %zu shuffled rounds\n\n",
              connections, kAtATime, rounds);
  print_table(table);
}

void Bench::save_plots(std::ostream& start_up, std::ostream& look_up) const {
  if (bars_.empty() || curves_.empty()) {
    return;
  }
  start_up << draw_bars("Time to start a service, beyond the service itself", "µs", bars_)
           << std::flush;
  look_up << draw_curves("Time to find the last entry of a configuration", "entries",
                         "milliseconds", curves_)
          << std::flush;
}

int run(int count, char** arguments) {
  const std::optional<Options> options = parse_options(count, arguments);
  if (!options || options->help) {
    std::fputs(kUsage, options ? stdout : stderr);
    return options ? 0 : 2;
  }
  ::umask(022);
  print_circumstances(count, arguments);
  std::vector<Contender> contenders = load_usual_contenders();
  for (const auto& [name, program] : options->against) {
    contenders.push_back(load_contender(name, Form::config, program));
  }
  // Opened here, because the private world cannot reach them.
  std::ofstream start_up;
  std::ofstream look_up;
  if (options->plots) {
    fs::create_directories(*options->plots);
    start_up.open(*options->plots / "start-up.svg");
    look_up.open(*options->plots / "look-up.svg");
  }
  return testing_support::run_in_private_world([&] {
    if (!testing_support::has_real_root()) {
      std::fputs("bench: needs root, for chroot and namespaces\n", stderr);
      return 1;
    }
    try {
      Bench bench(*options, std::move(contenders),
                  load_contender("reading alone", Form::reader, BENCH_READER));
      bench.install();
      bench.measure();
      bench.save_plots(start_up, look_up);
      std::fflush(stdout);
    } catch (const std::exception& exception) {
      std::fprintf(stderr, "bench: %s\n", exception.what());
      return 1;
    }
    return 0;
  });
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  try {
    return bench::run(count, arguments);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "bench: %s\n", exception.what());
    return 1;
  }
}
