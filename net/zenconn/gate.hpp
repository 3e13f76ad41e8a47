// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/grant.hpp"
#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"
#include "core/topic.hpp"
#include "net/zenconn/message.hpp"
#include "net/zenconn/options.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::zenconn {

/// What became of a broadcast so far.
struct spoken {
  std::uint64_t members = 0; ///< others on this node
  std::size_t nodes = 0;     ///< other nodes that were asked for theirs
};

/// What a gate needs of the world; implemented by a session, by a recorder in
/// tests. Nothing of it calls the gate.
class gate_world {
public:
  virtual void send(const answer& what) = 0;

  /// Whether the session may do that, and whether it may send one more
  /// message; the latter counts it.
  virtual core::deny_reason check(core::right what, const core::topic& on) = 0;
  virtual core::deny_reason allow_message() = 0;
  /// Whether this was made for that private channel and this session.
  virtual bool token_fits(std::string_view channel, std::string_view token) = 0;

  /// What a request was refused for, before the answer.
  virtual void refused(core::audit_kind what, std::string_view channel,
                       std::string_view why, std::string_view data) = 0;

  /// too_many, overloaded.
  virtual core::result<void> join(const std::string& channel) = 0;
  virtual void leave(const std::string& channel) = 0;
  /// To the others of a private channel: this session came, or went.
  virtual void announce(const std::string& channel, bool came) = 0;
  /// To all others of a channel; what other nodes say to it comes by
  /// gate::on_counted() with this number. too_large.
  virtual core::result<spoken>
  speak(const std::string& channel, std::string data, std::uint64_t number) = 0;

protected:
  ~gate_world() = default;
};

/// The conversation with one client: what it may, what it is told, and in
/// which order. Pure; owned by its session. Holds a name for each channel
/// joined and a place for each answer that waits, both bounded by options.
class gate {
public:
  /// All outlive it.
  gate(const zenconn_options& options, zenconn_stats& stats, gate_world& world)
      : options_(options), stats_(stats), world_(world) {}

  void on_request(request asked, core::steady_time now);
  /// A node has said how many members of its own it reached.
  void on_counted(std::uint64_t number, core::node_id node,
                  std::uint64_t members);
  void on_tick(core::steady_time now);
  /// Something about rights has changed: channels that the session may not be
  /// in any more are left, and the client is told `unauthorized`.
  void on_rights_changed();
  /// Leaves all channels; the last call.
  void on_closed();

  [[nodiscard]] std::optional<core::steady_time> deadline() const;
  /// As many answers wait as may.
  [[nodiscard]] bool paused() const {
    return line_.size() >= options_.requests_max;
  }

private:
  /// One answer on its way, in the order of the requests.
  struct place {
    std::uint64_t number = 0;
    answer told;
    bool ready = false;
    core::steady_time until{};
    std::size_t nodes = 0;
    std::vector<core::node_id> heard;
  };

  void subscribe(const request& asked);
  void unsubscribe(const request& asked);
  void broadcast(request asked, core::steady_time now);
  [[nodiscard]] std::optional<core::topic>
  topic_for(const std::string& channel) const;
  [[nodiscard]] bool opens(const request& asked);
  [[nodiscard]] std::string why_not_join(const request& asked, bool opened);
  void leave(const std::string& channel);
  [[nodiscard]] std::string why_not_speak(const request& asked);
  void refuse(answer::kind how, std::string channel, std::string why);
  void tell(answer what);
  void tell_ready();

  const zenconn_options& options_;
  zenconn_stats& stats_;
  gate_world& world_;
  /// The channels joined; true: a token opened it, grants don't count.
  std::map<std::string, bool, std::less<>> joined_;
  std::deque<place> line_;
  std::uint64_t last_number_ = 0;
};

} // namespace troupe::net::zenconn
