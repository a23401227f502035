// What virtuald and the program beside it have in common before a root is entered.
#pragma once

#include "virtuald/error.h"
#include "virtuald/line_reader.h"
#include "virtuald/options.h"
#include "virtuald/trust.h"

namespace virtuald {

// The exit statuses; 125 to 127 are those of chroot(1), env(1) and their like.
constexpr int kOk = 0;
constexpr int kNegative = 1;          // -t: errors; -q: no entry
constexpr int kTimeIsUp = 124;        // -x -l: as timeout(1) has it
constexpr int kFailed = 125;          // virtuald itself failed
constexpr int kCannotStart = 126;     // the program is there but does not start
constexpr int kProgramMissing = 127;  // it is not there

/// Logs the error, and returns the status.
int fail(const Error& error, int status = kFailed);

/// Opens what only root may change, or returns -1. With -w, distrust is only logged.
[[nodiscard]] int open_or_refuse(const char* path, Subject subject, const Options& options,
                                 Error& error);

/// Makes `directory`, called `name` in messages, the root, which with -i cannot be left.
[[nodiscard]] bool make_root(int directory, const char* name, const Options& options,
                             LineReader& reader, Error& error);

}  // namespace virtuald
