// A terminal for the program, in place of the administrator's.
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <termios.h>

#include <cstddef>

#include "virtuald/error.h"

namespace virtuald {

/// The administrator's terminal ("the outer one"), if any of descriptors 0 to 2 is a terminal, and
/// a pseudo-terminal that the program gets instead, so that nothing inside can type on the outer
/// one (TIOCSTI) or keep it open. Without a terminal, every call does nothing.
///
/// The outer one is neither read nor put into raw mode while another job has it, nor before the
/// program wants it. The program wants it from the start, unless one of the descriptors is a pipe,
/// whose other end may need it, as in `virtuald -x ... | less`. Then the program wants it when it
/// first reads from its own terminal or sets its modes, for which the kernel stops it. Static
/// because of its size (error.h).
class Terminal {
 public:
  /// Opens the pseudo-terminal in the host's devpts, with the modes and size of the outer one;
  /// unless `allowed`, opens none. Must be called first.
  [[nodiscard]] bool open(bool allowed, Error& error);

  /// True if the pseudo-terminal was opened and has not been hung up.
  [[nodiscard]] bool is_open() const { return master_ >= 0; }

  /// True while the outer one is in raw mode for the program.
  [[nodiscard]] bool is_held() const { return is_held_; }

  /// The program's side of the pseudo-terminal.
  [[nodiscard]] int slave() const { return slave_; }

  /// In the leader of the new session: makes the slave its controlling terminal.
  void control() const;

  /// In the program: replaces every terminal among descriptors 0 to 2 with the slave, and puts this
  /// process group in its foreground if the program gets the outer terminal from the start.
  void replace_standard() const;

  /// In the process outside: closes the slave.
  void give_slave_away();

  /// The program wants the outer one from now on.
  void want() { is_wanted_ = true; }

  /// Puts the outer one into raw mode if the program wants it and no other job has it.
  void take();

  /// Restores the outer one's modes, if no other job has it by now.
  void give_back();

  /// Copies the window size; the kernel tells the program.
  void copy_size() const;

  /// True if another job has the outer one.
  [[nodiscard]] bool is_in_background() const;

  /// Fills in what poll(2) must wait for.
  void watch(pollfd& outer, pollfd& master) const;

  /// Copies what can be copied without waiting. If the outer one has hung up, hangs up the
  /// program's; the kernel then sends SIGHUP to the leader of its session.
  void move(const pollfd& outer, const pollfd& master);

  /// Shows what the program had written when it ended, even if a process that it started still
  /// writes, and gives the outer one back. May wait for the outer one, until a signal other than
  /// SIGWINCH and SIGCONT arrives on the signalfd(2) `signals`.
  void finish(int signals);

 private:
  struct Buffer {
    std::size_t size = 0;
    char text[4096] = {};
  };

  void hang_up();
  void read_output();
  bool show_output(int signals);
  static bool fill(Buffer& buffer, int from);
  static bool empty(Buffer& buffer, int to);

  bool is_replaced_[3] = {};
  bool is_wanted_ = false;
  bool is_held_ = false;
  bool is_first_ = false;  // the program starts in the foreground of the slave
  int outer_ = 0;          // like the next two: -1 if there is none, 0 before open()
  int master_ = 0;
  int slave_ = 0;
  termios modes_ = {};  // of the outer one, to be restored
  Buffer input_;
  Buffer output_;
};

}  // namespace virtuald
