// The memory that programs use.
#pragma once

#include <cstddef>

#include "stopwatch.h"

namespace bench {

/// The largest resident set, in KiB, of `launch` and what it executes, read from the page tables at
/// each system call. (ru_maxrss of wait4(2) includes the caller of vfork(2), and since Linux 6.2 is
/// off by up to 32 pages for each processor.)
std::size_t peak_resident(const Launch& launch, int connection);

}  // namespace bench
