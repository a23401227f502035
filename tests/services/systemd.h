// A real systemd.
#pragma once

#include <string>
#include <vector>

#include "process.h"

namespace testing_support {

/// systemd, of the package of that name, as process 1 of namespaces of its own, on this machine but
/// for /proc, /sys and /run. It starts `unit` of /etc/systemd/system, and nothing that a machine
/// starts at boot.
Command systemd(const std::string& unit);

}  // namespace testing_support
