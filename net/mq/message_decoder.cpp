// SPDX-License-Identifier: Apache-2.0
#include "net/mq/message_decoder.hpp"

#include "net/mq/ascii_json.hpp"
#include "net/mq/javascript.hpp"

#include <boost/json/parse_options.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace troupe::net::mq {

namespace {

namespace json = boost::json;

constexpr std::size_t length_bytes = 4;
constexpr unsigned json_depth_max = 32;
/// Ten years: longer lives are cut to it, so that no sum of times overflows.
constexpr double time_to_live_seconds_max = 10.0 * 366 * 24 * 3600;

core::error malformed(std::string text) {
  return {core::errc::malformed, std::move(text)};
}
core::error missing(std::string_view op, std::string_view name) {
  return malformed(std::string{op} + " request missing param " +
                   std::string{name});
}
core::error invalid(std::string_view op, std::string_view name) {
  return malformed(std::string{op} + " request invalid param " +
                   std::string{name});
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

/// JavaScript's parseInt(text, 16): white space and "0x" may lead, anything
/// may follow the digits.
std::optional<std::size_t> parse_length(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' ||
                           text.front() == '\n' || text.front() == '\r'))
    text.remove_prefix(1);
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    text.remove_prefix(2);
  std::size_t value = 0;
  const auto [at, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (failure != std::errc{})
    return std::nullopt;
  return value;
}

/// The fields of one packet. Notes the first thing that is wrong; later
/// questions are then answered with nothing.
class field_reader {
public:
  field_reader(std::string_view op, const json::object& fields)
      : op_(op), fields_(fields) {}

  /// A string that must be there.
  std::string_view text(std::string_view name) {
    const auto* found = fields_.if_contains({name.data(), name.size()});
    if (found != nullptr && found->is_string())
      return view(found->get_string());
    fail(missing(op_, name));
    return {};
  }
  /// The same for what the peer gets back in a header.
  std::string_view id() {
    const auto value = text("id");
    if (value.size() > field_bytes_max)
      fail(invalid(op_, "id"));
    return value;
  }
  /// A string, or "" if it is absent or something else.
  std::string_view text_or_empty(std::string_view name) const {
    const auto* found = find(name);
    return found != nullptr && found->is_string() ? view(found->get_string())
                                                  : std::string_view{};
  }
  /// A whole number from `least` on, if the field is there.
  std::optional<std::uint64_t> number(std::string_view name,
                                      std::uint64_t least) {
    const auto* found = find(name);
    if (found == nullptr)
      return std::nullopt;
    const auto value = whole_number(*found);
    if (!value || *value < least) {
      fail(invalid(op_, name));
      return std::nullopt;
    }
    return value;
  }
  std::optional<core::inbox_position> position(std::string_view name) {
    const auto value = number(name, 0);
    if (!value)
      return std::nullopt;
    return core::inbox_position{*value};
  }
  bool flag(std::string_view name) {
    const auto* found = find(name);
    if (found == nullptr)
      return false;
    if (!found->is_bool())
      fail(invalid(op_, name));
    return found->is_bool() && found->get_bool();
  }
  bool truthy(std::string_view name) const {
    const auto* found = find(name);
    return found != nullptr && is_truthy(*found);
  }
  std::optional<core::milliseconds> time_to_live();
  deduplication duplicates();

  void fail(core::error e) {
    if (failure_.code == core::errc::ok)
      failure_ = std::move(e);
  }
  [[nodiscard]] bool failed() const { return failure_.code != core::errc::ok; }
  [[nodiscard]] core::error failure() && { return std::move(failure_); }

  const json::value* find(std::string_view name) const {
    return fields_.if_contains({name.data(), name.size()});
  }

