// How much memory programs take.
#pragma once

#include <cstddef>

#include "stopwatch.h"

namespace bench {

/// The largest resident set that `launch` or what it becomes has at any of its system calls, in
/// KiB, as the page tables say. (ru_maxrss of wait4(2) begins with what vfork(2)'s caller has, and
/// is off by up to 32 pages for each processor since Linux 6.2.)
std::size_t peak_resident(const Launch& launch, int connection);

}  // namespace bench
