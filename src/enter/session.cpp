#include "virtuald/enter/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <string_view>

#include "virtuald/log.h"

namespace virtuald {
namespace {

/// The signals that the process outside passes on to the program.
constexpr int kPassedOn[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
                             SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH, SIGALRM};

/// null(4).
constexpr unsigned kNullMajor = 1;
constexpr unsigned kNullMinor = 3;

/// Blocks these signals and returns a descriptor to read them from. Ignored ones stay ignored. With
/// bounds, SIGTSTP stops only this process, and the program runs on.
int open_signals(bool has_bounds) {
  sigset_t taken;
  ::sigemptyset(&taken);
  for (const int signal : kPassedOn) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN && (signal != SIGTSTP || !has_bounds)) {
      ::sigaddset(&taken, signal);
    }
  }
  ::sigprocmask(SIG_SETMASK, &taken, nullptr);
  return ::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

void clean_signals() {
  // The kernel's struct sigaction, all zero. A libc's signal(3) refuses the signals that it uses
  // itself; the system call fails only for SIGKILL and SIGSTOP.
  constexpr unsigned long kDefault[8] = {};
  for (int signal = 1; signal < _NSIG; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, kDefault, nullptr, (_NSIG - 1) / 8);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Moves the foreground of the leader's terminal to the program or back. Any other group in the
/// foreground is a job of the program, and stays there.
void place(int terminal, pid_t program, bool in_foreground) {
  const pid_t from = in_foreground ? ::getpgrp() : program;
  if (::tcgetpgrp(terminal) == from) {
    ::tcsetpgrp(terminal, in_foreground ? program : ::getpgrp());
  }
}

/// Runs the leader, until it is killed or told to hang up. Its only descriptors are 0, where it
/// reports, and 1, its terminal.
[[noreturn]] void lead(pid_t program) {
  sigset_t all;
  ::sigfillset(&all);
  for (bool has_program = true;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&all, &info);
    int status = 0;
    pid_t child = 0;
    while (signal == SIGCHLD && (child = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
      if (child != program) {
        continue;  // an orphan: the first process of a namespace adopts them
      }
      has_program = WIFSTOPPED(status);
      if (::write(0, &status, sizeof status) < 0) {
        ::_exit(0);
      }
    }
    if (!has_program && signal == SIGHUP) {
      ::_exit(0);
    }
    if (has_program && signal > 0 && signal != SIGCHLD) {
      if (signal == SIGCONT && info.si_code == SI_QUEUE) {
        place(1, program, info.si_value.sival_int != 0);
      }
      ::kill(-program, signal);
    }
  }
}

/// In the leader: forks the program. Returns only in the program, or on failure.
Side start_program_group(Session& session, int report, Error& error) {
  block_all_signals();
  pid_t program = -1;
  if (::prctl(PR_SET_PDEATHSIG, session.bounds.are_set() ? SIGKILL : SIGHUP) != 0 ||
      ::setsid() < 0 || (session.terminal.control(), program = ::fork()) < 0) {
    error.fail_errno("fork of", "a session", errno);
    return Side::failed;
  }
  ::setpgid(program, program);
  if (program > 0) {
    ::dup2(report, 0);
    ::dup2(session.terminal.is_open() ? session.terminal.slave() : 0, 1);
    ::syscall(SYS_close_range, 2, UINT_MAX, 0);
    lead(program);
  }
  session.terminal.replace_standard();
  if (!session.bounds.apply(error)) {
    return Side::failed;
  }
  clean_signals();
  ::umask(022);
  return Side::inside;
}

Side stay_outside(Session& session, const int* report) {
  ::close(report[1]);
  session.reports = report[0];
  session.bounds.start();
  session.terminal.give_slave_away();
  // The other ends of the program's pipes must not wait for this process.
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (!session.bounds.are_set() && ::isatty(descriptor) == 0) {
      ::close(descriptor);
    }
  }
  return Side::outside;
}

/// Continues the leader, which the program may have stopped, and through it the program.
void continue_program(const Session& session, bool in_foreground) {
  sigval value{};
  value.sival_int = in_foreground ? 1 : 0;
  ::sigqueue(session.leader, SIGCONT, value);
}

/// The program has stopped: stops this process's job too, if a shell controls it. Later continues
/// both.
void stop_and_go_on(Session& session, int signal) {
  const bool uses_terminal = signal == SIGTTIN || signal == SIGTTOU;
  if (uses_terminal) {
    session.terminal.want();
    session.terminal.take();
  }
  if (uses_terminal && session.terminal.is_held()) {
    continue_program(session, true);
    return;
  }
  session.terminal.give_back();
  const int stop = uses_terminal ? signal : SIGTSTP;
  sigset_t signals;
  sigset_t before;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, stop);
  ::sigprocmask(SIG_UNBLOCK, &signals, &before);
  ::kill(0, stop);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  // SIGCONT does the rest. Without SIGCONT, this process was not stopped, because the kernel does
  // not stop a job that no shell could continue. The program must then get the foreground, or its
  // next read would stop it again at once.
  ::sigpending(&signals);
  if (::sigismember(&signals, SIGCONT) != 1) {
    session.terminal.take();
    continue_program(session, true);
  }
}

