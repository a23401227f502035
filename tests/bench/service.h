// What the services and those who start them agree upon.
#pragma once

namespace bench {

/// Their exit status, by which a run is known to have reached it. A wrapper that fails exits with
/// another.
constexpr int kServiceStatus = 42;

/// All that the answering service says to its client, by which that knows that it was served.
constexpr char kAnswer = 'y';

}  // namespace bench
