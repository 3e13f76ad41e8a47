// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Streams of /msgbus/ as a client of the command line reads them; see
/// docs/protocols/msgbus.md.
namespace troupe::app {

/// What a stream says of a publication, in our own memory.
struct channel_message {
  std::string channel; ///< "" if the stream does not say it
  std::string sender;  ///< "" if it has none
  std::string type;
  std::string id; ///< of events only
  std::string data;

  friend bool operator==(const channel_message&,
                         const channel_message&) = default;
};

/// Takes multipart apart. A part has no length, its end is the next boundary:
/// a body with that text in it comes in pieces.
class multipart_reader {
public:
  /// Appends what is whole with these bytes. malformed: no such stream;
  /// too_large: a message above 1 GiB.
  core::result<void> feed(std::string_view bytes,
                          std::vector<channel_message>& to);

private:
  std::string pending_;
  std::size_t searched_ = 0; // of pending_
  bool begun_ = false;       // behind the first boundary
};

/// Takes events of format=json apart.
class event_reader {
public:
  core::result<void> feed(std::string_view bytes,
                          std::vector<channel_message>& to);

private:
  core::result<void> line(std::string_view text,
                          std::vector<channel_message>& to);

  std::string pending_;
  std::size_t searched_ = 0; // of pending_
  std::string data_;
  bool has_data_ = false;
};

/// "sender at channel: data", with control characters made visible.
[[nodiscard]] std::string text_line(const channel_message& message);

/// One JSON object. Data that is not UTF-8 goes to "data_base64".
[[nodiscard]] std::string json_line(const channel_message& message);

} // namespace troupe::app
