// A real systemd.
#pragma once

#include <string>
#include <vector>

#include "process.h"

namespace testing_support {

/// Debian's systemd as process 1 of new namespaces, on this machine except for /proc, /sys and
/// /run. It starts `unit` of /etc/systemd/system, and nothing that a machine starts at boot.
Command systemd(const std::string& unit);

}  // namespace testing_support
