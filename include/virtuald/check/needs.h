// Finds what a program needs while it runs and its root lacks.
#pragma once

#include <climits>
#include <cstddef>
#include <string_view>

#include "virtuald/error.h"

namespace virtuald {

/// A list of NUL-terminated texts in a buffer of fixed size. Texts that do not fit are left out.
class Texts {
 public:
  void clear() { size_ = 0; }

  /// Adds `text`, unless it is already in the list.
  void add(std::string_view text);

  [[nodiscard]] const char* begin() const { return text_; }
  [[nodiscard]] const char* end() const { return text_ + size_; }

 private:
  std::size_t size_ = 0;
  char text_[std::size_t{32} * 1024] = {};
};

/// What a program lacks once it runs, according to the rules in scripts/share/virtuald/needs and
/// the paths in the program. Files that the host lacks too are not reported, because the root may
/// hold another kind of system. Static because of its size (error.h).
class Needs {
 public:
  /// Reads `program`, a path in the directory `root`, and `interpreter`, which the kernel runs in
  /// the end; for a script they differ. Reads only regular files, up to 64 MiB and 4096 paths of
  /// helpers in all. `root` must stay open until the last call of next().
  void read(int root, const char* program, const char* interpreter);

  /// Whether the interpreter mentions $ORIGIN, so that its run path may depend on its location
  /// (ld.so(8)).
  [[nodiscard]] bool has_origin() const { return has_origin_; }

  /// Adds the libraries in `listing`, the loader's output.
  void add_libraries(std::string_view listing);

  /// Sets `lack` to the next things that the program lacks, as "FILE, FILE: reason". Returns false
  /// after the last.
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
  int paths_ = 0;  // how many more may be looked for on the host
  char program_[PATH_MAX] = {};
  char library_[PATH_MAX] = {};  // the directory of the C library
  std::string_view rules_;       // those that next() has not tried
  std::string_view calls_[8];    // @NAME of each function in the table
  const char* helper_ = nullptr;
  Texts known_;    // paths of the program and its libraries, and @NAME of functions that it calls
  Texts helpers_;  // programs of the host whose paths the program contains
};

}  // namespace virtuald