  static std::optional<std::uint64_t> whole_number(const json::value& value) {
    if (value.is_int64() && value.get_int64() >= 0)
      return static_cast<std::uint64_t>(value.get_int64());
    if (value.is_uint64())
      return value.get_uint64();
    // JavaScript may write 1e3 for a thousand.
    constexpr double exact_max = 9007199254740992.0; // 2^53
    if (value.is_double() && value.get_double() >= 0 &&
        value.get_double() <= exact_max &&
        std::trunc(value.get_double()) == value.get_double())
      return static_cast<std::uint64_t>(value.get_double());
    return std::nullopt;
  }

private:
  std::string_view op_;
  const json::object& fields_;
  core::error failure_;
};

std::optional<core::milliseconds> field_reader::time_to_live() {
  const auto* found = find("ttl");
  if (found == nullptr)
    return std::nullopt;
  if (!found->is_number() || !(to_number(*found) > 0)) {
    fail(invalid(op_, "ttl"));
    return std::nullopt;
  }
  const double seconds = std::min(to_number(*found), time_to_live_seconds_max);
  return core::milliseconds{
      static_cast<core::milliseconds::rep>(std::ceil(seconds * 1000))};
}

deduplication field_reader::duplicates() {
  using enum deduplication::choice;
  const auto* found = find("dedup");
  if (found == nullptr)
    return {};
  if (found->is_bool())
    return {found->get_bool() ? by_id : off, {}};
  if (found->is_string() && !found->get_string().empty() &&
      found->get_string().size() <= field_bytes_max)
    return {by_key, view(found->get_string())};
  fail(invalid(op_, "dedup"));
  return {};
}

/// The end of every read_…: the packet, or what was wrong.
template <class Result, class Packet>
core::result<Result> finish(field_reader&& fields, Packet&& packet) {
  if (fields.failed())
    return std::move(fields).failure();
  return Result{std::forward<Packet>(packet)};
}

core::error body_disallowed(std::string_view op) {
  return malformed("message body disallowed for " + std::string{op});
}

} // namespace

core::recipient_kind to_recipient_kind(const boost::json::value& how) {
  const double number = to_number(how);
  if (number == 0)
    return core::recipient_kind::one_device;
  if (number == 2)
    return core::recipient_kind::list_without_sender;
  if (number == 3)
    return core::recipient_kind::list_with_sender;
  return core::recipient_kind::all_devices;
}

message_decoder::message_decoder()
    : memory_(nodes_, sizeof nodes_), parser_(
                                          json::storage_ptr{},
                                          [] {
                                            json::parse_options options;
                                            options.max_depth = json_depth_max;
                                            return options;
                                          }(),
                                          stack_, sizeof stack_) {}

core::result<message_decoder::header>
message_decoder::read_header(core::bytes_view message) {
  if (message.size() < length_bytes)
    return malformed("invalid length header");
  const auto text = core::as_text(message);
  const auto length = parse_length(text.substr(0, length_bytes));
  if (!length || *length > message.size() - length_bytes)
    return malformed("invalid length header");
  root_.reset();
  memory_.release();
  parser_.reset(&memory_);
  json::error_code failure;
  parser_.write(text.data() + length_bytes, *length, failure);
  if (failure)
    return malformed("invalid JSON header: " + failure.message());
  // Constructed, not assigned: the value keeps living in memory_.
  root_.emplace(parser_.release());
  const auto* fields = root_->if_object();
  const auto* op = fields != nullptr ? fields->if_contains("op") : nullptr;
  if (op == nullptr || !op->is_string())
    return malformed("invalid request op");
  return header{fields, view(op->get_string()),
                message.subspan(length_bytes + *length)};
}

core::result<packet_body> message_decoder::read_body(const header& head) {
  const auto* etc = head.fields->if_contains("etc");
  if (etc == nullptr)
    return packet_body{{}, head.rest};
  if (etc->is_number()) {
    const auto length = field_reader::whole_number(*etc);
    if (!length || *length > head.rest.size())
      return invalid(head.op, "etc");
    return packet_body{head.rest.first(*length), head.rest.subspan(*length)};
  }
  inline_etc_.clear();
  append_json(inline_etc_, *etc);
  return packet_body{core::as_bytes(inline_etc_), head.rest};
}

