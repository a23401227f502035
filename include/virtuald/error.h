// Lines that an administrator reads, and failures as such lines.
//
// Objects of more than a page, such as these, are static where they are used and say "Static, by
// its size": an untouched page costs a connection nothing, and no stack limit that a super server
// passes on can be in the way. The functions that hold them are never entered twice at once.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace virtuald {

/// One line, in a buffer of its own, so that making it cannot fail. What does not fit kCapacity is
/// cut. Whatever is not printable ASCII, which a hostile file name could hold, comes out as `\xHH`,
/// so that it is always one line.
class Message {
 public:
  /// Room for two paths of PATH_MAX and the words around them.
  static constexpr std::size_t kCapacity = 9216;

  /// The text is `parts`, one after the other.
  void set(std::initializer_list<std::string_view> parts);

  void append(std::string_view part);

  /// Without a line end; valid until the next call that changes this object.
  [[nodiscard]] std::string_view text() const { return {text_, size_}; }

 private:
  std::size_t size_ = 0;
  char text_[kCapacity] = {};
};

/// Why something failed. Functions that can fail take an `Error&` as their last argument and say by
/// their result that they did; only then does it hold anything of use. Main alone reports it.
class Error : public Message {
 public:
  /// The text is `parts`. Returns false, for the caller to return.
  bool fail(std::initializer_list<std::string_view> parts);

  /// The same for `operation object: reason`, the reason being strerror(3)'s for `code`.
  bool fail_errno(std::string_view operation, std::string_view object, int code);
};

}  // namespace virtuald
