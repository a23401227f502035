// Time for deadlines.
#pragma once

#include <cstdint>
#include <ctime>

namespace virtuald {

/// Milliseconds since an arbitrary moment; never goes back (CLOCK_MONOTONIC).
inline std::int64_t milliseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace virtuald
