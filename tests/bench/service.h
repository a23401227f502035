// What the no-op service and those who start it agree upon.
#pragma once

namespace bench {

/// Its exit status, by which a run is known to have reached it. A wrapper that fails leaves with
/// another.
constexpr int kServiceStatus = 42;

}  // namespace bench
