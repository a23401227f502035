#include "virtuald/call_filter.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace virtuald {
namespace {

// From <linux/filter.h>, <linux/seccomp.h> and <linux/audit.h>, which not every libc provides.
struct Instruction {
  std::uint16_t code;
  std::uint8_t skipped_if_true;
  std::uint8_t skipped_if_false;
  std::uint32_t operand;
};
struct Program {
  std::uint16_t size;
  const Instruction* code;
};
constexpr unsigned kSetModeFilter = 1;
constexpr unsigned kSpeculationAllowed = 4;  // otherwise older kernels slow the service down
constexpr std::uint32_t kAllow = 0x7fff0000;
constexpr std::uint32_t kFail = 0x00050000;  // with errno in the low bits
constexpr std::uint32_t kNumberOffset = 0;
constexpr std::uint32_t kArchitectureOffset = 4;

Instruction load(std::uint32_t offset) {
  return {0x20, 0, 0, offset};
}
[[maybe_unused]] Instruction keep_bits(std::uint32_t bits) {  // used only with x32
  return {0x54, 0, 0, bits};
}
Instruction if_equal(std::uint32_t value, std::uint8_t skipped_if_true,
                     std::uint8_t skipped_if_false) {
  return {0x15, skipped_if_true, skipped_if_false, value};
}
Instruction if_at_least(std::uint32_t value) {
  return {0x35, 0, 0, value};
}
Instruction if_has_bits(std::uint32_t bits, std::uint8_t skipped_if_true,
                        std::uint8_t skipped_if_false) {
  return {0x45, skipped_if_true, skipped_if_false, bits};
}
Instruction finish(std::uint32_t result) {
  return {0x06, 0, 0, result};
}
/// Loads the low half of an argument. The kernel ignores the high half of those that rules check.
Instruction load_argument(std::uint32_t index) {
  return load(16 + 8 * index + (std::endian::native == std::endian::big ? 4 : 0));
}

enum class Rule { own_limits, own_priority, own_io_priority, no_user_namespace, missing };

struct Call {
  std::uint32_t number;
  Rule rule;
};

constexpr std::size_t kCallCount = 13;

/// The call numbers of one kind of program. A kernel can run more than one kind.
struct Abi {
  std::uint32_t architecture;
  Call calls[kCallCount];
};

#if defined(__x86_64__)
constexpr std::uint32_t kNativeArchitecture = 0xc000003e;
#elif defined(__i386__)
constexpr std::uint32_t kNativeArchitecture = 0x40000003;
#elif defined(__aarch64__)
constexpr std::uint32_t kNativeArchitecture = 0xc00000b7;
#elif defined(__arm__)
constexpr std::uint32_t kNativeArchitecture = 0x40000028;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kNativeArchitecture = 0xc00000f3;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr std::uint32_t kNativeArchitecture = 0xc0000015;
#elif defined(__s390x__)
constexpr std::uint32_t kNativeArchitecture = 0x80000016;
#elif defined(__loongarch64)
constexpr std::uint32_t kNativeArchitecture = 0xc0000102;
#else
constexpr std::uint32_t kNativeArchitecture = 0;  // -i is refused
#endif

#if defined(__s390x__)
constexpr std::uint32_t kCloneFlags = 1;
#else
constexpr std::uint32_t kCloneFlags = 0;
#endif
constexpr std::uint32_t kClone3 = 435;  // on all architectures; too new for some headers

constexpr Abi kAbis[] = {
    {kNativeArchitecture,
     {{SYS_prlimit64, Rule::own_limits},
      {SYS_sched_setparam, Rule::own_limits},
      {SYS_sched_setscheduler, Rule::own_limits},
      {SYS_sched_setaffinity, Rule::own_limits},
      {SYS_sched_setattr, Rule::own_limits},
      {SYS_setpriority, Rule::own_priority},
      {SYS_ioprio_set, Rule::own_io_priority},
      {SYS_clone, Rule::no_user_namespace},
      {SYS_unshare, Rule::no_user_namespace},
      {kClone3, Rule::missing},
      {SYS_add_key, Rule::missing},
      {SYS_request_key, Rule::missing},
      {SYS_keyctl, Rule::missing}}},
#if defined(__x86_64__)
    {0x40000003,  // i386
     {{340, Rule::own_limits},
      {154, Rule::own_limits},
      {156, Rule::own_limits},
      {241, Rule::own_limits},
      {351, Rule::own_limits},
      {97, Rule::own_priority},
      {289, Rule::own_io_priority},
      {120, Rule::no_user_namespace},
      {310, Rule::no_user_namespace},
      {kClone3, Rule::missing},
      {286, Rule::missing},
      {287, Rule::missing},
      {288, Rule::missing}}},
#elif defined(__aarch64__)
    {0x40000028,  // arm
     {{369, Rule::own_limits},
      {154, Rule::own_limits},
      {156, Rule::own_limits},
      {241, Rule::own_limits},
      {380, Rule::own_limits},
      {97, Rule::own_priority},
      {314, Rule::own_io_priority},
      {120, Rule::no_user_namespace},
      {337, Rule::no_user_namespace},
      {kClone3, Rule::missing},
      {309, Rule::missing},
      {310, Rule::missing},
      {311, Rule::missing}}},
#endif
};

/// The program for the kernel's filter machine. On installation, the kernel runs it once for every
/// existing call, and compiles it: a list of comparisons would cost twice as much as this tree.
class Filter {
 public:
  void write() {
    add({load(kArchitectureOffset)});
    for (Abi abi : kAbis) {
      std::sort(abi.calls, abi.calls + kCallCount,
                [](const Call& one, const Call& other) { return one.number < other.number; });
      const std::size_t check = size_;
      add({if_equal(abi.architecture, 0, 0), load(kNumberOffset)});
#if defined(__x86_64__)
      constexpr std::uint32_t kX32 = 0x40000000;  // marks the calls of a third kind of program
      add({keep_bits(~kX32)});
#endif
      add_tree(abi.calls, kCallCount);
      code_[check].skipped_if_false = distance_from(check);
    }
    add({finish(kFail | ENOSYS)});  // for kinds without a table above
    for (const Rule rule : {Rule::own_limits, Rule::own_priority, Rule::own_io_priority,
                            Rule::no_user_namespace, Rule::missing}) {
      for (const Leaf& leaf : leaves_) {
        if (leaf.rule == rule) {
          code_[leaf.place].skipped_if_true = distance_from(leaf.place);
        }
      }
      add_rule(rule);
    }
    for (const Leaf& leaf : leaves_) {
      code_[leaf.place].skipped_if_false = distance_from(leaf.place);
    }
    add({finish(kAllow)});
  }

