#include "virtuald/interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "virtuald/root.h"

namespace virtuald {
namespace {

/// How deep the kernel nests interpreters (execve(2)).
constexpr int kMaxInterpreters = 5;

/// How much of a "#!" line the kernel reads (BINPRM_BUF_SIZE).
constexpr std::size_t kScriptHeader = 256;

/// Real programs have fewer segments.
constexpr unsigned kMaxSegments = 256;

void copy_path(const char* from, char (&to)[PATH_MAX]) {
  *std::copy_n(from, ::strnlen(from, PATH_MAX - 1), to) = '\0';
}

template <typename Header>
bool read_at(int descriptor, std::uint64_t offset, Header& header) {
  constexpr auto kSize = static_cast<ssize_t>(sizeof header);
  return offset <= INT64_MAX &&
         ::pread(descriptor, &header, sizeof header, static_cast<off_t>(offset)) == kSize;
}

/// Reads PT_INTERP from an ELF file whose class matches the two header types.
template <typename FileHeader, typename SegmentHeader>
void read_elf_interpreter(int descriptor, Interpreter& interpreter) {
  FileHeader file;
  if (!read_at(descriptor, 0, file) || file.e_phentsize != sizeof(SegmentHeader)) {
    return;
  }
  interpreter.kind = ProgramKind::elf_static;
  const unsigned count = std::min<unsigned>(file.e_phnum, kMaxSegments);
  for (unsigned index = 0; index < count; ++index) {
    SegmentHeader segment;
    if (!read_at(descriptor, file.e_phoff + std::uint64_t{index} * sizeof segment, segment)) {
      return;
    }
    if (segment.p_type != PT_INTERP) {
      continue;
    }
    const std::size_t size = std::min<std::size_t>(segment.p_filesz, PATH_MAX - 1);
    const ssize_t got =
        segment.p_offset <= INT64_MAX
            ? ::pread(descriptor, interpreter.path, size, static_cast<off_t>(segment.p_offset))
            : -1;
    if (got > 0) {
      interpreter.path[got] = '\0';
      interpreter.kind = ProgramKind::elf_dynamic;
    }
    return;
  }
}

/// Reads the word after "#!".
void read_script_interpreter(std::string_view header, Interpreter& interpreter) {
  constexpr std::string_view kBlanks = " \t";
  header.remove_prefix(2);
  header = header.substr(0, header.find_first_of(std::string_view("\n\0", 2)));
  header.remove_prefix(std::min(header.find_first_not_of(kBlanks), header.size()));
  header = header.substr(0, header.find_first_of(kBlanks));
  if (!header.empty()) {
    interpreter.path[header.copy(interpreter.path, PATH_MAX - 1)] = '\0';
    interpreter.kind = ProgramKind::script;
  }
}

}  // namespace

void read_interpreter(int descriptor, Interpreter& interpreter) {
  interpreter.path[0] = '\0';
  char header[kScriptHeader];
  const ssize_t size = ::pread(descriptor, header, sizeof header, 0);
  interpreter.kind = size < 0 ? ProgramKind::unread : ProgramKind::other;
  const std::string_view text(header, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (text.substr(0, 2) == "#!") {
    read_script_interpreter(text, interpreter);
  } else if (text.size() > EI_CLASS && text.substr(0, SELFMAG) == ELFMAG) {
    if (text[EI_CLASS] == ELFCLASS64) {
      read_elf_interpreter<Elf64_Ehdr, Elf64_Phdr>(descriptor, interpreter);
    } else if (text[EI_CLASS] == ELFCLASS32) {
      read_elf_interpreter<Elf32_Ehdr, Elf32_Phdr>(descriptor, interpreter);
    }
  }
}

bool is_executable(const struct stat& status) {
  return S_ISREG(status.st_mode) && (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

Interpreters follow_interpreters(int root, const char* program, InterpreterChain& chain) {
  Interpreter& interpreter = chain.interpreter;
  copy_path(program, chain.program);
  for (int depth = 0; depth <= kMaxInterpreters; ++depth) {
    int descriptor = open_in_root(root, chain.program, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
      interpreter.kind = ProgramKind::unread;
      return Interpreters::usable;
    }
    read_interpreter(descriptor, interpreter);
    ::close(descriptor);
    if (interpreter.kind != ProgramKind::elf_dynamic && interpreter.kind != ProgramKind::script) {
      return Interpreters::usable;
    }
    descriptor = open_in_root(root, interpreter.path, O_PATH);
    if (descriptor < 0) {
      return errno == ENOENT || errno == ENOTDIR ? Interpreters::missing : Interpreters::unusable;
    }
    struct stat status {};
    const bool is_usable = ::fstat(descriptor, &status) == 0 && is_executable(status);
    ::close(descriptor);
    if (!is_usable) {
      return Interpreters::unusable;
    }
    if (interpreter.kind == ProgramKind::elf_dynamic) {
      return Interpreters::usable;
    }
    copy_path(interpreter.path, chain.program);
  }
  return Interpreters::unusable;
}

}  // namespace virtuald
