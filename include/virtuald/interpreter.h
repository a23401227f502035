// A program's interpreters, read from the files themselves because ldd(1) may execute them.
#pragma once

#include <sys/stat.h>

#include <climits>

namespace virtuald {

/// What kind of file a program is; `unread` if it could not be read.
enum class ProgramKind { unread, other, elf_static, elf_dynamic, script };

/// The interpreter that a program names.
struct Interpreter {
  ProgramKind kind = ProgramKind::unread;  // of the program
  char path[PATH_MAX] = {};                // NUL-terminated; set for elf_dynamic and script
};

/// Reads which interpreter the program `descriptor` names: an ELF file in PT_INTERP (elf(5)), a
/// script after "#!" (execve(2)). The file is not trusted, and is read only with pread(2).
void read_interpreter(int descriptor, Interpreter& interpreter);

/// The last program in a chain of interpreters: a script's interpreter may itself need one. Static
/// because of its size (error.h).
struct InterpreterChain {
  char program[PATH_MAX] = {};  // the last one that could be read
  Interpreter interpreter;      // the one that it names
};

/// The result of follow_interpreters.
enum class Interpreters {
  usable,   // no fault found, as far as files could be read
  missing,  // one does not exist
  unusable  // one cannot be opened or executed, or they nest too deep for the kernel
};

/// Follows `program` and its interpreters in the directory `root` (see open_in_root) to the last
/// one. If one is missing or unusable, `chain.interpreter.path` names it.
[[nodiscard]] Interpreters follow_interpreters(int root, const char* program,
                                               InterpreterChain& chain);

/// True for a regular file with an execute bit.
[[nodiscard]] bool is_executable(const struct stat& status);

}  // namespace virtuald
