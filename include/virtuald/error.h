// One-line messages for the administrator, and errors made of them.
//
// Objects larger than a page, such as these, are static where they are used and say "Static because
// of its size": an untouched page costs a connection nothing, and a low stack limit inherited from
// the super server does no harm. The functions that hold them never recurse.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace virtuald {

/// One line in a buffer of fixed size, so building it cannot fail. Text beyond kCapacity is cut.
/// Characters other than printable ASCII, which a hostile file name could contain, become `\xHH`,
/// so it is always one line.
class Message {
 public:
  /// Enough for two paths of PATH_MAX and the words around them.
  static constexpr std::size_t kCapacity = 9216;

  /// Sets the text to all of `parts`, joined.
  void set(std::initializer_list<std::string_view> parts);

  void append(std::string_view part);

  /// Without a line end; valid until the next call that changes this object.
  [[nodiscard]] std::string_view text() const { return {text_, size_}; }

 private:
  std::size_t size_ = 0;
  char text_[kCapacity] = {};
};

/// Why something failed. Functions that can fail take an `Error&` as their last argument. It is
/// valid only if their result says that they failed. They leave it to their callers to report it.
class Error : public Message {
 public:
  /// Sets the text to `parts`. Returns false, for the caller to return.
  bool fail(std::initializer_list<std::string_view> parts);

  /// Sets the text to `operation object: reason`, with strerror(3) of `code`. Returns false.
  bool fail_errno(std::string_view operation, std::string_view object, int code);
};

}  // namespace virtuald
