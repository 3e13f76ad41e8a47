// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe::actors {

/// Ends a user: aliases and memberships in the directory, then the inbox with
/// all that is in it; its sessions are told and closed. Repeated, it removes
/// what one that was cut short has left.
class remove_user_operation final : public operation {
public:
  using done_function = std::function<void(core::error)>;

  remove_user_operation(std::string uid, done_function done);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  void end(core::error why);

  std::string uid_;
  bool in_directory_ = true;
  done_function done_;
};

/// A change of the nodes of the cluster, on behalf of nobody who has a
/// session.
class change_cluster_operation final : public operation {
public:
  /// The node is that of core::cluster_outcome.
  using done_function = std::function<void(core::error, core::node_id)>;

  change_cluster_operation(core::cluster_command change, done_function done);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_timeout() override;

private:
  core::cluster_command change_;
  done_function done_;
};

/// One batch of an import: users and lists into the directory, then a cursor
/// for every device. Repeating it does no harm.
class import_operation final : public operation {
public:
  using done_function =
      std::function<void(core::error, const core::import_counts&)>;

  import_operation(core::import_directory batch, done_function done);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  void end(core::error why);

  core::import_directory batch_;
  std::vector<core::import_inboxes> by_shard_;
  std::size_t waiting_ = 0;
  core::import_counts counts_;
  core::error failure_;
  done_function done_;
};

} // namespace troupe::actors
