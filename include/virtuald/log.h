// Where messages go: syslog, and standard error where that is not the client.
#pragma once

#include <string_view>

namespace virtuald {

/// The priorities in use (syslog(3)).
enum class Priority { error, warning, info };

/// Connects to the host's /dev/log. To be called before the chroot: later it would be the domain's.
/// If nothing listens there, messages go to standard error alone.
void open_log();

/// Sends one line to the log, as `virtuald[pid]: message` of the facility LOG_DAEMON, and, if
/// `priority` is not info, to standard error, unless descriptor 2 is a socket: under inetd that is
/// the client. A log daemon that does not read is waited for during at most a second, once.
///
/// syslog(3) is not used, because musl's cuts a message at 1,024 bytes, stamps it in UTC, which
/// daemons take for local time, and, like others, waits for a stuck daemon for ever. A message
/// without a time stamp gets the daemon's own (RFC 3164, 4.3.2).
void log_message(Priority priority, std::string_view message);

/// Writes `virtuald: message` as a line to standard error, unless it is a socket.
void write_standard_error(std::string_view message);

/// Prints all of `text` on standard output; false, said on standard error, if that cannot be.
[[nodiscard]] bool print(std::string_view text);

}  // namespace virtuald
