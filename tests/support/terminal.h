// A terminal for interactive programs.
#pragma once

#include <termios.h>

#include <string>
#include <string_view>

#include "network.h"
#include "process.h"

namespace testing_support {

/// Runs a command on a new pseudo-terminal, 80 columns wide, as a person would. The destructor
/// kills it if it still runs.
class Terminal {
 public:
  explicit Terminal(const Command& command);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Waits until `text` is on the screen, after the text of the previous call. False if it does not
  /// appear within kPatience, or the program ends first.
  bool shows(std::string_view text);

  /// Presses keys; Enter is "\r".
  void type(std::string_view keys) const;

  /// What `stty -a` shows.
  [[nodiscard]] termios modes() const;

  /// Changes the size of the window.
  void resize(int rows, int columns) const;

  /// Stops accepting output, or accepts it again.
  void stop_output(bool stopped) const;

  /// Hangs up, like a closed window or a broken connection.
  void hang_up();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits for the program's end. Returns a value like `Outcome::status`.
  int finish();

  /// Everything that the program has written so far, control sequences included.
  [[nodiscard]] const std::string& screen() const { return screen_; }

 private:
  bool read_more();

  Descriptor master_;
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
};

}  // namespace testing_support
