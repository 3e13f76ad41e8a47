// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"
#include "core/session_command.hpp"

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe::actors {

/// Who posts.
struct post_sender {
  std::string uid;
  /// When the user was created: tells him from one of that name before him.
  core::timestamp created{};
  std::optional<core::device_offset> device; ///< none: an operator
  /// Devices the user has; with one only there is nobody to copy to.
  std::uint32_t devices = 0;
};

/// One post: expands lists and aliases, sends one command to each shard that
/// holds a recipient, and is accepted when all of them have it durably.
class post_operation final : public operation {
public:
  post_operation(core::post command, post_sender sender);
  post_operation(core::post_to_alias command, post_sender sender);

  void start() override;
  void on_answer(shard_answer& answer) override;
  void on_answer(list_expansion& answer) override;
  void on_timeout() override;

private:
  void add(std::string uid, bool single);
  void dispatch();
  void add_own_copy();
  void drop_blocked();
  void refuse(core::error why);
  void finish_posted();

  core::post command_;
  std::optional<std::string> alias_;
  post_sender sender_;
  std::vector<core::inbox_recipient> recipients_;
  std::unordered_set<std::string> seen_; // used from the second recipient on
  std::vector<std::pair<std::string, core::recipient_kind>> lists_;
  std::size_t waiting_ = 0;
  bool refused_ = false;
  core::posted event_;
};

} // namespace troupe::actors