/// Handles a signal that was sent to the process outside.
void pass_signal_on(Session& session) {
  signalfd_siginfo info{};
  const ssize_t size = ::read(session.signals, &info, sizeof info);
  const int signal = size > 0 ? static_cast<int>(info.ssi_signo) : 0;
  switch (signal) {
    case SIGWINCH:
      session.terminal.copy_size();
      break;
    case SIGCONT:
      session.terminal.take();
      continue_program(session, session.terminal.is_held());
      break;
    default:
      ::kill(session.leader, signal);
      break;
  }
}

/// Waits until the program has ended, and sets `status` as wait(2) does; or until the leader has
/// ended. Returns false if the time was up first.
bool wait_for_end(Session& session, int& status) {
  for (;;) {
    pollfd ends[6] = {{session.signals, POLLIN, 0}, {session.reports, POLLIN, 0}};
    session.terminal.watch(ends[2], ends[3]);
    session.bounds.watch(ends[4], ends[5]);
    const int left = session.bounds.milliseconds_left();
    if (left == 0) {
      return false;
    }
    ::poll(ends, 6, left);
    if (ends[0].revents != 0) {
      pass_signal_on(session);
    }
    session.terminal.move(ends[2], ends[3]);
    session.bounds.collect(ends[4], ends[5]);
    int report = 0;
    if (ends[1].revents == 0) {
      continue;
    }
    if (::read(session.reports, &report, sizeof report) <= 0) {
      return true;
    }
    if (!WIFSTOPPED(report)) {
      status = report;
      return true;
    }
    if (!session.bounds.are_set()) {
      stop_and_go_on(session, WSTOPSIG(report));
    }
  }
}

}  // namespace

Side begin_session(int seconds, Session& session, Error& error) {
  int report[2];
  if (!session.terminal.open(seconds == 0, error) ||
      (seconds != 0 && !session.bounds.begin(seconds, STDIN_FILENO, error))) {
    return Side::failed;
  }
  if (::pipe2(report, O_CLOEXEC) != 0 || (session.signals = open_signals(seconds != 0)) < 0 ||
      (session.leader = ::fork()) < 0) {
    error.fail_errno("fork of", "a session", errno);
    return Side::failed;
  }
  return session.leader == 0 ? start_program_group(session, report[1], error)
                             : stay_outside(session, report);
}

bool begin_to_stay(Error& error) {
  if (::setsid() < 0) {
    const pid_t child = ::fork();
    if (child < 0 || (child == 0 && ::setsid() < 0)) {
      return error.fail_errno("fork of", "a session", errno);
    }
    if (child > 0) {
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      ::_exit(end_like(status));
    }
  }
  clean_signals();
  ::umask(022);
  return true;
}

bool take_null(const char* name, int& errors, Error& error) {
  struct stat status {};
  const int null = ::open("/dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (null < 0) {
    return error.fail_errno("open dev/null in", name, errno);
  }
  if (::fstat(null, &status) != 0 || !S_ISCHR(status.st_mode) ||
      status.st_rdev != makedev(kNullMajor, kNullMinor)) {
    return error.fail({"dev/null in ", name, ": not the null device, which -b needs"});
  }
  errors = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    ::dup2(null, descriptor);
  }
  return true;
}

bool supervise(Session& session, int& status) {
  constexpr int kUnknown = -1;
  status = kUnknown;
  session.terminal.take();
  const bool is_in_time = wait_for_end(session, status);
  session.terminal.finish(session.signals);
  // It has not been reaped, so its pid cannot be another process's.
  ::kill(session.leader, SIGKILL);
  int leader_status = 0;
  ::waitpid(session.leader, &leader_status, 0);
  status = status == kUnknown ? leader_status : status;
  session.bounds.finish();
  return is_in_time;
}

bool show_output(const Session& session) {
  const bool is_shown = print(session.bounds.output());
  std::string_view text = session.bounds.errors();
  // A failure cannot be reported anywhere.
  for (ssize_t count = 0;
       !text.empty() && (count = ::write(STDERR_FILENO, text.data(), text.size())) > 0;) {
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return is_shown;
}

int end_like(int status) {
  if (WIFEXITED(status)) {
    return WEXITSTATUS(status);
  }
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  clean_signals();
  static_cast<void>(::raise(WTERMSIG(status)));
  return 128 + WTERMSIG(status);  // the first process of a namespace survives its own signal
}

}  // namespace virtuald
