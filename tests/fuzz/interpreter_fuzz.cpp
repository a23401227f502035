// The reader of a program's interpreter, compared with a slow and simple one.

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "require.h"
#include "virtuald/interpreter.h"

namespace {

using virtuald::ProgramKind;

struct PlainInterpreter {
  ProgramKind kind = ProgramKind::other;
  std::string path;
};

/// Where the fields of elf(5) are in a file of one class.
struct Layout {
  std::size_t header_size;
  std::size_t address_size;
  std::size_t segments_offset;
  std::size_t segment_size_offset;
  std::size_t segment_count_offset;
  std::size_t segment_size;
  std::size_t offset_offset;
  std::size_t size_offset;
};
constexpr Layout kLayout64 = {64, 8, 32, 54, 56, 56, 8, 32};
constexpr Layout kLayout32 = {52, 4, 28, 42, 44, 32, 4, 16};

/// The number of `size` bytes at `offset`, in this machine's byte order.
std::uint64_t number_at(const std::string& file, std::uint64_t offset, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, file.data() + offset, size);
  return value;
}

bool holds(const std::string& file, std::uint64_t offset, std::uint64_t size) {
  return offset <= file.size() && size <= file.size() - offset;
}

PlainInterpreter read_elf_plainly(const std::string& file, const Layout& layout) {
  if (!holds(file, 0, layout.header_size) ||
      number_at(file, layout.segment_size_offset, 2) != layout.segment_size) {
    return {};
  }
  const std::uint64_t first = number_at(file, layout.segments_offset, layout.address_size);
  const std::uint64_t count = number_at(file, layout.segment_count_offset, 2);
  for (std::uint64_t index = 0; index < std::min<std::uint64_t>(count, 256); ++index) {
    const std::uint64_t segment = first + index * layout.segment_size;
    if (!holds(file, segment, layout.segment_size)) {
      break;
    }
    if (number_at(file, segment, 4) != PT_INTERP) {
      continue;
    }
    const std::uint64_t offset =
        number_at(file, segment + layout.offset_offset, layout.address_size);
    const std::uint64_t size = number_at(file, segment + layout.size_offset, layout.address_size);
    if (offset >= file.size() || size == 0) {
      break;
    }
    const std::string path = file.substr(offset, std::min<std::uint64_t>(size, PATH_MAX - 1));
    return {ProgramKind::elf_dynamic, path.substr(0, path.find('\0'))};
  }
  return {ProgramKind::elf_static, ""};
}

PlainInterpreter read_script_plainly(const std::string& file) {
  std::string path;
  for (const char character : file.substr(2, 254)) {
    const bool is_blank = character == ' ' || character == '\t';
    if (character == '\n' || character == '\0' || (is_blank && !path.empty())) {
      break;
    }
    if (!is_blank) {
      path += character;
    }
  }
  return {path.empty() ? ProgramKind::other : ProgramKind::script, path};
}

PlainInterpreter read_plainly(const std::string& file) {
  if (file.starts_with("#!")) {
    return read_script_plainly(file);
  }
  if (file.size() > EI_CLASS && file.starts_with(ELFMAG)) {
    if (file[EI_CLASS] == ELFCLASS64) {
      return read_elf_plainly(file, kLayout64);
    }
    if (file[EI_CLASS] == ELFCLASS32) {
      return read_elf_plainly(file, kLayout32);
    }
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const int file = ::memfd_create("program", MFD_CLOEXEC);
  REQUIRE(::ftruncate(file, 0) == 0);
  REQUIRE(::pwrite(file, bytes, size, 0) == static_cast<ssize_t>(size));
  const PlainInterpreter expected =
      read_plainly(std::string(reinterpret_cast<const char*>(bytes), size));
  static virtuald::Interpreter interpreter;
  virtuald::read_interpreter(file, interpreter);
  REQUIRE(std::memchr(interpreter.path, '\0', sizeof interpreter.path) != nullptr);
  REQUIRE(interpreter.kind == expected.kind);
  REQUIRE(interpreter.path == expected.path);
  return 0;
}
