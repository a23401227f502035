// The visible cost of a wrapper: how fast a real super server serves through it.
#pragma once

#include <cstddef>
#include <vector>

#include "contenders.h"
#include "stopwatch.h"

namespace bench {

/// How many connections are open at a time.
constexpr std::size_t kAtATime = 8;

/// Whether openbsd-inetd is there, which tests/run unpacks.
bool has_inetd();

/// Has inetd start each of `contenders` on a separate port, and makes `connections` connections to
/// each in turn, in `rounds` rounds. The service of `place` must be the one that answers. A time is
/// the average of a round's connections, in microseconds. Throws if one gets a wrong answer.
std::vector<Summary> race_under_inetd(const std::vector<const Contender*>& contenders,
                                      const Place& place, std::size_t connections,
                                      std::size_t rounds);

}  // namespace bench
