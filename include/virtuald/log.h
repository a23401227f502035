// Messages to syslog, and to standard error if that is not the client.
#pragma once

#include <string_view>

namespace virtuald {

/// The priorities in use (syslog(3)).
enum class Priority { error, warning, info };

/// Connects to the host's /dev/log. Must be called before the chroot, because /dev/log in the root
/// is the domain's. If nothing listens there, messages go only to standard error.
void open_log();

/// Sends `virtuald[pid]: message` to the log, with facility LOG_DAEMON, and, unless `priority` is
/// info, writes it to standard error. A socket as standard error gets nothing: under inetd it is
/// the client. Waits for a stuck log daemon for a second at most, and only once.
///
/// syslog(3) is not used: musl's cuts a message at 1,024 bytes, stamps it in UTC, which daemons
/// take for local time, and, like others, waits forever for a stuck daemon. The daemon stamps a
/// message that has no time stamp (RFC 3164, 4.3.2).
void log_message(Priority priority, std::string_view message);

/// Writes `virtuald: message` as a line to standard error, unless it is a socket.
void write_standard_error(std::string_view message);

/// Prints all of `text` on standard output. Returns false, after a message on standard error, if
/// that fails.
[[nodiscard]] bool print(std::string_view text);

}  // namespace virtuald
