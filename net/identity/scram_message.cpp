// SPDX-License-Identifier: Apache-2.0
#include "net/identity/scram_message.hpp"

#include "net/identity/base64.hpp"
#include "net/identity/digest.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::net::identity {
namespace {

core::error wrong(std::string_view what) {
  return {core::errc::malformed, std::string{what}};
}

/// The attributes of a message, one after the other.
class attributes {
public:
  explicit attributes(std::string_view message) : rest_(message) {}

  [[nodiscard]] bool at_end() const { return at_end_; }
  /// Where the attribute begins that is next.
  [[nodiscard]] std::string_view rest() const { return rest_; }

  /// Up to the next comma.
  std::string_view next() {
    const auto comma = rest_.find(',');
    const auto found = rest_.substr(0, comma);
    at_end_ = comma == rest_.npos;
    rest_.remove_prefix(at_end_ ? rest_.size() : comma + 1);
    return found;
  }
  /// The value, if the next attribute has this name.
  std::optional<std::string_view> take(char name) {
    if (at_end_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=')
      return std::nullopt;
    return next().substr(2);
  }

private:
  std::string_view rest_;
  bool at_end_ = false;
};

bool is_attribute(std::string_view text) {
  return text.size() >= 2 && text[1] == '=' &&
         ((text[0] >= 'a' && text[0] <= 'z') ||
          (text[0] >= 'A' && text[0] <= 'Z')) &&
         text.find('\0') == text.npos;
}

/// RFC 5802 §5.1: printable ASCII without the comma.
bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= scram_nonce_bytes_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7E && c != ','; });
}

/// Nothing: not the way a comma or an equals sign is written.
std::optional<std::string> unescaped(std::string_view name) {
  std::string plain;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '=') {
      plain += name[i];
      continue;
    }
    const auto code = name.substr(i, 3);
    if (code != "=2C" && code != "=3D")
      return std::nullopt;
    plain += code == "=2C" ? ',' : '=';
    i += 2;
  }
  return plain;
}

/// Extensions may be there, and say nothing; those that may not be ignored are
/// called m. The last attribute, of the name `last`, is left for the caller.
core::result<void> skip_extensions(attributes& in, char last) {
  while (!in.at_end() && !(last != '\0' && in.rest().size() >= 2 &&
                           in.rest()[0] == last && in.rest()[1] == '=')) {
    const auto text = in.next();
    if (!is_attribute(text))
      return wrong("no attribute");
    if (text[0] == 'm')
      return wrong("mandatory extensions are not served");
  }
  return {};
}

} // namespace

bool is_plain_text(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c <= 0x7E;
  });
}

core::result<scram_client_first>
parse_scram_client_first(std::string_view message) {
  if (message.size() > scram_message_bytes_max)
    return wrong("a message that is too long");
  attributes in{message};
  const auto flag = in.next();
  if (flag.starts_with("p="))
    return wrong("channel binding is not served");
  if ((flag != "n" && flag != "y") || in.at_end())
    return wrong("no GS2 header");
  const auto actor = in.next();
  if (in.at_end() || (!actor.empty() && !actor.starts_with("a=")))
    return wrong("no GS2 header");
  scram_client_first read;
  read.bare = in.rest();
  read.header = message.substr(0, message.size() - read.bare.size());
  if (read.bare.starts_with("m="))
    return wrong("mandatory extensions are not served");
  const auto name = in.take('n');
  if (!name)
    return wrong("no user name");
  auto user = unescaped(*name);
  if (!user || user->empty())
    return wrong("not the way to write a user name");
  if (!is_plain_text(*user))
    return wrong("a user name beyond printable ASCII");
  if (!actor.empty() && unescaped(actor.substr(2)) != user)
    return wrong("nobody acts for another user");
  const auto nonce = in.take('r');
  if (!nonce || !is_nonce(*nonce))
    return wrong("no nonce");
  if (auto rest = skip_extensions(in, '\0'); !rest)
    return rest.error();
  read.user = std::move(*user);
  read.nonce = *nonce;
  return read;
}

core::result<scram_client_final>
parse_scram_client_final(std::string_view message) {
  if (message.size() > scram_message_bytes_max)
    return wrong("a message that is too long");
  attributes in{message};
  const auto binding = in.take('c');
  auto header = binding ? from_base64(*binding) : std::nullopt;
  if (!header)
    return wrong("no channel binding");
  scram_client_final read;
  read.header = std::move(*header);
  const auto nonce = in.take('r');
  if (!nonce || nonce->empty())
    return wrong("no nonce");
  read.nonce = *nonce;
  if (auto rest = skip_extensions(in, 'p'); !rest)
    return rest.error();
  const auto before = message.size() - in.rest().size();
  const auto text = in.take('p');
  auto proof = text && in.at_end() ? from_base64(*text) : std::nullopt;
  if (!proof || proof->size() != sha256_bytes)
    return wrong("no proof");
  read.without_proof = message.substr(0, before - 1); // nor the comma
  read.proof = std::move(*proof);
  return read;
}

} // namespace troupe::net::identity
