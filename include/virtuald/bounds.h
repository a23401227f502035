// Bounds for a program that must end.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// The bounds of -l, and of the dynamic loader that -t runs: a process namespace that ends with its
/// first process, a time limit, resource limits, and pipes for its output, of which only the
/// beginning is read. Before begin(), every call does nothing. Static because of its size
/// (error.h).
class Bounds {
 public:
  /// The most that is read from standard output, and from standard error, in bytes.
  static constexpr std::size_t kMaxOutput = std::size_t{16} * 1024;

  /// The longest standard input, in bytes: a pipe holds that much without a reader.
  static constexpr std::size_t kMaxInput = 4096;

  /// Opens the pipes, and makes the next child the first process of a process namespace. If `input`
  /// is a pipe, it is read to its end here and becomes the program's input; for any other file, or
  /// -1, the program's input is empty. Fails, with errno set, if the kernel forbids process
  /// namespaces; also if the input is longer than kMaxInput or does not end in that time.
  [[nodiscard]] bool begin(int seconds, int input, Error& error);

  [[nodiscard]] bool are_set() const { return seconds_ > 0; }

  /// In the child: sets the limits, and replaces descriptors 0 to 2 with the pipes. An empty input
  /// is a pipe too, because the program could change the mode of the host's /dev/null.
  [[nodiscard]] bool apply(Error& error) const;

  /// In the parent, even after begin() failed: closes the child's ends of the pipes, starts the
  /// clock again, and puts later children back in the caller's process namespace.
  void start();

  /// Milliseconds until the time is up; without bounds -1, which means forever to poll(2).
  [[nodiscard]] int milliseconds_left() const;

  /// Fills in what poll(2) must wait for.
  void watch(pollfd& output, pollfd& errors) const;

  /// Reads from the pipes that are ready. A pipe is closed after kMaxOutput bytes.
  void collect(const pollfd& output, const pollfd& errors);

  /// After the last process of the namespace has ended: reads the rest, and closes the pipes.
  void finish();

  /// The output that was read. Valid until the next begin().
  [[nodiscard]] std::string_view output() const { return output_.view(); }
  [[nodiscard]] std::string_view errors() const { return errors_.view(); }

 private:
  [[nodiscard]] bool copy_input(int from, Error& error) const;
  void start_clock();

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
