// System calls without a libc, for programs whose start-up must cost only the kernel's part.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

namespace bench {

#if defined(__x86_64__)

inline long system_call(long number, long first = 0, long second = 0, long third = 0,
                        long fourth = 0) {
  register long fourth_register asm("r10") = fourth;
  long result = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(first), "S"(second), "d"(third), "r"(fourth_register)
               : "rcx", "r11", "memory");
  return result;
}

// The kernel puts the argument count, the arguments and the environment on the stack.
#define BENCH_ENTRY(function) \
  asm(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call " #function "\n")

#elif defined(__aarch64__)

inline long system_call(long number, long first = 0, long second = 0, long third = 0,
                        long fourth = 0) {
  register long number_register asm("x8") = number;
  register long first_register asm("x0") = first;
  register long second_register asm("x1") = second;
  register long third_register asm("x2") = third;
  register long fourth_register asm("x3") = fourth;
  asm volatile("svc 0"
               : "+r"(first_register)
               : "r"(number_register), "r"(second_register), "r"(third_register),
                 "r"(fourth_register)
               : "memory");
  return first_register;
}

#define BENCH_ENTRY(function) asm(".globl _start\n_start:\n  mov x0, sp\n  bl " #function "\n")

#else
#error "the benchmark's small programs support only x86_64 and aarch64"
#endif

inline long address_of(const void* object) {
  return reinterpret_cast<long>(object);
}

[[noreturn]] inline void leave(long status) {
  for (;;) {
    system_call(SYS_exit_group, status);
  }
}

/// The arguments and the environment that the kernel gives a program.
struct Start {
  explicit Start(long* stack)
      : count(stack[0]),
        arguments(reinterpret_cast<char**>(stack + 1)),
        environment(arguments + count + 1) {}

  long count;
  char** arguments;
  char** environment;
};

/// Executes the program `arguments[0]`; exits with 127 if that fails.
[[noreturn]] inline void execute(char** arguments, char** environment) {
  system_call(SYS_execve, address_of(arguments[0]), address_of(arguments), address_of(environment));
  leave(127);
}

}  // namespace bench
