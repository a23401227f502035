// Exit statuses and functions that virtuald and virtuald-by-hand share.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"
#include "virtuald/options.h"
#include "virtuald/trust.h"

namespace virtuald {

// The exit statuses; 125 to 127 are those of chroot(1), env(1) and their like.
constexpr int kOk = 0;
constexpr int kNegative = 1;          // -t: errors; -q: no entry
constexpr int kTimeIsUp = 124;        // -x -l: as in timeout(1)
constexpr int kFailed = 125;          // virtuald itself failed
constexpr int kCannotStart = 126;     // the program exists but does not start
constexpr int kProgramMissing = 127;  // the program does not exist

/// Logs the error and returns `status`.
int fail(const Error& error, int status = kFailed);

/// Opens `path` if only root can change it (trust.h); otherwise returns -1. With -w, a wrong owner
/// or mode is only logged.
[[nodiscard]] int open_or_refuse(const char* path, Subject subject, const Options& options,
                                 Error& error);

/// Makes `directory`, called `name` in messages, the root; with -i an isolated one.
[[nodiscard]] bool make_root(int directory, const char* name, const Options& options,
                             LineReader& reader, Error& error);

}  // namespace virtuald
