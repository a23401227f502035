#include "virtuald/error.h"

#include <cstring>

namespace virtuald {

void Message::set(std::initializer_list<std::string_view> parts) {
  size_ = 0;
  for (const std::string_view part : parts) {
    append(part);
  }
}

bool Error::fail(std::initializer_list<std::string_view> parts) {
  set(parts);
  return false;
}

bool Error::fail_errno(std::string_view operation, std::string_view object, int code) {
  return fail({operation, " ", object, ": ", std::strerror(code)});
}

void Message::append(std::string_view part) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char character : part) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_printable = byte >= 0x20 && byte < 0x7f;
    const char escaped[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 0xf]};
    const std::string_view text =
        is_printable ? std::string_view(&character, 1) : std::string_view(escaped, sizeof escaped);
    if (size_ + text.size() > kCapacity) {
      return;
    }
    size_ += text.copy(text_ + size_, text.size());
  }
}

}  // namespace virtuald
