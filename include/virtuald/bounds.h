// What bounds a program that must end.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// The bounds of -l, and of the loader that -t asks: a process namespace that ends with its first
/// process, a time, limits of what the program may use, and pipes for its output, of which some KiB
/// are read. Until begin() every call does nothing. Static, by its size (error.h).
class Bounds {
 public:
  /// Ends what is read of each of standard output and standard error.
  static constexpr std::size_t kMaxOutput = std::size_t{16} * 1024;

  /// The longest standard input, in bytes. A pipe holds that much without a reader.
  static constexpr std::size_t kMaxInput = 4096;

  /// The next child of this process is the first of a process namespace, and its pipes are open.
  /// What the pipe `input` brings until its end is read here, and is the program's input; if that
  /// is another file, or -1, the program's input is empty. Fails, with errno set, where the kernel
  /// forbids such namespaces, and if the input is longer than kMaxInput.
  [[nodiscard]] bool begin(int seconds, int input, Error& error);

  [[nodiscard]] bool are_set() const { return seconds_ > 0; }

  /// In the program: sets the limits, and puts the pipes in the place of descriptors 0 to 2. An
  /// empty input is a pipe too: /dev/null would be the host's, whose mode the program could change.
  [[nodiscard]] bool apply(Error& error) const;

  /// Outside, after a begin() that failed, too: closes the program's ends, counts the time from now
  /// on, and has later children in the caller's own process namespace.
  void start();

  /// Milliseconds until the time is up, or -1 for ever, as poll(2) wants them.
  [[nodiscard]] int milliseconds_left() const;

  /// What poll(2) is to wait for.
  void watch(pollfd& output, pollfd& errors) const;

  /// Reads from those that are ready. A pipe that has had kMaxOutput bytes is closed.
  void collect(const pollfd& output, const pollfd& errors);

  /// When no process of the namespace is left: reads what they had written, and closes the pipes.
  void finish();

  /// What was written, until the next begin().
  [[nodiscard]] std::string_view output() const { return output_.view(); }
  [[nodiscard]] std::string_view errors() const { return errors_.view(); }

 private:
  struct Output {
    int ends[2] = {};  // of a pipe
    std::size_t size = 0;
    char text[kMaxOutput] = {};

    void read_more(const pollfd& ready);
    [[nodiscard]] std::string_view view() const { return {text, size}; }
  };

  int seconds_ = 0;
  std::int64_t deadline_ = 0;
  int input_[2] = {};
  Output output_;
  Output errors_;
};

}  // namespace virtuald
