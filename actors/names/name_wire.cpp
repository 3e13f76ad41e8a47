// SPDX-License-Identifier: Apache-2.0
#include "actors/names/name_wire.hpp"

#include "cluster/field_reader.hpp"
#include "core/crc32c.hpp"
#include "core/name_rules.hpp"

#include <caf/send.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace troupe::actors::names {
namespace {

using cluster::byte_writer;
using cluster::field_reader;

constexpr std::uint8_t version = 1;
constexpr std::size_t head_bytes = 4;
constexpr std::size_t checksum_bytes = 4;
// Of one item without its texts.
constexpr std::size_t claim_bytes = 32;
constexpr std::size_t freed_bytes = 16;
constexpr std::size_t answer_bytes = 26;
constexpr std::size_t taken_bytes = 24;

/// Numbers of the format; those to a desk from 17 on.
enum class contents : std::uint8_t {
  claimed = 1,
  freed = 2,
  answered = 17,
  taken = 18,
  released = 19,
};

core::error malformed() { return {core::errc::malformed, "name frame"}; }

// --------------------------------------------------------------------- write

void put_text(byte_writer& out, const std::string& text) {
  out.put(static_cast<std::uint32_t>(text.size()));
  out.put(core::as_bytes(text));
}

void put(byte_writer& out, const client_name& name) {
  put_text(out, name.realm);
  put_text(out, name.name);
}

void put(byte_writer& out, const name_grant& grant) {
  out.put(grant.term.value());
  out.put(grant.number);
}

byte_writer begin(contents what, core::group_id group, std::size_t items) {
  byte_writer out{16 + items * 48};
  out.put(version);
  out.put(static_cast<std::uint8_t>(what));
  out.put(group.value());
  return out;
}

core::shared_bytes finish(byte_writer& out) {
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

// ---------------------------------------------------------------------- read

client_name take_name(field_reader& in) {
  client_name name;
  name.realm = in.take_text();
  in.require(core::is_realm(name.realm));
  name.name = in.take_text();
  return name;
}

name_grant take_grant(field_reader& in) {
  name_grant grant;
  grant.term = core::term{in.take<std::uint64_t>()};
  grant.number = in.take<std::uint64_t>();
  return grant;
}

name_words take_claimed(field_reader& in, core::group_id group) {
  names_claimed m;
  m.group = group;
  m.from.loop = in.take<std::uint16_t>();
  m.items = in.take_list<name_claim>(claim_bytes, [&] {
    name_claim item;
    item.holder = in.take<std::uint64_t>();
    item.name = take_name(in);
    item.had = take_grant(in);
    return item;
  });
  return m;
}

name_words take_freed(field_reader& in, core::group_id group) {
  names_freed m;
  m.group = group;
  m.from.loop = in.take<std::uint16_t>();
  m.items = in.take_list<freed_name>(freed_bytes, [&] {
    freed_name item;
    item.holder = in.take<std::uint64_t>();
    item.name = take_name(in);
    return item;
  });
  return m;
}

name_words take_answered(field_reader& in, core::group_id group) {
  names_answered m;
  m.group = group;
  m.leader = core::node_id{in.take<std::uint32_t>()};
  m.items = in.take_list<name_answer>(answer_bytes, [&] {
    name_answer item;
    item.holder = in.take<std::uint64_t>();
    item.failure = static_cast<core::errc>(in.take<std::uint16_t>());
    item.given = take_grant(in);
    return item;
  });
  return m;
}

name_words take_taken(field_reader& in, core::group_id group) {
  names_taken m;
  m.group = group;
  m.items = in.take_list<taken_name>(taken_bytes, [&] {
    taken_name item;
    item.holder = in.take<std::uint64_t>();
    item.given = take_grant(in);
    return item;
  });
  return m;
}

} // namespace

core::shared_bytes encode(const names_claimed& what) {
  auto out = begin(contents::claimed, what.group, what.items.size());
  out.put(what.from.loop);
  out.put(static_cast<std::uint32_t>(what.items.size()));
  for (const auto& item : what.items) {
    out.put(item.holder);
    put(out, item.name);
    put(out, item.had);
  }
  return finish(out);
}

core::shared_bytes encode(const names_freed& what) {
  auto out = begin(contents::freed, what.group, what.items.size());
  out.put(what.from.loop);
  out.put(static_cast<std::uint32_t>(what.items.size()));
  for (const auto& item : what.items) {
    out.put(item.holder);
    put(out, item.name);
  }
  return finish(out);
}

core::shared_bytes encode(const names_answered& what) {
  auto out = begin(contents::answered, what.group, what.items.size());
  out.put(what.leader.value());
  out.put(static_cast<std::uint32_t>(what.items.size()));
  for (const auto& item : what.items) {
    out.put(item.holder);
    out.put(static_cast<std::uint16_t>(item.failure));
    put(out, item.given);
  }
  return finish(out);
}

core::shared_bytes encode(const names_taken& what) {
  auto out = begin(contents::taken, what.group, what.items.size());
  out.put(static_cast<std::uint32_t>(what.items.size()));
  for (const auto& item : what.items) {
    out.put(item.holder);
    put(out, item.given);
  }
  return finish(out);
}

core::shared_bytes encode(const names_released& what) {
  auto out = begin(contents::released, what.group, 0);
  return finish(out);
}

core::result<name_words> decode_names(const core::shared_bytes& frame) {
  if (frame.size() < head_bytes + checksum_bytes)
    return malformed();
  const auto size = frame.size() - checksum_bytes;
  const auto all = frame.view().first(size);
  cluster::byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(all))
    return core::error{core::errc::corrupt, "name frame"};
  field_reader in{all};
  const auto format = in.take<std::uint8_t>();
  if (format > version)
    return core::error{core::errc::newer_format, "name frame"};
  const auto what = static_cast<contents>(in.take<std::uint8_t>());
  const core::group_id group{in.take<std::uint16_t>()};
  name_words words;
  switch (what) {
  case contents::claimed:
    words = take_claimed(in, group);
    break;
  case contents::freed:
    words = take_freed(in, group);
    break;
  case contents::answered:
    words = take_answered(in, group);
    break;
  case contents::taken:
    words = take_taken(in, group);
    break;
  case contents::released:
    words = names_released{{}, group};
    break;
  default:
    return malformed();
  }
  if (format != version || group == core::directory_group || !in.done())
    return malformed();
  return words;
}

