// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/grant.hpp"
#include "core/principal.hpp"
#include "core/topic.hpp"
#include "net/session_port.hpp"
#include "net/zenconn/floor.hpp"
#include "net/zenconn/gate.hpp"
#include "net/zenconn/guest.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net::zenconn {

/// What one session may do; asked on its loop only.
class session_powers {
public:
  virtual ~session_powers() = default;
  /// Whether it may be here at all.
  virtual core::deny_reason standing() = 0;
  virtual core::deny_reason check(core::right what, const core::topic& on) = 0;
  /// Whether it may send one more message; counts it.
  virtual core::deny_reason allow_message() = 0;
  /// Another number whenever something about rights has changed.
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;
  /// Whether a token was made for that channel and this session.
  [[nodiscard]] virtual bool token_fits(std::string_view session,
                                        std::string_view channel,
                                        std::string_view token) const = 0;
};

struct guest_terms {
  std::string id;  ///< a UUID
  std::string uid; ///< "" for nobody
  std::unique_ptr<session_powers> powers;
  /// Called once when it has ended, or never began; null: nobody asks.
  std::function<void(std::string_view why)> on_end{};
};

/// A guest on a floor of this process.
class house_guest final : public guest, private member, private gate_world {
public:
  /// `at` is the floor of this loop; outlives it.
  house_guest(floor& at, const connection_info& from, guest_terms terms);
  ~house_guest() override;
  house_guest(const house_guest&) = delete;
  house_guest& operator=(const house_guest&) = delete;

  // guest
  bool enter(guest_user& user) override;
  void ask(request asked, core::steady_time now) override;
  [[nodiscard]] bool paused() override;
  void on_tick(core::steady_time now) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return gate_.deadline();
  }
  void depart(std::string_view why) override;

private:
  // member
  void on_event(shared_event& what) override;
  void on_counted(std::uint64_t number, core::node_id node,
                  std::uint64_t members) override;
  void on_look() override;

  // gate_world
  void send(const answer& what) override;
  core::deny_reason check(core::right what, const core::topic& on) override;
  core::deny_reason allow_message() override;
  bool token_fits(std::string_view channel, std::string_view token) override;
  void refused(core::audit_kind what, std::string_view channel,
               std::string_view why, std::string_view data) override;
  core::result<void> join(const std::string& channel) override;
  void leave(const std::string& channel) override;
  void announce(const std::string& channel, bool came) override;
  core::result<spoken> speak(const std::string& channel, std::string data,
                             std::uint64_t number) override;

  void note(core::audit_kind what, std::string_view channel,
            std::string_view type, std::string_view why = {},
            core::shared_bytes payload = {});
  void wait_for_record();
  void send_what_is_kept();

  floor& floor_;
  const connection_info from_;
  guest_terms terms_;
  zenconn_stats& stats_;
  gate gate_;
  guest_user* user_ = nullptr; ///< while it is here
  std::uint64_t epoch_ = 0;    ///< by which the channels were judged
  bool ended_ = false;

  /// An answer goes when the record of what it answers is kept.
  struct held_answer {
    core::audit_ticket ticket;
    answer what;
  };
  core::audit_ticket noted_ = 0; ///< the last record
  std::deque<held_answer> held_;
  /// For what comes back from the log: gone with this.
  std::shared_ptr<house_guest*> self_ = std::make_shared<house_guest*>(this);
};

} // namespace troupe::net::zenconn
