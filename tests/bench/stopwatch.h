// Measures how long programs take, side by side.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// A program to start. Its environment contains only PATH.
struct Launch {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // with argument 0
  bool reaches_service = true;         // whether it must reach the no-op service, or must not
};

/// Starts `launch` with `connection` as its descriptors 0 to 2, as a super server does, and waits
/// for its end. Returns the microseconds from before vfork(2) to after wait(2). Throws if
/// `reaches_service` turns out to be wrong.
double time_once(const Launch& launch, int connection);

/// Runs `launch` once. Returns whether `reaches_service` is right.
bool works(const Launch& launch, int connection);

/// The times of many runs, in microseconds. Half of them are between the quartiles.
struct Summary {
  double minimum = 0;
  double lower_quartile = 0;
  double median = 0;
  double upper_quartile = 0;
};

/// Has `measure` time each of `count` things in `rounds` rounds, after `warm_up` rounds that do not
/// count. The order differs from round to round, but is the same whenever the benchmark runs.
std::vector<Summary> take_turns(std::size_t count, std::size_t warm_up, std::size_t rounds,
                                const std::function<double(std::size_t)>& measure);

/// Runs all of `launches` in turn, `rounds` times. Calls `between` after each run, outside the
/// measured time.
std::vector<Summary> race(const std::vector<Launch>& launches, int connection, std::size_t rounds,
                          const std::function<void()>& between);

}  // namespace bench
