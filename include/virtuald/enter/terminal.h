// A terminal of the program's own, in the place of the administrator's.
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <termios.h>

#include <cstddef>

#include "virtuald/error.h"

namespace virtuald {

/// The administrator's terminal ("the outer one"), where one of descriptors 0 to 2 is a terminal,
/// and a pseudo-terminal that the program gets instead, so that nothing inside can type on the
/// outer one (TIOCSTI) or keep it. Without a terminal every call does nothing.
///
/// The outer one is left alone, neither read nor in raw mode, while another job has it, and until
/// the program wants it: from the start, unless one of the descriptors is a pipe, whose other side
/// may need it, as in `virtuald -x ... | less`. Then the program gets it when it first reads from
/// its own or sets its modes, for which the kernel stops it. Static, by its size (error.h).
class Terminal {
 public:
  /// Opens the pseudo-terminal, of the host's devpts, with the modes and size of the outer one; or
  /// none, unless it is `allowed`. To be called before all others.
  [[nodiscard]] bool open(bool allowed, Error& error);

  /// True if that was done and nobody has hung up.
  [[nodiscard]] bool is_open() const { return master_ >= 0; }

  /// True while the outer one is in raw mode for the program.
  [[nodiscard]] bool is_held() const { return is_held_; }

  /// The program's side: for the three functions below, which belong to the other processes.
  [[nodiscard]] int slave() const { return slave_; }

  /// In the leader of the new session: makes the slave its controlling terminal.
  void control() const;

  /// In the program: puts the slave in the place of every terminal among descriptors 0 to 2, and
  /// this process group in its foreground if the outer terminal will be the program's at once.
  void replace_standard() const;

  /// In the process outside: the slave is the others' now.
  void give_slave_away();

  /// From now on take() takes.
  void want() { is_wanted_ = true; }

  /// Puts the outer one into raw mode, if it is wanted and no other job has it.
  void take();

  /// Puts the modes back that it had, if it is still ours.
  void give_back();

  /// Copies the size of the window; the kernel tells the program.
  void copy_size() const;

  /// True if another job has the outer one.
  [[nodiscard]] bool is_in_background() const;

  /// What poll(2) is to wait for.
  void watch(pollfd& outer, pollfd& master) const;

  /// Moves what can be moved without waiting. When the outer one is gone, so is the program's, and
  /// the kernel sends SIGHUP to the leader of its session.
  void move(const pollfd& outer, const pollfd& master);

  /// Shows what the program had written by its end, a process of it that still writes
  /// notwithstanding, and gives the outer one back. It may wait for the outer one; anything but
  /// SIGWINCH and SIGCONT on the signalfd(2) `signals` ends that.
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
  int outer_ = 0;          // with the next two, -1 where there is none: all zero before open()
  int master_ = 0;
  int slave_ = 0;
  termios modes_ = {};  // of the outer one, to be put back
  Buffer input_;
  Buffer output_;
};

}  // namespace virtuald