  [[nodiscard]] Program program() const {
    return {static_cast<std::uint16_t>(size_), code_};
  }

 private:
  /// The comparison that identifies a call.
  struct Leaf {
    std::size_t place;
    Rule rule;
  };

  void add(std::initializer_list<Instruction> code) {
    for (const Instruction& instruction : code) {
      code_[size_++] = instruction;
    }
  }

  [[nodiscard]] std::uint8_t distance_from(std::size_t place) const {
    return static_cast<std::uint8_t>(size_ - place - 1);
  }

  void add_tree(const Call* calls, std::size_t count) {
    const std::size_t check = size_;
    if (count == 1) {
      leaves_[leaf_count_++] = {check, calls->rule};
      add({if_equal(calls->number, 0, 0)});
      return;
    }
    const std::size_t half = count / 2;
    add({if_at_least(calls[half].number)});
    add_tree(calls, half);
    code_[check].skipped_if_true = distance_from(check);
    add_tree(calls + half, count - half);
  }

  void add_rule(Rule rule) {
    const Instruction allow = finish(kAllow);
    const Instruction refuse = finish(kFail | EPERM);
    constexpr std::uint32_t kOfProcess = 0;    // PRIO_PROCESS
    constexpr std::uint32_t kIoOfProcess = 1;  // IOPRIO_WHO_PROCESS
    switch (rule) {
      case Rule::own_limits:  // process 0 is the caller
        add({load_argument(0), if_equal(0, 1, 0), refuse, allow});
        break;
      case Rule::own_priority:
      case Rule::own_io_priority:
        add({load_argument(1), if_equal(0, 0, 2), load_argument(0),
             if_equal(rule == Rule::own_priority ? kOfProcess : kIoOfProcess, 1, 0), refuse,
             allow});
        break;
      case Rule::no_user_namespace:
        add({load_argument(kCloneFlags), if_has_bits(CLONE_NEWUSER, 0, 1), refuse, allow});
        break;
      case Rule::missing:
        add({finish(kFail | ENOSYS)});
        break;
    }
  }

  std::size_t size_ = 0;
  std::size_t leaf_count_ = 0;
  Leaf leaves_[kCallCount * (sizeof kAbis / sizeof *kAbis)] = {};
  Instruction code_[128] = {};
};

}  // namespace

bool filter_calls() {
  static Filter filter;  // Static because of its size.
  filter.write();
  const Program program = filter.program();
  // On a machine without a table, an invalid mode makes the call fail, as on a kernel without
  // filters.
  constexpr unsigned kMode = kNativeArchitecture != 0 ? kSetModeFilter : ~0U;
  return ::syscall(SYS_seccomp, kMode, kSpeculationAllowed, &program) == 0;
}

}  // namespace virtuald
