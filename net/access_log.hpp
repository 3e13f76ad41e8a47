// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/http_message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Who asked for what over HTTP: one line a request, and one for each WebSocket
/// or stream when it ends.
namespace troupe::net {

struct access_entry {
  std::string address; ///< of the client, without the port
  std::string user;    ///< "" for nobody
  std::string request; ///< "GET /path HTTP/1.1"; "" if it was none
  std::string referer;
  std::string agent;
  unsigned status = 0;
  std::uint64_t bytes = 0; ///< of the answer without its head
};

/// Of what the client has sent.
[[nodiscard]] access_entry access_entry_of(const http_request& request,
                                           std::string address);

/// A line as nginx writes it under the name "combined", with its end, in UTC;
/// what is not plain text in it is written as \xHH.
[[nodiscard]] std::string combined_line(const access_entry& entry,
                                        core::timestamp when);

/// The status in the first line of an answer, 0 if there is none.
[[nodiscard]] unsigned status_in(std::string_view answer);

/// Where the lines go. Thread-safe, never blocks; outlives the network.
class access_log {
public:
  virtual ~access_log() = default;
  virtual void write(const access_entry& entry) = 0;
};

} // namespace troupe::net