// ------------------------------------------------------------- handing over

void take_name_frame(broker_context& context, core::node_id from, names_way way,
                     std::uint64_t key, const core::shared_bytes& frame,
                     std::shared_ptr<const void> credit) {
  auto words = decode_names(frame);
  const auto pass_on = [&](auto& m) {
    using message = std::decay_t<decltype(m)>;
    if (m.group.value() > context.options.shards)
      return false;
    if constexpr (requires { m.credit; }) {
      if (way != names_way::to_shard)
        return false;
      m.from.node = from;
      m.credit = std::move(credit);
      caf::anon_send(context.shard(m.group), message{std::move(m)});
    } else {
      if (way != names_way::to_desk || key >= context.desks.size())
        return false;
      m.from = from;
      caf::anon_send(context.desks[key], message{std::move(m)});
    }
    return true;
  };
  if (!words || !std::visit(pass_on, *words))
    context.stats.name_frames_unusable.fetch_add(1, std::memory_order_relaxed);
}

void tell_names_cut(broker_context& context, core::node_id peer) {
  for (const auto& desk : context.desks)
    caf::anon_send(desk, names_cut{peer});
  for (const auto& shard : context.shards)
    caf::anon_send(shard, names_cut{peer});
}

void tell_names_led(broker_context& context, core::group_id group,
                    core::node_id leader) {
  for (const auto& desk : context.desks)
    caf::anon_send(desk, names_led{group, leader});
}

} // namespace troupe::actors::names
