// Trying whether a root can be isolated.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"

namespace virtuald {

/// Whether the directory `root`, called `name` in messages, can be isolated, as -i does it for a
/// connection: tried in a child, which ends at once. Needs root.
[[nodiscard]] bool try_isolation(int root, const char* name, LineReader& reader, Error& error);

}  // namespace virtuald
