// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/names/client_names.hpp"
#include "actors/names/name_messages.hpp"

#include <cstddef>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace troupe::actors::names {

/// What the leader of a shard does for clients whose sessions have no record:
/// keeps the rows of their names, answers their desks, and tells who has lost
/// a name. Owned by the shard's state, used on its loop only.
///
/// A desk of another node that could not be told something (the link has no
/// room) is told to claim all its names again when there is room, and has none
/// until then. What a desk does not give back goes when the link to its node
/// ends.
class name_keeper {
public:
  struct parts {
    broker_context& context;
    core::group_id group;
    /// Whether there is a session of that name that is written down.
    std::function<bool(const client_name&)> has_record;
  };
  explicit name_keeper(parts with)
      : with_(std::move(with)), rows_(with_.context.options.client_names_max) {}
  ~name_keeper() { clear(); }
  name_keeper(const name_keeper&) = delete;
  name_keeper& operator=(const name_keeper&) = delete;

  /// REQUIRES: this node leads in `term` and nobody else does.
  void claim(const names_claimed& claims, core::term term);
  void refuse(const names_claimed& claims, core::errc why,
              core::node_id leader);
  void free(const names_freed& freed);
  /// A session with a record has this name from now on.
  void take(const core::owner& session);
  void on_cut(core::node_id peer);
  /// Somebody else leads, or will.
  void release();

  /// Tells desks what they could not be told. True: call again soon.
  bool catch_up();
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
  template <class Message>
  void tell(const desk_address& desk, Message what);
  name_answer answer(const names_claimed& claims, const name_claim& item);
  void tell_taken(const client_names::row& before);
  void tell_all_taken();
  std::vector<desk_address> clear();
  void show();

  parts with_;
  client_names rows_;
  std::size_t shown_ = 0;
  std::set<desk_address> behind_;
  /// Who has lost a name, while a message is handled.
  std::vector<std::pair<desk_address, names_taken>> taken_;
};

} // namespace troupe::actors::names
