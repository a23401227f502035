// What bounds a program that must end.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>

#include "virtuald/error.h"

namespace virtuald {

/// The bounds of -l: a process namespace that ends with its first process, a time, limits of what
/// the program may use, and pipes for its output, of which some KiB are read. Without -l every call
/// does nothing. Static, by its size (error.h).
class Bounds {
 public:
  /// Ends what is read of each of standard output and standard error.
  static constexpr std::size_t kMaxOutput = std::size_t{16} * 1024;

  /// The longest standard input, in bytes. A pipe holds that much without a reader.
  static constexpr std::size_t kMaxInput = 4096;

  /// The next child of this process is the first of a process namespace, and its pipes are open.
  /// With 0 seconds nothing is bounded. What a pipe on standard input brings until its end is read
  /// here, and is the program's input; without one, that is empty. Fails where the kernel forbids
  /// such namespaces, and if the input is longer than kMaxInput.
  [[nodiscard]] bool begin(int seconds, Error& error);

  [[nodiscard]] bool are_set() const { return seconds_ > 0; }

  /// In the program: sets the limits, and puts the pipes in the place of descriptors 0 to 2. An
  /// empty input is a pipe too: /dev/null would be the host's, whose mode the program could change.
  void apply() const;

  /// Outside: closes the program's ends, and counts the time from now on.
  void start();

  /// Milliseconds until the time is up, or -1 for ever, as poll(2) wants them.
  [[nodiscard]] int milliseconds_left() const;

  /// What poll(2) is to wait for.
  void watch(pollfd& output, pollfd& errors) const;

  /// Reads from those that are ready. A pipe that has had kMaxOutput bytes is closed.
  void collect(const pollfd& output, const pollfd& errors);

  /// When no process of the namespace is left: reads what they had written and passes all of it on
  /// to the standard output and error.
  void pass_on();

 private:
  struct Output {
    int ends[2] = {};  // of a pipe
    std::size_t size = 0;
    char text[kMaxOutput] = {};

    void read_more(const pollfd& ready);
  };

  int seconds_ = 0;
  std::int64_t deadline_ = 0;
  int input_[2] = {};
  Output output_;
  Output errors_;
};

}  // namespace virtuald
