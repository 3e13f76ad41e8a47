// SPDX-License-Identifier: Apache-2.0
#include "app/relay_wire.hpp"

#include "cluster/wire_bytes.hpp"

#include <utility>

namespace troupe::app {
namespace {

using cluster::byte_reader;
using cluster::byte_writer;

constexpr std::uint8_t version = 1;
/// Of a request that is no GET.
constexpr std::uint8_t version_with_method = 2;
constexpr std::size_t text_bytes_max = std::size_t{8} << 10;
constexpr std::size_t query_max = 64;

core::error malformed() { return {core::errc::malformed, "a relayed request"}; }

void put(byte_writer& out, std::string_view text) {
  out.put(static_cast<std::uint32_t>(text.size()));
  out.put(core::as_bytes(text));
}

/// `valid` is cleared by a text that is too long; the reader keeps the rest.
std::string take(byte_reader& in, std::size_t bytes_max, bool& valid) {
  const auto size = in.take<std::uint32_t>();
  valid = valid && size <= bytes_max;
  return valid ? std::string{core::as_text(in.take_bytes(size))}
               : std::string{};
}

struct opened_bytes {
  byte_reader in;
  std::uint8_t format = 0;
};
core::result<opened_bytes> opened(core::bytes_view bytes, std::uint8_t newest) {
  opened_bytes made{byte_reader{bytes}};
  made.format = made.in.take<std::uint8_t>();
  if (!made.in.ok() || made.format == 0)
    return malformed();
  if (made.format > newest)
    return core::error{core::errc::newer_format, "a relayed request"};
  return made;
}

} // namespace

core::shared_bytes encode(const relayed_request& call) {
  byte_writer out{256};
  const bool is_get = call.request.method == "GET";
  out.put(is_get ? version : version_with_method);
  out.put(call.number);
  out.put(call.key);
  put(out, call.request.path);
  out.put(static_cast<std::uint16_t>(call.request.query.size()));
  for (const auto& [name, value] : call.request.query) {
    put(out, name);
    put(out, value);
  }
  if (!is_get)
    put(out, call.request.method);
  return core::shared_bytes::copy_of(out.view());
}

core::shared_bytes encode(const relayed_response& answer) {
  byte_writer out{answer.response.body.size() + 64};
  out.put(version);
  out.put(answer.number);
  out.put(static_cast<std::uint16_t>(answer.response.status));
  put(out, answer.response.content_type);
  put(out, answer.response.body);
  return core::shared_bytes::copy_of(out.view());
}

core::result<relayed_request> decode_relayed_request(core::bytes_view bytes) {
  auto found = opened(bytes, version_with_method);
  if (!found)
    return found.error();
  auto* in = &found->in;
  relayed_request call;
  call.number = in->take<std::uint64_t>();
  call.key = in->take<std::uint64_t>();
  bool valid = true;
  call.request.method = "GET";
  call.request.path = take(*in, text_bytes_max, valid);
  const auto count = in->take<std::uint16_t>();
  if (!valid || !in->ok() || count > query_max)
    return malformed();
  for (std::uint16_t i = 0; i < count && valid && in->ok(); ++i) {
    auto name = take(*in, text_bytes_max, valid);
    auto value = take(*in, text_bytes_max, valid);
    call.request.query.emplace_back(std::move(name), std::move(value));
  }
  if (found->format >= version_with_method) {
    call.request.method = take(*in, text_bytes_max, valid);
    valid = valid && call.request.method == "DELETE";
  }
  if (!valid || !in->done() || !call.request.path.starts_with('/'))
    return malformed();
  return call;
}

core::result<relayed_response> decode_relayed_response(core::bytes_view bytes) {
  auto found = opened(bytes, version);
  if (!found)
    return found.error();
  auto* in = &found->in;
  relayed_response answer;
  answer.number = in->take<std::uint64_t>();
  answer.response.status = in->take<std::uint16_t>();
  bool valid = true;
  answer.response.content_type = take(*in, text_bytes_max, valid);
  answer.response.body = take(*in, relayed_body_max, valid);
  // What an HTTP head is made of: nothing that ends a line.
  for (const char c : answer.response.content_type)
    valid = valid && c >= ' ' && c != '\x7f';
  if (!valid || !in->done() || answer.response.status < 200 ||
      answer.response.status > 599)
    return malformed();
  return answer;
}

} // namespace troupe::app
