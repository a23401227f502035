// The ways out of a root that virtuald closes.

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "files.h"
#include "must_run.h"
#include "paths.h"
#include "process.h"
#include "served.h"
#include "world.h"

namespace testing_support {
namespace {

using Strings = std::vector<std::string>;

/// A descriptor number beyond what a service opens itself.
constexpr int kInherited = 100;

/// Leaves the directory `path` open as descriptor `number` of the child, as a careless super server
/// would.
void leave_open(const char* path, int number = kInherited) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::dup2(descriptor, number) < 0) {
    ::_exit(200);
  }
}

/// Makes close_range(2) fail with ENOSYS in this process and what it becomes.
void take_close_range_away() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(200);
  }
}

class Isolation : public ::testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PRIVATE_WORLD();
    make_domain("domain1.com");
    write_file("/virtual/conf", "default /virtual/domain1.com\n");
  }

  /// What the service with these arguments says, when it was started with the host's root open.
  std::string answer(const Strings& service, const Strings& options = {}) {
    Call call;
    call.options = options;
    call.service = service;
    call.prepare = [] { leave_open("/"); };
    return serve(call, log_).answer;
  }

  /// The same without close_range(2), as before Linux 5.9.
  std::string answer_of_old_kernel(const Strings& service, const std::function<void()>& prepare) {
    Call call;
    call.service = service;
    call.prepare = [prepare] {
      prepare();
      take_close_range_away();
    };
    return serve(call, log_).answer;
  }

  LogSocket log_;
};

/// What the tests below show is shown for a chroot that does not close it.
TEST_F(Isolation, InheritedDirectoryLeadsOutOfAPlainChroot) {
  Command command;
  command.arguments = {"chroot", "/virtual/domain1.com", "/bin/service", "leave", "100"};
  command.prepare = [] { leave_open("/"); };
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.output.substr(0, 4), "out:");
}

TEST_F(Isolation, InheritedDirectoryDoesNotLeadOut) {
  EXPECT_EQ(answer({"service", "leave", "100"}), "fchdir: Bad file descriptor\n");
}

TEST_F(Isolation, OnlyTheConnectionIsOpen) {
  EXPECT_EQ(answer({"service", "descriptors"}), "descriptors 0 1 2\n");
}

TEST_F(Isolation, OnlyTheConnectionIsOpenForAnotherUser) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ(answer({"service", "descriptors"}, {"-v", "-u", "www"}), "descriptors 0 1 2\n");
}

TEST_F(Isolation, NoDirectoryThatVirtualdOpenedIsLeft) {
  for (const char* const number : {"3", "4", "5", "6", "7", "8"}) {
    EXPECT_EQ(answer({"service", "leave", number}), "fchdir: Bad file descriptor\n") << number;
  }
}

TEST_F(Isolation, ServiceStandsInItsRoot) {
  EXPECT_EQ(answer({"service", "cwd"}), "/\n");
}

TEST_F(Isolation, OldKernelsTellFromProcWhatToClose) {
  EXPECT_EQ(answer_of_old_kernel({"service", "descriptors"},
                                 [] {
                                   for (int number = kInherited; number < 1000; ++number) {
                                     leave_open("/", number);
                                   }
                                 }),
            "descriptors 0 1 2\n");
}

/// The limit in force says nothing about descriptors that were opened before.
TEST_F(Isolation, OldKernelsWithoutProcCloseAllThatCouldBeOpen) {
  EXPECT_EQ(answer_of_old_kernel({"service", "descriptors"},
                                 [] {
                                   leave_open("/", 1000);
                                   const rlimit low = {64, 64};
                                   if (::setrlimit(RLIMIT_NOFILE, &low) != 0 ||
                                       ::unshare(CLONE_NEWNS) != 0 ||
                                       ::umount2("/proc", MNT_DETACH) != 0) {
                                     ::_exit(200);
                                   }
                                 }),
            "descriptors 0 1 2\n");
}

/// What -u is there for.
TEST_F(Isolation, RootServiceCanTraceItsParent) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ(answer({"service", "trace"}), "out: traces its parent\n");
}

TEST_F(Isolation, ServiceOfAnotherUserCannotTraceItsParent) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ(answer({"service", "trace"}, {"-u", "www"}), "ptrace: Operation not permitted\n");
}

class Groups : public Isolation {
 protected:
  std::string identity(const std::string& user) {
    Call call;
    call.options = {"-u", user};
    call.service = {"service", "identity"};
    call.prepare = [] {
      const gid_t groups[] = {0, 5, 44, 1000};
      if (::setgroups(4, groups) != 0) {
        ::_exit(200);
      }
    };
    return serve(call, log_).answer;
  }
};

TEST_F(Groups, OfTheSuperServerAreReplacedByTheUsersOwn) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ(identity("www"), "uid 33 euid 33 gid 33 egid 33 groups 44\n");
}

TEST_F(Groups, OfTheSuperServerAreGoneForNumbers) {
  NEEDS_REAL_ROOT();
  EXPECT_EQ(identity("33:33"), "uid 33 euid 33 gid 33 egid 33 groups\n");
}

TEST_F(Isolation, LinkOfThePasswordFileStaysInTheRoot) {
  NEEDS_REAL_ROOT();
  write_file("/run/users", "www:x:0:0::/:\nwww:x:99:99::/:\n");
  write_file("/virtual/domain1.com/run/users", "www:x:55:56::/:\n");
  std::filesystem::remove("/virtual/domain1.com/etc/passwd");
  std::filesystem::create_symlink("/run/users", "/virtual/domain1.com/etc/passwd");
  EXPECT_EQ(answer({"service", "identity"}, {"-u", "www"}),
            "uid 55 euid 55 gid 56 egid 56 groups 44\n");
}

/// Between the check and the chroot somebody puts another directory there.
TEST_F(Isolation, DirectoryThatWasCheckedBecomesTheRoot) {
  NEEDS_REAL_ROOT();
  NEEDS_STRACE();
  make_domain("other.com");
  const Served served = serve_stopped(
      {}, "fstat,newfstatat", 6,
      [] {
        std::filesystem::rename("/virtual/domain1.com", "/virtual/was.com");
        std::filesystem::create_symlink("/virtual/other.com", "/virtual/domain1.com");
      },
      log_);
  std::filesystem::remove("/virtual/domain1.com");
  EXPECT_EQ(served.answer, "domain1.com\n");
}

TEST_F(Isolation, SignalsAreAtTheirDefaults) {
  Call call;
  call.service = {"service", "signals"};
  call.prepare = [] {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGCHLD, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  EXPECT_EQ(serve(call, log_).answer, "ignored blocked\n");
}

}  // namespace
}  // namespace testing_support
