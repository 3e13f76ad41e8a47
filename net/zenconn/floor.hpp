// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "net/topic_space.hpp"
#include "net/zenconn/event.hpp"
#include "net/zenconn/gate.hpp"
#include "net/zenconn/house.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::net::zenconn {

/// A session as its floor knows it.
class member {
public:
  member(std::uint64_t number, std::string id, std::string uid)
      : number_(number), id_(std::move(id)), uid_(std::move(uid)) {}
  member(const member&) = delete;
  member& operator=(const member&) = delete;

  /// Of its connection, never 0.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// Of the session, a UUID.
  [[nodiscard]] const std::string& id() const { return id_; }

  /// "" for nobody.
  [[nodiscard]] const std::string& uid() const { return uid_; }

  // Never inside of a call to the session; each may end it.

  /// Somebody's broadcast into a channel that it is in.
  virtual void on_event(shared_event& what) = 0;
  /// See gate::on_counted().
  virtual void on_counted(std::uint64_t number, core::node_id node,
                          std::uint64_t members) = 0;
  /// From time to time: is it still allowed to be here?
  virtual void on_look() = 0;

protected:
  ~member() = default;

private:
  const std::uint64_t number_;
  const std::string id_;
  const std::string uid_;
};

/// The sessions of one loop and the channels they are in. Used on that loop;
/// made and closed by whoever runs the door, outlives its sessions.
class floor final {
public:
  floor(house& owner, std::size_t index);
  ~floor();
  floor(const floor&) = delete;
  floor& operator=(const floor&) = delete;

  /// Listens for answers of other nodes; before the first session, early, so
  /// that they know. too_many.
  core::result<void> open();
  /// No session is left.
  void close();

  /// A session begins: it hears what is said to everybody. too_many.
  core::result<void> enter(member& who);
  void exit(member& who);

  /// too_many, name_invalid.
  core::result<void> join(const std::string& channel, member& who);
  void leave(const std::string& channel, member& who);
  /// To all others in a channel. too_large.
  core::result<spoken> speak(const std::string& channel, member& who,
                             std::string data, std::string_view uid,
                             std::uint64_t number);
  void announce(const std::string& channel, member& who, bool came);

  /// To be called every look_interval while somebody is here: lets some of
  /// the sessions look at their rights, each once in look_parts calls, and
  /// rooms go that nobody came back to.
  void look(core::steady_time now);
  static constexpr core::milliseconds look_interval{100};
  static constexpr std::size_t look_parts = 4;
  /// An empty room stays so long, for questions that are on their way.
  static constexpr core::milliseconds empty_time{1'000};

  /// Nobody is here, and no room is open.
  [[nodiscard]] bool idle() const { return members_.empty() && rooms_.empty(); }
  [[nodiscard]] house& owner() const { return owner_; }

  /// Called when the first session comes.
  std::function<void()> on_first = [] {};

private:
  class room;
  class ear;

  room* find(const std::string& channel);
  void on_question(std::string_view channel, const core::publication& what);
  void on_answer(const core::publication& what);

  house& owner_;
  const std::size_t index_;
  std::unique_ptr<ear> answers_;
  std::unordered_map<std::uint64_t, member*> members_;
  std::unordered_map<std::string, std::unique_ptr<room>> rooms_;
  std::size_t turn_ = 0; ///< of look()
};

} // namespace troupe::net::zenconn
