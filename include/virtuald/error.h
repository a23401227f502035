// What failed, as the line that an administrator reads.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace virtuald {

/// One failure: its message, in a buffer of its own. Functions that can
/// fail take an `Error&` as their last argument, return false and leave the message there; main
/// alone reports it. Nothing is allocated, so a failure cannot itself fail. A message longer than
/// kCapacity is cut. Whatever is not printable ASCII, which a hostile file name could hold, comes
/// out as `\xHH`, so that a message is always one line.
class Error {
 public:
  /// Room for two paths of PATH_MAX and the words around them.
  static constexpr std::size_t kCapacity = 9216;

  /// The message is `parts`, one after the other.
  void set(std::initializer_list<std::string_view> parts);

  /// The message is `operation object: reason`, the reason being strerror(3)'s for `code`.
  void set_errno(std::string_view operation, std::string_view object, int code);

  void append(std::string_view part);

  /// Back to no failure.
  void clear() { size_ = 0; }

  /// Whether a failure is recorded here.
  explicit operator bool() const { return size_ != 0; }

  /// Without a line end; valid until the next call that changes this object.
  [[nodiscard]] std::string_view message() const { return {text_, size_}; }

 private:
  std::size_t size_ = 0;
  char text_[kCapacity] = {};
};

}  // namespace virtuald
