// SPDX-License-Identifier: Apache-2.0
#include "actors/join_words.hpp"

#include "cluster/wire_bytes.hpp"

namespace troupe::actors {
namespace {

using cluster::byte_reader;
using cluster::byte_writer;

constexpr std::uint8_t version = 1;
constexpr std::size_t text_bytes_max = 4096;
constexpr std::size_t peers_max = 4096;

core::error malformed() { return {core::errc::malformed, "a join message"}; }

void put(byte_writer& out, const std::string& text) {
  out.put(static_cast<std::uint16_t>(text.size()));
  out.put(core::as_bytes(text));
}

std::string take_text(byte_reader& in, bool& valid) {
  const auto size = in.take<std::uint16_t>();
  valid = valid && size <= text_bytes_max;
  return std::string{core::as_text(in.take_bytes(size))};
}

core::result<byte_reader> opened(core::bytes_view bytes) {
  byte_reader in{bytes};
  const auto format = in.take<std::uint8_t>();
  if (!in.ok() || format == 0)
    return malformed();
  if (format > version)
    return core::error{core::errc::newer_format, "a join message"};
  return in;
}

} // namespace

core::shared_bytes encode(const join_request& request) {
  byte_writer out{256};
  out.put(version);
  out.put(request.node.value());
  out.put(request.incarnation);
  out.put(static_cast<std::uint8_t>(request.has_log));
  put(out, request.token);
  put(out, request.name);
  put(out, request.address);
  return core::shared_bytes::copy_of(out.view());
}

core::shared_bytes encode(const join_answer& answer) {
  byte_writer out{256};
  out.put(version);
  out.put(static_cast<std::uint8_t>(answer.verdict));
  out.put(answer.node.value());
  out.put(answer.shards);
  put(out, answer.reason);
  out.put(static_cast<std::uint16_t>(answer.peers.size()));
  for (const auto& peer : answer.peers) {
    out.put(peer.id.value());
    put(out, peer.address);
  }
  return core::shared_bytes::copy_of(out.view());
}

core::result<join_request> decode_join_request(core::bytes_view bytes) {
  auto in = opened(bytes);
  if (!in)
    return in.error();
  bool valid = true;
  join_request request;
  request.node = core::node_id{in->take<std::uint32_t>()};
  request.incarnation = in->take<std::uint64_t>();
  const auto has_log = in->take<std::uint8_t>();
  request.has_log = has_log == 1;
  request.token = take_text(*in, valid);
  request.name = take_text(*in, valid);
  request.address = take_text(*in, valid);
  if (!in->done() || !valid || has_log > 1)
    return malformed();
  return request;
}

core::result<join_answer> decode_join_answer(core::bytes_view bytes) {
  auto in = opened(bytes);
  if (!in)
    return in.error();
  bool valid = true;
  join_answer answer;
  const auto verdict = in->take<std::uint8_t>();
  answer.verdict = static_cast<join_verdict>(verdict);
  answer.node = core::node_id{in->take<std::uint32_t>()};
  answer.shards = in->take<std::uint16_t>();
  answer.reason = take_text(*in, valid);
  const auto count = in->take<std::uint16_t>();
  for (std::uint16_t i = 0; i < count && in->ok() && i < peers_max; ++i) {
    known_peer peer;
    peer.id = core::node_id{in->take<std::uint32_t>()};
    peer.address = take_text(*in, valid);
    answer.peers.push_back(std::move(peer));
  }
  if (!in->done() || !valid || verdict == 0 ||
      verdict > static_cast<std::uint8_t>(join_verdict::refused))
    return malformed();
  return answer;
}

} // namespace troupe::actors
