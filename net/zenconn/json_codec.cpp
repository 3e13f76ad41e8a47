// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/json_codec.hpp"

#include "core/json_text.hpp"
#include "net/zenconn/json_members.hpp"

#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace troupe::net::zenconn {
namespace {

/// The names of one spelling.
struct names {
  std::string_view type, channel, token, data, from, count, missing, errors;
  std::array<std::string_view, 3> requests; ///< by request::kind
  std::array<std::string_view, 7> answers;  ///< by answer::kind
};
constexpr names full{"type",
                     "channel",
                     "token",
                     "data",
                     "from",
                     "count",
                     "missing",
                     "errors",
                     {"subscribe", "unsubscribe", "broadcast"},
                     {"accepted", "subscribed", "unsubscribed", "unauthorized",
                      "received", "event", "error"}};
constexpr names brief{"t",
                      "c",
                      "k",
                      "d",
                      "f",
                      "n",
                      "m",
                      "x",
                      {"s", "l", "b"},
                      {"a", "s", "l", "u", "r", "e", "x"}};

const names& names_of(bool compact) { return compact ? brief : full; }

template <class Kind, std::size_t Count>
std::optional<Kind> find(const std::array<std::string_view, Count>& all,
                         std::string_view name) {
  for (std::size_t i = 0; i < Count; ++i)
    if (all[i] == name)
      return static_cast<Kind>(i);
  return std::nullopt;
}

/// Texts of the members that we know; of two with one name the last.
struct fields {
  std::string_view type, channel, token, data, from, count, missing, errors;
};

std::optional<fields> read_fields(std::string_view text, const names& words) {
  const auto members = read_members(text);
  if (!members)
    return std::nullopt;
  fields found;
  const std::array<std::pair<std::string_view, std::string_view*>, 8> wanted{
      {{words.type, &found.type},
       {words.channel, &found.channel},
       {words.token, &found.token},
       {words.data, &found.data},
       {words.from, &found.from},
       {words.count, &found.count},
       {words.missing, &found.missing},
       {words.errors, &found.errors}}};
  for (const auto& each : *members)
    for (const auto& [name, place] : wanted)
      if (each.name == name)
        *place = each.value;
  return found;
}

core::error malformed(std::string_view why) {
  return {core::errc::malformed, std::string{why}};
}

/// An accepted in full says everything twice, for both generations of clients.
void write_accepted(core::json_writer& to, const answer& what,
                    const names& words, bool compact) {
  to.member(words.data, what.from);
  if (!compact)
    to.member("status", std::uint32_t{202}).member("uuid", what.from);
}

bool read_errors(std::string_view text, answer& to) {
  if (text.empty())
    return true;
  const auto all = read_elements(text);
  if (!all)
    return false;
  for (const auto each : *all) {
    auto line = read_string(each);
    if (!line)
      return false;
    to.errors.push_back(std::move(*line));
  }
  return true;
}

} // namespace

incoming decode_request(std::string_view text, bool compact) {
  const auto& words = names_of(compact);
  const auto found = read_fields(text, words);
  if (!found)
    return stranger{};
  const auto type = read_string(found->type);
  auto channel = read_string(found->channel);
  if (!type || !channel)
    return stranger{};
  const auto what = find<request::kind>(words.requests, *type);
  if (!what)
    return stranger{};
  request asked{*what, std::move(*channel)};
  if (auto token = read_string(found->token))
    asked.token = std::move(*token);
  if (*what == request::kind::broadcast)
    asked.data = found->data;
  return asked;
}

std::string encode(const answer& what, bool compact) {
  const auto& words = names_of(compact);
  core::json_writer to;
  to.begin_object().member(words.type,
                           words.answers[static_cast<std::size_t>(what.what)]);
  if (what.what == answer::kind::accepted) {
    write_accepted(to, what, words, compact);
    return std::move(to.end_object()).text();
  }
  to.member(words.channel, what.channel);
  if (!what.data.empty())
    to.key(words.data).raw(compact ? without_blanks(what.data) : what.data);
  if (!what.from.empty())
    to.member(words.from, what.from);
  if (what.what == answer::kind::received && (!compact || what.count > 0))
    to.member(words.count, what.count);
  if (what.missing > 0)
    to.member(words.missing, what.missing);
  if (what.what == answer::kind::error || !what.errors.empty()) {
    to.key(words.errors).begin_array();
    for (const auto& each : what.errors)
      to.value(each);
    to.end_array();
  }
  return std::move(to.end_object()).text();
}

std::string encode(const request& what, bool compact) {
  const auto& words = names_of(compact);
  core::json_writer to;
  to.begin_object()
      .member(words.type, words.requests[static_cast<std::size_t>(what.what)])
      .member(words.channel, what.channel);
  if (!what.token.empty())
    to.member(words.token, what.token);
  if (!what.data.empty())
    to.key(words.data).raw(compact ? without_blanks(what.data) : what.data);
  return std::move(to.end_object()).text();
}

core::result<answer> decode_answer(std::string_view text, bool compact) {
  const auto& words = names_of(compact);
  const auto found = read_fields(text, words);
  if (!found)
    return malformed("no JSON object");
  const auto type = read_string(found->type);
  const auto what =
      type ? find<answer::kind>(words.answers, *type) : std::nullopt;
  if (!what)
    return malformed("no known type");
  answer told;
  told.what = *what;
  if (*what == answer::kind::accepted) {
    auto session = read_string(found->data);
    if (!session)
      return malformed("no session");
    told.from = std::move(*session);
    return told;
  }
  auto channel = read_string(found->channel);
  if (!channel)
    return malformed("no channel");
  told.channel = std::move(*channel);
  told.data = found->data;
  if (auto from = read_string(found->from))
    told.from = std::move(*from);
  told.count = read_number(found->count).value_or(0);
  const auto missing = read_number(found->missing).value_or(0);
  if (missing > std::numeric_limits<std::uint32_t>::max())
    return malformed("missing");
  told.missing = static_cast<std::uint32_t>(missing);
  if (!read_errors(found->errors, told))
    return malformed("errors");
  return told;
}

} // namespace troupe::net::zenconn