core::result<client_packet>
message_decoder::decode_request(core::bytes_view message) {
  const auto head = read_header(message);
  if (!head)
    return head.error();
  const auto op = head->op;
  if (op == "post")
    return read_post(*head);
  if (op == "ack")
    return read_ack(*head);
  if (op == "ping")
    return read_ping(*head);
  if (op == "login")
    return read_login(*head);
  if (op == "listEdit")
    return read_list_edit(*head);
  if (op == "register")
    return read_register(*head);
  if (op == "addNode")
    return read_add_node(*head);
  return malformed("invalid request op");
}

core::result<client_packet> message_decoder::read_register(const header& head) {
  field_reader fields{head.op, *head.fields};
  register_request packet;
  packet.user = fields.text("userId");
  packet.node = fields.text("newNode");
  packet.aliases = fields.text("aliases");
  if (!head.rest.empty() || fields.find("etc") != nullptr)
    fields.fail(body_disallowed(head.op));
  return finish<client_packet>(std::move(fields), packet);
}

core::result<client_packet> message_decoder::read_add_node(const header& head) {
  field_reader fields{head.op, *head.fields};
  add_node_request packet;
  packet.user = fields.text("userId");
  packet.node = fields.text("newNode");
  packet.previous_node = fields.text("prevNode");
  if (!head.rest.empty() || fields.find("etc") != nullptr)
    fields.fail(body_disallowed(head.op));
  return finish<client_packet>(std::move(fields), packet);
}

core::result<client_packet> message_decoder::read_login(const header& head) {
  field_reader fields{head.op, *head.fields};
  login_request packet;
  packet.user = fields.text("userId");
  packet.node = fields.text("nodeId");
  if (const auto window = fields.number("window", 1))
    packet.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        *window, std::numeric_limits<std::uint32_t>::max()));
  packet.resume = fields.position("resume");
  packet.deduplicate = fields.flag("dedup");
  if (!head.rest.empty() || fields.find("etc") != nullptr)
    fields.fail(body_disallowed(head.op));
  return finish<client_packet>(std::move(fields), packet);
}

core::result<client_packet> message_decoder::read_post(const header& head) {
  field_reader fields{head.op, *head.fields};
  post_request packet;
  packet.id = fields.id();
  const auto* to = fields.find("to");
  if (to == nullptr || !to->is_object()) {
    fields.fail(missing(head.op, "to"));
    return std::move(fields).failure();
  }
  packet.to.reserve(to->get_object().size());
  for (const auto& [name, how] : to->get_object())
    packet.to.push_back(
        {std::string{name.data(), name.size()}, to_recipient_kind(how)});
  auto body = read_body(head);
  if (!body)
    return body.error();
  packet.body = *body;
  packet.no_nodes = fields.truthy("noNodes");
  packet.time_to_live = fields.time_to_live();
  packet.duplicates = fields.duplicates();
  return finish<client_packet>(std::move(fields), std::move(packet));
}

core::result<client_packet> message_decoder::read_ping(const header& head) {
  field_reader fields{head.op, *head.fields};
  ping_request packet;
  packet.id = fields.id();
  packet.alias = fields.text("alias");
  auto body = read_body(head);
  if (!body)
    fields.fail(body.error());
  else
    packet.body = *body;
  packet.no_nodes = fields.truthy("noNodes");
  packet.time_to_live = fields.time_to_live();
  packet.duplicates = fields.duplicates();
  return finish<client_packet>(std::move(fields), packet);
}

