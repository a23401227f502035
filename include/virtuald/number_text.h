// Numbers in messages.
#pragma once

#include <sys/types.h>

#include <charconv>
#include <cstddef>
#include <string_view>

namespace virtuald {

/// An integer as text, for a message: `Decimal(7).text()`. The view lives as long as the object.
class Decimal {
 public:
  explicit Decimal(long long value)
      : size_(static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, value).ptr -
                                       digits_)) {}

  [[nodiscard]] std::string_view text() const { return {digits_, size_}; }

 private:
  char digits_[24];
  std::size_t size_;
};

/// The permission bits of a mode as chmod(1) takes them: `ModeText(S_IFDIR | 0755).text()` is
/// "0755".
class ModeText {
 public:
  explicit ModeText(mode_t mode)
      : digits_{octal(mode >> 9), octal(mode >> 6), octal(mode >> 3), octal(mode)} {}

  [[nodiscard]] std::string_view text() const { return {digits_, sizeof digits_}; }

 private:
  static char octal(mode_t bits) { return static_cast<char>('0' + (bits & 7)); }

  char digits_[4];
};

}  // namespace virtuald
