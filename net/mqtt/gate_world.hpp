// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authenticator.hpp"
#include "core/grant.hpp"
#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/route_command.hpp"
#include "core/stored_session_command.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"
#include "net/mqtt/packets.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::mqtt {

/// One message on its way to a client; borrowed for a call.
struct delivery {
  const core::publication_ptr& what;
  qos level = qos::at_most_once;
  bool retain = false;
  packet_id id{};               ///< none with QoS 0
  std::uint16_t alias = 0;      ///< 0: none
  bool alias_known = false;     ///< the topic itself is left out
  std::optional<seconds> age{}; ///< if its expiry is to be lessened by it
  bool duplicate = false;       ///< may have been sent before
  bool expires = true;          ///< false: it goes however old it is
  std::span<const std::uint32_t> subscription_ids{};
};

/// What became of it.
enum class delivered : std::uint8_t {
  sent,
  too_large, ///< for the client, or for MQTT
};

/// What clients can have here. CONNACK says so.
struct features {
  /// The longest time for which a session outlives its connection; 0: none
  /// does.
  seconds session_expiry_max{0};
  bool retained = false;
  bool shared = false;
};

/// Who it is that wants to have a session.
struct session_request {
  std::string_view client_id;
  bool clean_start = true;
  seconds expiry{0}; ///< as granted; 0: it ends with the connection
  // Of one that does not:
  std::uint16_t receive_max = 65'535; ///< of QoS 2, received and not released
  std::uint16_t window = 1;           ///< messages under way to the client
  std::optional<core::session_will> will{};
};
struct session_found {
  bool present = false;
  // Of one that was there; see core::client_opened.
  std::vector<core::route> routes{};
  std::vector<std::uint16_t> awaiting{};
  core::timestamp closed{};
};

/// What becomes of a publication that is asked for.
enum class publish_state : std::uint8_t {
  done,
  pending, ///< gate::on_published() will say
  refused, ///< out of the bounds of what is published here
  failed,  ///< can't be taken now
};

/// What a gate needs of the world; implemented by a session, by a recorder in
/// tests. Nothing of it calls the gate, but where that is said: answers come
/// later.
class gate_world {
public:
  // The client.

  /// Behind all that was sent before. What answers a request may wait for its
  /// record to be kept; the order stays.
  virtual void send(const any_packet& what) = 0;
  virtual delivered send(const delivery& what) = 0;
  /// Whether send() would say `sent`.
  [[nodiscard]] virtual bool fits(const delivery&) { return true; }
  /// Bytes that were sent and wait.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  /// The last thing that a gate does. `at_once`: what waits is not sent.
  virtual void close(std::string_view why, bool at_once) = 0;

  // Who it is.

  /// gate::on_login() will say, perhaps from inside.
  virtual void log_in(core::credentials shown) = 0;
  /// Whether clients can log in by this method of several steps.
  [[nodiscard]] virtual bool serves(std::string_view method) const = 0;
  /// Such a login begins with what the client says, at CONNECT or, of a client
  /// that is connected, once more: then it has to be the same user.
  /// gate::on_challenge(), on_login() or on_refused() will say, perhaps from
  /// inside. REQUIRES: serves(method).
  virtual void begin_proof(std::string_view method, std::string_view said) = 0;
  /// What it says to a challenge; answered as the first.
  virtual void go_on_proof(std::string_view said) = 0;
  /// A client id that nobody has; "" if none can be made.
  virtual std::string make_client_id() = 0;
  /// The session is this client's: one that has the same id here is taken
  /// over. gate::on_session() will say, perhaps from inside.
  virtual void open_session(const session_request& what) = 0;
  [[nodiscard]] virtual features available() const = 0;

  // What it may.

  virtual core::deny_reason standing() = 0;
  virtual core::deny_reason check(core::right what, const core::topic& on) = 0;
  virtual core::deny_reason check(core::right what,
                                  const core::topic_filter& on) = 0;
  /// Whether it may send one more message; counts it.
  virtual core::deny_reason allow_message() = 0;

  // What it does.

  /// Publications that match come by gate::on_publication(), at least once
  /// each; those of a share (not "") by gate::on_shared(). `shown` is the
  /// filter in the client's spelling. too_many, name_invalid, overloaded.
  virtual core::result<void> listen(const core::topic_filter& what,
                                    std::string_view share,
                                    std::string_view shown) = 0;
  virtual void stop_listening(const core::topic_filter& what,
                              std::string_view share) = 0;
  /// `shown` is the topic in the client's spelling; `ticket` is for
  /// gate::on_published().
  virtual publish_state publish(core::publication what, std::string_view shown,
                                std::uint64_t ticket) = 0;
  /// Whether this client has published it, by this session.
  [[nodiscard]] virtual bool is_own(const core::publication& what) const = 0;
  /// The retained messages of a filter, by gate::on_retained(); only where
  /// they are available.
  virtual void send_retained(const core::topic_filter& what,
                             const core::topic_filter& of) = 0;

  // What a session does that outlives its connection, see client_command.hpp.

  /// Like publish(), of QoS 2: a message that the client sends again under the
  /// same id, over any connection, is published once. Always pending.
  virtual void publish_once(core::publication what, std::string_view shown,
                            std::uint64_t ticket, packet_id id) = 0;
  /// gate::on_completed() will say.
  virtual void release(packet_id id) = 0;
  /// gate::on_released() will say, if `awaiting` is not empty.
  virtual void settle(core::inbox_position up_to,
                      std::vector<std::uint16_t> awaiting) = 0;
  virtual void complete(packet_id id) = 0;
  /// gate::on_routed() will say.
  virtual void route(std::uint64_t ticket, std::vector<core::route_name> remove,
                     std::vector<core::route> add) = 0;
  virtual void keep(seconds expiry) = 0;
  /// Something that did not come by the session's inbox, and shall.
  virtual void queue_own(const core::publication& what, qos level, bool retain,
                         std::vector<std::uint32_t> subscription_ids) = 0;
  /// The session is left, of any kind. The last thing but close().
  virtual void leave(bool drop_will) = 0;

  /// Something was refused; before the answer.
  virtual void refused(core::audit_kind what, std::string_view target,
                       std::string_view why) = 0;
  [[nodiscard]] virtual core::timestamp wall() const = 0;
  /// Where a client may go that is sent away, with blanks between; "": it is
  /// not known.
  [[nodiscard]] virtual std::string elsewhere() const { return {}; }

protected:
  ~gate_world() = default;
};

} // namespace troupe::net::mqtt
