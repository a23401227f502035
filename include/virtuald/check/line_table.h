// Remembers on which line of a configuration something appeared first.
#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace virtuald {

/// Sixteen bytes that identify something: an address, or the device and inode of a directory.
using Key = std::array<std::uint8_t, 16>;

/// The line on which each key appears first. A hash table with open addressing. Its memory is
/// mapped until the program ends, and zeros in it are empty slots. Linking malloc(3) for this alone
/// would make the program larger, and so slower to start.
class LineTable {
 public:
  /// Makes a table for all lines of a file of `file_size` bytes. An entry has at least five bytes
  /// (":: /" and a line end), so at least a fifth of the slots stay empty.
  explicit LineTable(std::size_t file_size) : capacity_(std::bit_ceil(file_size / 4 + 16)) {
    void* const memory = ::mmap(nullptr, capacity_ * sizeof(Slot), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    slots_ = memory == MAP_FAILED ? nullptr : static_cast<Slot*>(memory);
  }

  /// Returns the line that `key` was first added with, or adds it with `line` and returns 0. Also
  /// returns 0 if there was no memory for the table, or if the file has grown since and the table
  /// is full; repetitions then go unnoticed.
  [[nodiscard]] std::size_t add(const Key& key, std::size_t line) {
    if (slots_ == nullptr) {
      return 0;
    }
    Slot& slot = find(key);
    if (slot.line == 0 && count_ + 1 < capacity_) {  // a search needs an empty slot to end
      slot = {key, line};
      ++count_;
      return 0;
    }
    return slot.line;
  }

 private:
  struct Slot {
    Key key;
    std::size_t line;
  };

  Slot& find(const Key& key) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::uint8_t byte : key) {
      hash = (hash ^ byte) * 0x100000001b3;
    }
    for (;; ++hash) {
      Slot& slot = slots_[hash & (capacity_ - 1)];
      if (slot.line == 0 || slot.key == key) {
        return slot;
      }
    }
  }

  std::size_t capacity_;
  std::size_t count_ = 0;
  Slot* slots_;
};

}  // namespace virtuald