core::result<client_packet>
message_decoder::read_list_edit(const header& head) {
  field_reader fields{head.op, *head.fields};
  list_edit_request packet;
  packet.id = fields.id();
  packet.list = fields.text("to");
  packet.type = fields.text("type");
  packet.member = fields.text("member");
  auto body = read_body(head);
  if (!body)
    fields.fail(body.error());
  else
    packet.body = *body;
  return finish<client_packet>(std::move(fields), packet);
}

core::result<client_packet> message_decoder::read_ack(const header& head) {
  field_reader fields{head.op, *head.fields};
  ack_packet packet;
  packet.id = fields.text("id");
  packet.type = fields.text("type");
  if (!head.rest.empty() || fields.find("etc") != nullptr)
    fields.fail(body_disallowed(head.op));
  return finish<client_packet>(std::move(fields), packet);
}

core::result<server_packet>
message_decoder::decode_reply(core::bytes_view message) {
  const auto head = read_header(message);
  if (!head)
    return head.error();
  const auto op = head->op;
  if (op == "deliver")
    return read_deliver(*head);
  field_reader fields{op, *head->fields};
  if (op == "ack") {
    ack_packet packet;
    packet.id = fields.text("id");
    packet.type = fields.text("type");
    packet.error = fields.text_or_empty("error");
    return finish<server_packet>(std::move(fields), packet);
  }
  if (op == "info")
    return read_info(*head);
  if (op == "quit") {
    quit_packet packet{fields.text("info")};
    return finish<server_packet>(std::move(fields), packet);
  }
  if (op == "registered")
    return read_registered(*head);
  if (op == "listEdited")
    return read_list_edited(*head);
  if (op == "added") {
    added_packet packet;
    if (const auto offset = fields.number("offset", 0)) {
      if (*offset > std::numeric_limits<core::device_offset::rep>::max())
        fields.fail(invalid(op, "offset"));
      packet.offset =
          core::device_offset{static_cast<core::device_offset::rep>(*offset)};
    }
    packet.error = fields.text_or_empty("error");
    return finish<server_packet>(std::move(fields), packet);
  }
  return malformed("invalid request op");
}

core::result<server_packet> message_decoder::read_info(const header& head) {
  field_reader fields{head.op, *head.fields};
  info_packet packet;
  packet.info = fields.text("info");
  if (const auto window = fields.number("window", 1))
    packet.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        *window, std::numeric_limits<std::uint32_t>::max()));
  packet.position = fields.position("position");
  packet.resume = fields.text_or_empty("resume");
  return finish<server_packet>(std::move(fields), packet);
}

core::result<server_packet> message_decoder::read_deliver(const header& head) {
  field_reader fields{head.op, *head.fields};
  deliver_packet packet;
  packet.id = fields.text("id");
  packet.from = fields.text("from");
  auto body = read_body(head);
  if (!body)
    return body.error();
  packet.body = *body;
  packet.sequence = fields.position("seq");
  if (const auto expires = fields.number("expires", 0))
    packet.expires = core::from_millis(static_cast<std::int64_t>(*expires));
  return finish<server_packet>(std::move(fields), packet);
}

core::result<server_packet>
message_decoder::read_registered(const header& head) {
  field_reader fields{head.op, *head.fields};
  registered_packet packet;
  packet.id = fields.text_or_empty("id");
  packet.from = fields.text_or_empty("from");
  packet.error = fields.text_or_empty("error");
  packet.sequence = fields.position("seq");
  auto body = read_body(head);
  if (!body)
    return body.error();
  packet.etc = body->etc;
  return finish<server_packet>(std::move(fields), packet);
}

core::result<server_packet>
message_decoder::read_list_edited(const header& head) {
  field_reader fields{head.op, *head.fields};
  list_edited_packet packet;
  packet.id = fields.text("id");
  packet.from = fields.text("from");
  packet.sequence = fields.position("seq");
  auto body = read_body(head);
  if (!body)
    return body.error();
  packet.etc = body->etc;
  return finish<server_packet>(std::move(fields), packet);
}

} // namespace troupe::net::mq
