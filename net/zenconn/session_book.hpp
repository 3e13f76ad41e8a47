// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::zenconn {

/// What is written down of a session.
struct session_facts {
  std::string id;       ///< a UUID
  std::string remote;   ///< address and port
  std::string user;     ///< "" for nobody
  std::string spelling; ///< "json", "compact" or "binary"
  bool tls = false;
  std::optional<std::uint32_t> worker{}; ///< that keeps its connection
};

/// Where sessions are written down; by app/. Thread-safe.
class session_book {
public:
  /// Before its welcome. `done` is called once, on any thread and perhaps
  /// within the call: whether it stands there. If not, nothing of it does.
  virtual void open(session_facts what, std::function<void(bool)> done) = 0;
  /// It has ended; after open(), perhaps before that is done. Once.
  virtual void close(const std::string& id, std::string_view why) = 0;

protected:
  ~session_book() = default;
};

} // namespace troupe::net::zenconn
