// A terminal for programs that ask somebody.
#pragma once

#include <termios.h>

#include <string>
#include <string_view>

#include "network.h"
#include "process.h"

namespace testing_support {

/// Runs a command on a pseudo-terminal of its own, 80 columns wide, as a person would. Killed with
/// this object if it still runs.
class Terminal {
 public:
  explicit Terminal(const Command& command);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Waits until `text` is on the screen, and after what an earlier call waited for. False if it
  /// does not come within kPatience, or the program ends first.
  bool shows(std::string_view text);

  /// Presses keys; Enter is "\r".
  void type(std::string_view keys) const;

  /// What `stty -a` shows.
  [[nodiscard]] termios modes() const;

  /// Makes the window another size.
  void resize(int rows, int columns) const;

  /// Takes no output any more, or again.
  void stop_output(bool stopped) const;

  /// Goes away, as a window that is closed or a connection that breaks.
  void hang_up();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits for the program's end. As `Outcome::status`.
  int finish();

  /// All that the program has written so far, with the control sequences.
  [[nodiscard]] const std::string& screen() const { return screen_; }

 private:
  bool read_more();

  Descriptor master_;
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
};

}  // namespace testing_support
