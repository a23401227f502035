// `limit ROOT PROGRAM [ARGUMENT ...]`: the least work that starts another program in a root. No
// program that does so can be faster.

#include "system_calls.h"

BENCH_ENTRY(begin);

extern "C" [[noreturn]] void begin(long* stack);

void begin(long* stack) {
  using namespace bench;
  const Start start(stack);
  if (start.count < 3 || system_call(SYS_chroot, address_of(start.arguments[1])) < 0 ||
      system_call(SYS_chdir, address_of("/")) < 0) {
    leave(125);
  }
  execute(start.arguments + 2, start.environment);
}
