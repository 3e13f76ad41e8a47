// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/key_read_wire.hpp"

#include "cluster/field_reader.hpp"
#include "core/crc32c.hpp"
#include "core/name_rules.hpp"
#include "core/topic.hpp"

#include <string>
#include <utility>

namespace troupe::actors::keys {
namespace {

using cluster::byte_writer;
using cluster::field_reader;

constexpr std::uint8_t version = 1;
constexpr std::size_t head_bytes = 10;
constexpr std::size_t checksum_bytes = 4;
/// Of a key without topic and command.
constexpr std::size_t key_bytes_min = 37;

enum class contents : std::uint8_t { question = 1, answer = 2 };

core::error malformed() { return {core::errc::malformed, "key frame"}; }

void put_head(byte_writer& out, contents what, std::uint64_t number) {
  out.put(version);
  out.put(static_cast<std::uint8_t>(what));
  out.put(number);
}
void put_sized(byte_writer& out, core::bytes_view bytes) {
  out.put(static_cast<std::uint32_t>(bytes.size()));
  out.put(bytes);
}
void put_maybe(byte_writer& out, const std::optional<std::string>& text) {
  out.put(std::uint8_t{text.has_value()});
  put_sized(out, core::as_bytes(text ? *text : std::string{}));
}
void put_time(byte_writer& out, core::timestamp time) {
  out.put(static_cast<std::uint64_t>(core::to_millis(time)));
}

core::shared_bytes finish(byte_writer& out) {
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

/// What stands between head and checksum.
core::result<core::bytes_view> body_of(const core::shared_bytes& bytes,
                                       contents what) {
  const auto all = bytes.view();
  if (all.size() < head_bytes + checksum_bytes)
    return malformed();
  const auto size = all.size() - checksum_bytes;
  cluster::byte_reader tail{all.subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(all.first(size)))
    return core::error{core::errc::corrupt, "key frame"};
  cluster::byte_reader head{all};
  const auto format = head.take<std::uint8_t>();
  if (format > version)
    return core::error{core::errc::newer_format, "key frame"};
  if (format != version ||
      head.take<std::uint8_t>() != static_cast<std::uint8_t>(what))
    return malformed();
  return all.subspan(2, size - 2);
}

core::timestamp take_time(field_reader& in) {
  return core::from_millis(static_cast<std::int64_t>(in.take<std::uint64_t>()));
}

core::found_key take_key(field_reader& in) {
  core::found_key key;
  key.topic = in.take_text();
  in.require(core::topic::parse(key.topic).has_value());
  key.record.source = core::log_index{in.take<std::uint64_t>()};
  key.record.changed = take_time(in);
  if (const auto expires = in.take_maybe())
    key.record.expires = core::from_millis(static_cast<std::int64_t>(*expires));
  key.record.weight = in.take<std::uint32_t>();
  key.command = in.take_bytes();
  return key;
}

} // namespace

core::shared_bytes encode(const remote_question& what) {
  byte_writer out{128};
  put_head(out, contents::question, what.number);
  out.put(what.loop);
  out.put(what.group.value());
  put_sized(out, core::as_bytes(what.realm));
  put_sized(out, core::as_bytes(what.filter.text()));
  put_maybe(out, what.after);
  out.put(static_cast<std::uint32_t>(what.limits.count_max));
  out.put(static_cast<std::uint32_t>(what.limits.bytes_max));
  out.put(static_cast<std::uint32_t>(what.limits.looked_at_max));
  return finish(out);
}

core::shared_bytes encode(const remote_answer& what) {
  std::size_t expected = 64;
  for (const auto& key : what.page.keys)
    expected += key_bytes_min + key.topic.size() + key.command.size();
  byte_writer out{expected};
  put_head(out, contents::answer, what.number);
  out.put(static_cast<std::uint16_t>(what.failure));
  out.put(what.leader.value());
  put_maybe(out, what.page.next);
  out.put(static_cast<std::uint32_t>(what.page.keys.size()));
  for (const auto& key : what.page.keys) {
    put_sized(out, core::as_bytes(key.topic));
    out.put(key.record.source.value());
    put_time(out, key.record.changed);
    out.put(std::uint8_t{key.record.expires.has_value()});
    put_time(out, key.record.expires.value_or(core::timestamp{}));
    out.put(key.record.weight);
    put_sized(out, key.command.view());
  }
  return finish(out);
}

core::result<remote_question> decode_question(const core::shared_bytes& bytes) {
  const auto body = body_of(bytes, contents::question);
  if (!body)
    return body.error();
  field_reader in{*body, nullptr};
  remote_question what;
  what.number = in.take<std::uint64_t>();
  what.loop = in.take<std::uint16_t>();
  what.group = core::group_id{in.take<std::uint16_t>()};
  what.realm = in.take_text();
  in.require(core::is_realm(what.realm));
  auto filter = core::topic_filter::parse(in.take_text());
  what.after = in.take_maybe_text();
  what.limits.count_max = in.take<std::uint32_t>();
  what.limits.bytes_max = in.take<std::uint32_t>();
  what.limits.looked_at_max = in.take<std::uint32_t>();
  if (!in.done() || !filter)
    return malformed();
  what.filter = std::move(*filter);
  return what;
}

core::result<remote_answer> decode_answer(const core::shared_bytes& bytes) {
  const auto body = body_of(bytes, contents::answer);
  if (!body)
    return body.error();
  field_reader in{*body, &bytes};
  remote_answer what;
  what.number = in.take<std::uint64_t>();
  what.failure = static_cast<core::errc>(in.take<std::uint16_t>());
  what.leader = core::node_id{in.take<std::uint32_t>()};
  what.page.next = in.take_maybe_text();
  what.page.keys = in.take_list<core::found_key>(key_bytes_min,
                                                 [&] { return take_key(in); });
  if (!in.done())
    return malformed();
  return what;
}

} // namespace troupe::actors::keys
