// The service that does nothing: what is measured beyond it is the wrapper's.

#include "service.h"
#include "system_calls.h"

BENCH_ENTRY(begin);

extern "C" [[noreturn]] void begin();

void begin() {
  bench::leave(bench::kServiceStatus);
}
