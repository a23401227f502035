// What a program starts and reads while it runs, and its root lacks.
#pragma once

#include <climits>
#include <cstddef>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// Texts that end in NUL, one after the other. What does not fit is left out.
class Texts {
 public:
  void clear() { size_ = 0; }

  /// Adds `text`, unless it is there.
  void add(std::string_view text);

  [[nodiscard]] const char* begin() const { return text_; }
  [[nodiscard]] const char* end() const { return text_ + size_; }

 private:
  std::size_t size_ = 0;
  char text_[std::size_t{32} * 1024] = {};
};

/// What a program lacks once it runs, as far as the rules of scripts/share/virtuald/needs and the
/// words in the program tell. Files that the host does not have either are passed over: the root
/// may be of another kind of system. Static because of its size (error.h).
class Needs {
 public:
  /// Reads `program`, a path in the directory `root`, and `interpreter`, which is what is executed
  /// in the end: no more than 64 MiB and 4096 paths of helpers, and nothing if they are not
  /// regular files. `root` must stay open until the last call of next().
  void read(int root, const char* program, const char* interpreter);

  /// Whether the interpreter has a run path that depends on where it is ($ORIGIN of ld.so(8)).
  [[nodiscard]] bool has_origin() const { return has_origin_; }

  /// Takes what the loader listed.
  void add_libraries(std::string_view listing);

  /// The next of what the program lacks, as "FILE, FILE: reason". False if nothing is left.
  [[nodiscard]] bool next(Message& lack);

 private:
  void note_calls();
  void add_names(const char* path);
  void read_words(const char* path);
  void take_word(std::string_view word);
  [[nodiscard]] const char* find_match(std::string_view pattern) const;
  [[nodiscard]] bool apply(std::string_view rule, Message& lack) const;
  void fill_in(std::string_view text, std::string_view name, char (&path)[PATH_MAX]) const;
  [[nodiscard]] bool is_missing(std::string_view what, std::string_view name, bool is_empty) const;
  [[nodiscard]] bool lacks_home(Message& lack) const;

  int root_ = -1;
  bool has_origin_ = false;
  bool has_looked_home_ = false;
  std::size_t budget_ = 0;
  int paths_ = 0;  // how many more are looked for on the host
  char program_[PATH_MAX] = {};
  char library_[PATH_MAX] = {};  // the directory of the C library
  std::string_view rules_;       // those that are left
  std::string_view calls_[8];    // @NAME, the functions of the table
  const char* helper_ = nullptr;
  Texts known_;    // the paths of the program and its libraries, and @NAME for what it calls
  Texts helpers_;  // programs of the host that it has the paths of
};

}  // namespace virtuald
