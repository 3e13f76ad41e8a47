// SPDX-License-Identifier: Apache-2.0
#include "cluster/proposal_wire.hpp"

#include "cluster/field_reader.hpp"
#include "core/crc32c.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace troupe::cluster {
namespace {

constexpr std::uint8_t version = 1;
/// Answers with more in their outcomes. Only who proposed a command that an
/// older node does not know is sent one.
constexpr std::uint8_t version_of_more = 2;
constexpr std::size_t checksum_bytes = 4;
enum class contents : std::uint8_t {
  proposals = 1,
  shard_answers = 2,
  directory_answers = 3
};

core::error malformed() { return {core::errc::malformed, "proposals frame"}; }

// --------------------------------------------------------------------- write

void put_flag(byte_writer& out, bool value) {
  out.put(static_cast<std::uint8_t>(value));
}
void put_text(byte_writer& out, const std::string& text) {
  out.put(static_cast<std::uint32_t>(text.size()));
  out.put(core::as_bytes(text));
}
void put(byte_writer& out, const core::error& e) {
  out.put(static_cast<std::uint16_t>(e.code));
  put_text(out, e.detail);
}
template <class T, class Put>
void put_list(byte_writer& out, const std::vector<T>& items, const Put& each) {
  out.put(static_cast<std::uint32_t>(items.size()));
  for (const auto& item : items)
    each(item);
}
/// An offset, or 0xFF for none: offsets end at 99.
void put(byte_writer& out, const std::optional<core::device_offset>& offset) {
  out.put(offset ? offset->value() : std::uint8_t{0xFF});
}

void put(byte_writer& out, const core::shard_outcome& o) {
  put(out, o.failure);
  put_list(out, o.failures, [&](const core::error& e) { put(out, e); });
  put_flag(out, o.id.has_value());
  out.put(static_cast<std::uint64_t>(o.id ? o.id->millis : 0));
  out.put(o.id ? o.id->number : 0);
  out.put(o.dropped);
  put_flag(out, o.more);
}

void put(byte_writer& out, const core::directory_outcome& o) {
  out.put(o.index.value());
  put(out, o.failure);
  put_list(out, o.aliases, [&](const auto& text) { put_text(out, text); });
  put_flag(out, o.aliases_replaced);
  put(out, o.offset);
  put(out, o.inherits);
  put_list(out, o.devices, [&](core::device_offset d) { out.put(d.value()); });
  put_text(out, o.list.uid);
  put_text(out, o.list.alias);
  out.put(static_cast<std::uint8_t>(o.list.before));
  out.put(static_cast<std::uint8_t>(o.list.after));
  put_flag(out, o.list.list_created);
  put_flag(out, o.list.list_removed);
  const auto& i = o.imported;
  for (const auto count :
       {i.users_added, i.users_kept, i.users_refused, i.aliases_dropped,
        i.lists_added, i.lists_kept, i.lists_refused, i.members_dropped})
    out.put(count);
  out.put(o.node.value());
}

bool has_more(const core::shard_outcome& o) {
  return o.number != 0 || o.generation != 0 || o.present || o.replaced ||
         !o.receipts.empty() || !o.awaiting.empty() || o.closed;
}

void put_more(byte_writer& out, const core::shard_outcome& o) {
  out.put(o.number);
  out.put(o.generation);
  put_flag(out, o.present);
  put_flag(out, o.replaced);
  put_list(out, o.receipts, [&](const core::receipt& r) {
    out.put(static_cast<std::uint16_t>(r.code));
    out.put(r.number);
    put_flag(out, r.repeated);
  });
  put_list(out, o.awaiting, [&](std::uint16_t packet) { out.put(packet); });
  put_flag(out, o.closed.has_value());
  out.put(static_cast<std::uint64_t>(
      core::to_millis(o.closed.value_or(core::timestamp{}))));
}

bool has_more(const core::directory_outcome& o) { return !o.routes.empty(); }

void put_more(byte_writer& out, const core::directory_outcome& o) {
  put_list(out, o.routes, [&](core::route_result r) {
    out.put(static_cast<std::uint8_t>(r));
  });
}

byte_writer opened(contents what, std::size_t expected,
                   std::uint8_t format = version) {
  byte_writer out{expected + 16};
  out.put(format);
  out.put(static_cast<std::uint8_t>(what));
  return out;
}

core::shared_bytes sealed(byte_writer& out) {
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

template <class Outcome>
core::shared_bytes
encode_answers(contents what,
               const std::vector<forwarded_answer<Outcome>>& items) {
  const bool more =
      std::any_of(items.begin(), items.end(),
                  [](const auto& item) { return has_more(item.outcome); });
  auto out = opened(what, 64 * items.size(), more ? version_of_more : version);
  put_list(out, items, [&](const auto& item) {
    out.put(item.number);
    out.put(item.leader.value());
    put(out, item.outcome);
    if (more)
      put_more(out, item.outcome);
  });
  return sealed(out);
}

// ---------------------------------------------------------------------- read

class reader : public field_reader {
public:
  using field_reader::field_reader;

  std::optional<core::device_offset> take_offset() {
    const auto value = take<std::uint8_t>();
    if (value == 0xFF)
      return std::nullopt;
    return core::device_offset{value};
  }
  void take_outcome(core::shard_outcome& o);
  void take_outcome(core::directory_outcome& o);
  void take_more(core::shard_outcome& o);
  void take_more(core::directory_outcome& o);

  bool more = false; ///< the frame's format
};

void reader::take_outcome(core::shard_outcome& o) {
  o.failure = take_error();
  o.failures = take_list<core::error>(6, [this] { return take_error(); });
  const bool has_id = take_flag();
  const auto millis = static_cast<std::int64_t>(take<std::uint64_t>());
  const auto number = take<std::uint64_t>();
  if (has_id)
    o.id = core::message_id{millis, number};
  else
    require(millis == 0 && number == 0);
  o.dropped = take<std::uint64_t>();
  o.more = take_flag();
}

void reader::take_outcome(core::directory_outcome& o) {
  o.index = core::log_index{take<std::uint64_t>()};
  o.failure = take_error();
  o.aliases = take_list<std::string>(4, [this] { return take_text(); });
  o.aliases_replaced = take_flag();
  o.offset = take_offset();
  o.inherits = take_offset();
  o.devices = take_list<core::device_offset>(
      1, [this] { return core::device_offset{take<std::uint8_t>()}; });
  o.list.uid = take_text();
  o.list.alias = take_text();
  o.list.before = take_up_to(core::membership::invited);
  o.list.after = take_up_to(core::membership::invited);
  o.list.list_created = take_flag();
  o.list.list_removed = take_flag();
  auto& i = o.imported;
  for (auto* count :
       {&i.users_added, &i.users_kept, &i.users_refused, &i.aliases_dropped,
        &i.lists_added, &i.lists_kept, &i.lists_refused, &i.members_dropped})
    *count = take<std::uint64_t>();
  o.node = core::node_id{take<std::uint32_t>()};
}

void reader::take_more(core::shard_outcome& o) {
  o.number = take<std::uint64_t>();
  o.generation = take<std::uint64_t>();
  o.present = take_flag();
  o.replaced = take_flag();
  o.receipts = take_list<core::receipt>(11, [this] {
    core::receipt r;
    r.code = static_cast<core::errc>(take<std::uint16_t>());
    r.number = take<std::uint64_t>();
    r.repeated = take_flag();
    return r;
  });
  o.awaiting =
      take_list<std::uint16_t>(2, [this] { return take<std::uint16_t>(); });
  if (const auto closed = take_maybe())
    o.closed = core::from_millis(static_cast<std::int64_t>(*closed));
}

void reader::take_more(core::directory_outcome& o) {
  o.routes = take_list<core::route_result>(
      1, [this] { return take_up_to(core::route_result::refused); });
}

core::result<reader> checked(const core::shared_bytes& frame, contents what) {
  if (frame.size() < 2 + checksum_bytes)
    return malformed();
  const auto size = frame.size() - checksum_bytes;
  byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(frame.view().subspan(0, size)))
    return core::error{core::errc::corrupt, "proposals frame"};
  reader in{frame.view().subspan(0, size)};
  const auto format = in.take<std::uint8_t>();
  in.more = format == version_of_more && what != contents::proposals;
  if (format > version && !in.more)
    return core::error{core::errc::newer_format, "proposals frame"};
  if ((format != version && !in.more) ||
      in.take<std::uint8_t>() != static_cast<std::uint8_t>(what))
    return malformed();
  return in;
}

template <class Outcome>
core::result<void> decode(const core::shared_bytes& frame, contents what,
                          std::vector<forwarded_answer<Outcome>>& to) {
  auto in = checked(frame, what);
  if (!in)
    return in.error();
  to = in->template take_list<forwarded_answer<Outcome>>(12, [&] {
    forwarded_answer<Outcome> item;
    item.number = in->template take<std::uint64_t>();
    item.leader = core::node_id{in->template take<std::uint32_t>()};
    in->take_outcome(item.outcome);
    if (in->more)
      in->take_more(item.outcome);
    return item;
  });
  if (!in->done())
    return malformed();
  return {};
}

} // namespace

