// SPDX-License-Identifier: Apache-2.0
#include "net/mq/message_encoder.hpp"

namespace troupe::net::mq {

namespace {

/// The front of a text that is longer than a field may be, whole characters.
std::string_view clipped(std::string_view text) {
  if (text.size() <= field_bytes_max) [[likely]]
    return text;
  auto end = field_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

void put_error(packet_head& to, std::string_view error) {
  if (!error.empty())
    to.text(R"(,"error":)", clipped(error));
}

void put_etc(packet_head& to, core::bytes_view etc) {
  if (!etc.empty())
    to.number(R"(,"etc":)", etc.size());
}

void put_sequence(packet_head& to,
                  const std::optional<core::inbox_position>& sequence) {
  if (sequence)
    to.number(R"(,"seq":)", sequence->value());
}

void put_time_to_live(packet_head& to,
                      const std::optional<core::milliseconds>& life) {
  if (!life || life->count() <= 0)
    return;
  // Seconds with three decimals.
  const auto count = static_cast<std::uint64_t>(life->count());
  auto text = std::to_string(count / 1000);
  if (const auto rest = count % 1000; rest != 0)
    text += '.' + std::to_string(1000 + rest).substr(1);
  to.json(R"(,"ttl":)", text);
}

void put_duplicates(packet_head& to, const deduplication& duplicates) {
  switch (duplicates.what) {
  case deduplication::choice::as_login:
    break;
  case deduplication::choice::off:
    to.json(R"(,"dedup":)", "false");
    break;
  case deduplication::choice::by_id:
    to.json(R"(,"dedup":)", "true");
    break;
  case deduplication::choice::by_key:
    to.text(R"(,"dedup":)", duplicates.key);
    break;
  }
}

template <class Packet>
void put_post_options(packet_head& to, const Packet& packet) {
  put_etc(to, packet.body.etc);
  if (packet.no_nodes)
    to.json(R"(,"noNodes":)", "true");
  put_time_to_live(to, packet.time_to_live);
  put_duplicates(to, packet.duplicates);
}

} // namespace

bool encode(packet_head& to, const registered_packet& packet) {
  to.begin("registered");
  if (!packet.id.empty())
    to.text(R"(,"id":)", clipped(packet.id));
  if (!packet.from.empty())
    to.text(R"(,"from":)", clipped(packet.from));
  put_etc(to, packet.etc);
  put_error(to, packet.error);
  put_sequence(to, packet.sequence);
  return to.finish();
}

bool encode(packet_head& to, const added_packet& packet) {
  to.begin("added");
  if (packet.offset)
    to.number(R"(,"offset":)", packet.offset->value());
  put_error(to, packet.error);
  return to.finish();
}

bool encode(packet_head& to, const info_packet& packet) {
  to.begin("info");
  to.text(R"(,"info":)", clipped(packet.info));
  if (packet.window)
    to.number(R"(,"window":)", *packet.window);
  if (packet.position)
    to.number(R"(,"position":)", packet.position->value());
  if (!packet.resume.empty())
    to.text(R"(,"resume":)", packet.resume);
  return to.finish();
}

bool encode(packet_head& to, const quit_packet& packet) {
  to.begin("quit");
  to.text(R"(,"info":)", clipped(packet.info));
  return to.finish();
}

bool encode(packet_head& to, const deliver_packet& packet) {
  to.begin("deliver");
  to.text(R"(,"id":)", clipped(packet.id));
  to.text(R"(,"from":)", clipped(packet.from));
  put_etc(to, packet.body.etc);
  put_sequence(to, packet.sequence);
  if (packet.expires && core::to_millis(*packet.expires) >= 0)
    to.number(R"(,"expires":)",
              static_cast<std::uint64_t>(core::to_millis(*packet.expires)));
  return to.finish();
}

bool encode(packet_head& to, const list_edited_packet& packet) {
  to.begin("listEdited");
  to.text(R"(,"id":)", clipped(packet.id));
  to.text(R"(,"from":)", clipped(packet.from));
  put_etc(to, packet.etc);
  put_sequence(to, packet.sequence);
  return to.finish();
}

bool encode(packet_head& to, const ack_packet& packet) {
  to.begin("ack");
  to.text(R"(,"id":)", clipped(packet.id));
  to.text(R"(,"type":)", clipped(packet.type));
  put_error(to, packet.error);
  return to.finish();
}

bool encode(packet_head& to, const register_request& packet) {
  to.begin("register");
  to.text(R"(,"userId":)", packet.user);
  to.text(R"(,"newNode":)", packet.node);
  to.text(R"(,"aliases":)", packet.aliases);
  return to.finish();
}

bool encode(packet_head& to, const add_node_request& packet) {
  to.begin("addNode");
  to.text(R"(,"userId":)", packet.user);
  to.text(R"(,"newNode":)", packet.node);
  to.text(R"(,"prevNode":)", packet.previous_node);
  return to.finish();
}

bool encode(packet_head& to, const login_request& packet) {
  to.begin("login");
  to.text(R"(,"userId":)", packet.user);
  to.text(R"(,"nodeId":)", packet.node);
  if (packet.window)
    to.number(R"(,"window":)", *packet.window);
  if (packet.resume)
    to.number(R"(,"resume":)", packet.resume->value());
  if (packet.deduplicate)
    to.json(R"(,"dedup":)", "true");
  return to.finish();
}

bool encode(packet_head& to, const post_request& packet) {
  to.begin("post");
  to.text(R"(,"id":)", packet.id);
  std::string_view separator = R"(,"to":{)";
  for (const auto& recipient : packet.to) {
    to.json(separator, {});
    to.text({}, recipient.name);
    to.number(":", static_cast<std::uint64_t>(recipient.kind));
    separator = ",";
  }
  to.json(packet.to.empty() ? R"(,"to":{})" : "}", {});
  put_post_options(to, packet);
  return to.finish();
}

bool encode(packet_head& to, const ping_request& packet) {
  to.begin("ping");
  to.text(R"(,"id":)", packet.id);
  to.text(R"(,"alias":)", packet.alias);
  put_post_options(to, packet);
  return to.finish();
}

bool encode(packet_head& to, const list_edit_request& packet) {
  to.begin("listEdit");
  to.text(R"(,"id":)", packet.id);
  to.text(R"(,"to":)", packet.list);
  to.text(R"(,"type":)", packet.type);
  to.text(R"(,"member":)", packet.member);
  put_etc(to, packet.body.etc);
  return to.finish();
}

} // namespace troupe::net::mq
