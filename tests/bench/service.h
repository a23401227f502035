// Shared by the services and the programs that start them.
#pragma once

namespace bench {

/// The services' exit status, which proves that a run reached its service. A wrapper that fails
/// exits with a different one.
constexpr int kServiceStatus = 42;

/// The whole answer of the answering service, which proves to the client that it was served.
constexpr char kAnswer = 'y';

}  // namespace bench
