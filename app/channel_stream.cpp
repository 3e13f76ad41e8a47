// SPDX-License-Identifier: Apache-2.0
#include "app/channel_stream.hpp"

#include "app/json_text.hpp"
#include "app/message_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>

namespace troupe::app {
namespace {

constexpr std::string_view boundary = "--00MsgBus00\n";
constexpr std::string_view location = "/msgbus/";
/// A node may be told to allow more than its default.
constexpr std::size_t message_bytes_max = 1ULL << 30;

core::error no_stream(const char* why) { return {core::errc::malformed, why}; }

/// What is behind `name: ` in a line, if that is what it is.
std::optional<std::string_view> field(std::string_view line,
                                      std::string_view name) {
  if (line.size() < name.size() + 2 || !line.starts_with(name) ||
      line.substr(name.size(), 2) != ": ")
    return std::nullopt;
  return line.substr(name.size() + 2);
}

void read_field(std::string_view line, channel_message& into) {
  if (const auto sender = field(line, "From")) {
    into.sender = *sender;
  } else if (const auto type = field(line, "Content-Type")) {
    into.type = *type;
  } else if (auto where = field(line, "Content-Location")) {
    if (where->starts_with(location))
      where->remove_prefix(location.size());
    into.channel = *where;
  }
}

core::result<channel_message> read_part(std::string_view part) {
  const auto end = part.find("\n\n");
  if (end == std::string_view::npos)
    return no_stream("a part without headers");
  channel_message out;
  out.data = part.substr(end + 2);
  auto rest = part.substr(0, end + 1);
  while (!rest.empty()) {
    const auto line = rest.find('\n');
    read_field(rest.substr(0, line), out);
    rest.remove_prefix(line + 1);
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3, '\0');
  const auto size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) != out.size())
    return std::nullopt;
  // OpenSSL counts what the padding stands for.
  for (int i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
    out.pop_back();
  }
  return out;
}

std::string text_at(const boost::json::object& from, const char* key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_string())
    return {};
  const auto& text = value->get_string();
  return {text.data(), text.size()};
}

core::result<channel_message> read_event(std::string_view data) {
  boost::system::error_code no_json;
  const auto value = boost::json::parse(
      boost::json::string_view{data.data(), data.size()}, no_json);
  const auto* fields = no_json ? nullptr : value.if_object();
  if (fields == nullptr)
    return no_stream("an event that is no JSON object");
  channel_message out{text_at(*fields, "channel"), text_at(*fields, "sender"),
                      text_at(*fields, "type"), text_at(*fields, "id"),
                      text_at(*fields, "data")};
  if (fields->if_contains("base64") != nullptr) {
    auto bytes = from_base64(text_at(*fields, "base64"));
    if (!bytes)
      return no_stream("an event with broken base64");
    out.data = std::move(*bytes);
  }
  return out;
}

} // namespace

core::result<void> multipart_reader::feed(std::string_view bytes,
                                          std::vector<channel_message>& to) {
  pending_ += bytes;
  std::size_t start = 0;
  for (;;) {
    const auto end = pending_.find(boundary, std::max(start, searched_));
    if (end == std::string::npos)
      break;
    if (begun_) {
      auto part =
          read_part(std::string_view{pending_}.substr(start, end - start));
      if (!part)
        return part.error();
      to.push_back(std::move(*part));
    } else if (end != 0) {
      return no_stream("a stream that does not begin with its boundary");
    }
    begun_ = true;
    start = end + boundary.size();
  }
  pending_.erase(0, start);
  searched_ =
      pending_.size() < boundary.size() ? 0 : pending_.size() - boundary.size();
  if (pending_.size() > message_bytes_max)
    return core::errc::too_large;
  return {};
}

core::result<void> event_reader::feed(std::string_view bytes,
                                      std::vector<channel_message>& to) {
  pending_ += bytes;
  std::size_t start = 0;
  for (;;) {
    const auto end = pending_.find('\n', std::max(start, searched_));
    if (end == std::string::npos)
      break;
    const auto text = std::string_view{pending_}.substr(start, end - start);
    if (auto read = line(text, to); !read)
      return read;
    start = end + 1;
  }
  pending_.erase(0, start);
  searched_ = pending_.size();
  if (pending_.size() + data_.size() > message_bytes_max)
    return core::errc::too_large;
  return {};
}

core::result<void> event_reader::line(std::string_view text,
                                      std::vector<channel_message>& to) {
  if (const auto data = field(text, "data")) {
    if (has_data_)
      data_ += '\n';
    data_ += *data;
    has_data_ = true;
  } else if (text.empty() && has_data_) {
    auto message = read_event(data_);
    data_.clear();
    has_data_ = false;
    if (!message)
      return message.error();
    to.push_back(std::move(*message));
  } // comments; "id" and "event" are in the data, too
  return {};
}

std::string text_line(const channel_message& message) {
  std::string line;
  if (!message.sender.empty())
    line += visible(message.sender) + ' ';
  return line + "at " + visible(message.channel) + ": " + visible(message.data);
}

std::string json_line(const channel_message& message) {
  std::string line = "{\"channel\":";
  append_json(line, message.channel);
  const auto put = [&line](std::string_view key, const std::string& value) {
    if (value.empty())
      return;
    line.append(",\"").append(key).append("\":");
    append_json(line, value);
  };
  put("sender", message.sender);
  put("type", message.type);
  put("id", message.id);
  const bool text = is_utf8(message.data);
  line += text ? ",\"data\":" : ",\"data_base64\":";
  append_json(line, text ? message.data : base64(message.data));
  return line + '}';
}

} // namespace troupe::app