core::shared_bytes encode(const forwarded_batch& batch) {
  std::size_t bytes = 16;
  for (const auto& item : batch.items)
    bytes += 16 + item.command.size();
  auto out = opened(contents::proposals, bytes);
  out.put(batch.stream);
  out.put(batch.place);
  put_list(out, batch.items, [&](const forwarded_proposal& item) {
    out.put(item.number);
    put_flag(out, item.grows);
    out.put(static_cast<std::uint32_t>(item.command.size()));
    out.put(item.command.view());
  });
  return sealed(out);
}

core::shared_bytes encode(const std::vector<shard_answer_item>& items) {
  return encode_answers(contents::shard_answers, items);
}

core::shared_bytes encode(const std::vector<directory_answer_item>& items) {
  return encode_answers(contents::directory_answers, items);
}

core::result<forwarded_batch>
decode_proposals(const core::shared_bytes& frame) {
  auto in = checked(frame, contents::proposals);
  if (!in)
    return in.error();
  forwarded_batch batch;
  batch.stream = in->take<std::uint64_t>();
  batch.place = in->take<std::uint64_t>();
  batch.items = in->take_list<forwarded_proposal>(13, [&] {
    forwarded_proposal item;
    item.number = in->take<std::uint64_t>();
    item.grows = in->take_flag();
    // The leader writes the time into it.
    item.command = in->take_bytes();
    return item;
  });
  if (!in->done())
    return malformed();
  return batch;
}

core::result<void> decode_answers(const core::shared_bytes& frame,
                                  std::vector<shard_answer_item>& to) {
  return decode(frame, contents::shard_answers, to);
}

core::result<void> decode_answers(const core::shared_bytes& frame,
                                  std::vector<directory_answer_item>& to) {
  return decode(frame, contents::directory_answers, to);
}

} // namespace troupe::cluster
