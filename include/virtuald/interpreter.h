// A program's interpreters, read from the files themselves, since ldd(1) may run what it looks at.
#pragma once

#include <sys/stat.h>

#include <climits>

namespace virtuald {

/// The interpreter that the program `descriptor` asks for: of an ELF file its PT_INTERP (elf(5)),
/// of a script what follows "#!" (execve(2)). Nothing is read but through pread(2), and nothing in
/// the file is believed.
enum class ProgramKind { unread, other, elf_static, elf_dynamic, script };
struct Interpreter {
  ProgramKind kind = ProgramKind::unread;  // as long as nothing could be read
  char path[PATH_MAX] = {};                // NUL-terminated; set for elf_dynamic and script
};
void read_interpreter(int descriptor, Interpreter& interpreter);

/// What a program comes down to: a script's interpreter may be a program that needs one itself.
/// Static, by its size (error.h).
struct InterpreterChain {
  char program[PATH_MAX] = {};  // the last that could be read
  Interpreter interpreter;      // what it asks for
};

/// What follow_interpreters has found.
enum class Interpreters {
  usable,   // all of them, or none is asked for
  missing,  // one is not there
  unusable  // one cannot be opened or executed, or they nest too deep for the kernel
};

/// Follows `program` and its interpreters as seen from the directory `root` (see open_in_root), to
/// the last of them. `chain.interpreter.path` names the one that is not usable.
[[nodiscard]] Interpreters follow_interpreters(int root, const char* program,
                                               InterpreterChain& chain);

/// A regular file with an execute bit.
[[nodiscard]] bool is_executable(const struct stat& status);

}  // namespace virtuald
