// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/binary_codec.hpp"
#include "net/zenconn/json_members.hpp"
#include "schema/zenconn.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <kj/common.h>
#include <kj/exception.h>
#include <kj/io.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe::net::zenconn {
namespace {

namespace wire = schema::zenconn;

/// Pointers and the segment table, beside the bytes of a message.
constexpr std::size_t overhead_words = 64;
constexpr int nesting_max = 4;

struct halves {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_dash_at(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

/// Of a UUID in its usual spelling, and nothing else.
std::optional<halves> parse_uuid(std::string_view text) {
  constexpr std::size_t length = 36;
  if (text.size() != length)
    return std::nullopt;
  halves found;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (is_dash_at(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    const auto digit = digit_of(text[i]);
    if (digit < 0)
      return std::nullopt;
    auto& half = digits++ < 16 ? found.high : found.low;
    half = half << 4U | static_cast<std::uint64_t>(digit);
  }
  if (found.high == 0 && found.low == 0)
    return std::nullopt; // has another meaning
  return found;
}

std::string print_uuid(const halves& from) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < 32; ++i) {
    if (is_dash_at(text.size()))
      text.push_back('-');
    const auto half = i < 16 ? from.high : from.low;
    text.push_back(digits[half >> (60U - (i % 16U) * 4U) & 15U]);
  }
  return text;
}

capnp::Text::Reader as_text(const std::string& text) {
  return {text.c_str(), text.size()};
}
capnp::Data::Reader as_data(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}
template <class Bytes>
std::string to_string(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

std::string pack(capnp::MessageBuilder& message) {
  kj::VectorOutputStream out;
  capnp::writePackedMessage(out, message);
  return to_string(out.getArray());
}

/// Calls `read` with the root of a packed message; nothing if there is none.
template <class Root, class Read>
auto unpack(core::bytes_view bytes, std::size_t bytes_max, Read&& read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  decltype(read(std::declval<typename Root::Reader>())) found;
  // What is refused throws; nothing of it leaves this function.
  const auto failed = kj::runCatchingExceptions([&] {
    kj::ArrayInputStream in{
        {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}};
    capnp::ReaderOptions options;
    options.traversalLimitInWords =
        bytes_max / sizeof(capnp::word) + overhead_words;
    options.nestingLimit = nesting_max;
    capnp::PackedMessageReader message{in, options};
    found = read(message.getRoot<Root>());
  });
  if (failed != nullptr)
    return {};
  return found;
}

} // namespace

incoming decode_binary_request(core::bytes_view bytes, std::size_t bytes_max) {
  auto found = unpack<wire::Request>(
      bytes, bytes_max,
      [](wire::Request::Reader from) -> std::optional<request> {
        if (from.getKind() >
            static_cast<std::uint8_t>(request::kind::broadcast))
          return std::nullopt;
        request asked;
        asked.what = static_cast<request::kind>(from.getKind());
        asked.channel = to_string(from.getChannel());
        asked.token = to_string(from.getToken());
        if (asked.what == request::kind::broadcast)
          asked.data = to_string(from.getData());
        return asked;
      });
  // Others get the data in the middle of their JSON.
  if (!found || (!found->data.empty() && !is_json(found->data)))
    return stranger{};
  return std::move(*found);
}

std::string encode_binary(const answer& what) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Answer>();
  to.setKind(static_cast<std::uint8_t>(what.what));
  to.setMissing(what.missing);
  to.setCount(what.count);
  if (!what.channel.empty())
    to.setChannel(as_text(what.channel));
  if (!what.data.empty()) {
    const auto shorter = without_blanks(what.data);
    to.setData(as_data(shorter));
  }
  if (const auto session = parse_uuid(what.from)) {
    to.setSessionHigh(session->high);
    to.setSessionLow(session->low);
  } else if (!what.from.empty()) {
    to.setSender(as_text(what.from));
  }
  if (!what.errors.empty()) {
    auto errors = to.initErrors(static_cast<unsigned>(what.errors.size()));
    for (unsigned i = 0; i < errors.size(); ++i)
      errors.set(i, as_text(what.errors[i]));
  }
  return pack(message);
}

std::string encode_binary(const request& what) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Request>();
  to.setKind(static_cast<std::uint8_t>(what.what));
  to.setChannel(as_text(what.channel));
  if (!what.token.empty())
    to.setToken(as_text(what.token));
  if (!what.data.empty())
    to.setData(as_data(what.data));
  return pack(message);
}

core::result<answer> decode_binary_answer(core::bytes_view bytes,
                                          std::size_t bytes_max) {
  auto found = unpack<wire::Answer>(
      bytes, bytes_max, [](wire::Answer::Reader from) -> std::optional<answer> {
        if (from.getKind() > static_cast<std::uint8_t>(answer::kind::error))
          return std::nullopt;
        answer told;
        told.what = static_cast<answer::kind>(from.getKind());
        told.missing = from.getMissing();
        told.count = from.getCount();
        told.channel = to_string(from.getChannel());
        told.data = to_string(from.getData());
        const halves session{from.getSessionHigh(), from.getSessionLow()};
        told.from = session.high == 0 && session.low == 0
                        ? to_string(from.getSender())
                        : print_uuid(session);
        for (const auto each : from.getErrors())
          told.errors.push_back(to_string(each));
        return told;
      });
  if (!found)
    return core::error{core::errc::malformed, "no ZenConn message"};
  return std::move(*found);
}

} // namespace troupe::net::zenconn
