// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::actors {

struct list_deps {
  broker_context* context = nullptr;
  directory_actor directory;
  std::string realm;
  std::string list;
};

/// Owner: the directory actor, which spawns it on first use and lets it retire
/// when idle. Keeps the members in memory for the next post; nothing is lost
/// when it dies. Mailbox: bounded by the posts sessions may have under way.
struct list_state {
  static inline const char* name = "list";
  using pointer = list_actor::stateful_pointer<list_state>;

  explicit list_state(pointer ptr);
  [[nodiscard]] std::string path() const;

  void start(list_deps deps);
  void expand(const expand_list& question);
  void forget_members();
  void on_idle_tick();
  void retire_now();
  [[nodiscard]] std::string describe() const;

private:
  void read_members();

  pointer self_;
  broker_context* context_ = nullptr;
  directory_actor directory_;
  std::string realm_;
  std::string list_;
  std::shared_ptr<const std::vector<std::string>> members_; ///< null: unread
  std::uint64_t uses_ = 0;
  std::uint64_t uses_at_tick_ = 0;
};

list_actor::behavior_type list_behavior(list_state::pointer self,
                                        list_deps deps);

} // namespace troupe::actors
