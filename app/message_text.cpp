// SPDX-License-Identifier: Apache-2.0
#include "app/message_text.hpp"

#include "app/json_text.hpp"

#include <openssl/evp.h>

namespace troupe::app {
namespace {

namespace mq = net::mq;

std::string copy(core::bytes_view bytes) {
  return std::string{core::as_text(bytes)};
}

struct reader {
  std::optional<inbox_message> operator()(const mq::deliver_packet& p) const {
    return inbox_message{std::string{p.id}, "message", std::string{p.from},
                         copy(p.body.etc), copy(p.body.data)};
  }
  std::optional<inbox_message>
  operator()(const mq::registered_packet& p) const {
    if (p.id.empty()) // the answer to a request, not from the inbox
      return std::nullopt;
    return inbox_message{std::string{p.id},
                         "aliases changed",
                         std::string{p.from},
                         copy(p.etc),
                         {}};
  }
  std::optional<inbox_message>
  operator()(const mq::list_edited_packet& p) const {
    return inbox_message{std::string{p.id},
                         "list changed",
                         std::string{p.from},
                         copy(p.etc),
                         {}};
  }
  template <class Other>
  std::optional<inbox_message> operator()(const Other&) const {
    return std::nullopt;
  }
};

} // namespace

std::string visible(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto code_at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  std::string out;
  std::size_t escape_until = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = code_at(i);
    // C1 controls take over terminals, too; in UTF-8 they are C2 80..9F.
    if (code == 0xC2 && code_at(i + 1) < 0xA0)
      escape_until = i + 2;
    if ((code < 0x20 && code != '\n' && code != '\t') || code == 0x7F ||
        i < escape_until)
      out += std::string{"\\x"} + hex[code >> 4] + hex[code & 15];
    else
      out += text[i];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0'); // and a final zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.pop_back();
  return out;
}

std::optional<inbox_message> inbox_message_of(const mq::server_packet& packet) {
  return std::visit(reader{}, packet);
}

std::string text_line(const inbox_message& message) {
  auto line = visible(message.id) + ' ' + visible(message.from) + ": ";
  if (message.kind != "message")
    line += message.kind;
  line += visible(message.data);
  if (!message.etc.empty())
    line += "  etc=" + visible(message.etc);
  return line;
}

std::string json_line(const inbox_message& message) {
  std::string line = "{\"id\":";
  append_json(line, message.id);
  line += ",\"kind\":";
  append_json(line, message.kind);
  line += ",\"from\":";
  append_json(line, message.from);
  if (!message.etc.empty()) {
    // As a text: what the sender wrote need not be valid JSON.
    line += ",\"etc\":";
    append_json(line, message.etc);
  }
  const bool text = is_utf8(message.data);
  line += text ? ",\"data\":" : ",\"data_base64\":";
  append_json(line, text ? message.data : base64(message.data));
  return line + '}';
}

} // namespace troupe::app
