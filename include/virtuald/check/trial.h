// Tests whether a root can be isolated.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// Isolates the directory `root`, called `name` in messages, as -i does for a connection, but in a
/// child, which ends at once. Returns whether that worked. Needs root.
[[nodiscard]] bool try_isolation(int root, const char* name, LineReader& reader, Error& error);

}  // namespace virtuald
