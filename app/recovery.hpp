// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/configuration.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/node_store.hpp"
#include "core/result.hpp"
#include "storage/data_folder.hpp"
#include "storage/log_types.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What is left to do when the majority of a cluster is lost for ever: a node
/// that stopped becomes the only voter of all groups, and the lost ones are
/// removed. Never automatic, since a node can't tell a dead peer from a cut
/// cable. Offline, on the data folder alone.
namespace troupe::app {

/// What such a node may lack that was acknowledged.
enum class recovery_loss : std::uint8_t {
  none,    ///< every acknowledgement needed this node
  recent,  ///< it voted: what the others agreed upon without it
  unknown, ///< it did not vote: any part of the end
};

/// A group as the node has it.
struct recovered_part {
  core::group_id group;
  cluster::configuration members; ///< the newest it knows
  core::term term;
  core::log_index last;
  core::log_index applied; ///< durably in the tables
  recovery_loss loss = recovery_loss::none;
};

struct recovery_options {
  std::filesystem::path data;
  std::size_t segment_bytes = std::size_t{64} << 20;
  std::uint64_t reserve_bytes = 0;
};

/// Holds the folder while it lives. Changes nothing before carry_out() but what
/// a start would: the end of a write that broke off is cut.
class recovery {
public:
  /// Errors: in_use; not_found (there is no node); invalid_config (it is in no
  /// cluster with others, or does not keep every group: those would be lost);
  /// those of the stores.
  static core::result<std::unique_ptr<recovery>> open(recovery_options options);
  ~recovery();
  recovery(const recovery&) = delete;
  recovery& operator=(const recovery&) = delete;

  using node_row = std::pair<core::node_id, core::node_record>;

  [[nodiscard]] const storage::folder_identity& identity() const;
  [[nodiscard]] std::string token() const;
  [[nodiscard]] const std::vector<recovered_part>& groups() const {
    return groups_;
  }
  /// The nodes that will be removed: all but this one.
  [[nodiscard]] const std::vector<node_row>& lost() const { return lost_; }

  /// Writes a line about it into the folder's recoveries.jsonl, then the new
  /// configuration of each group, the directory's last. To be repeated if it
  /// broke off. Once.
  core::result<void> carry_out(core::timestamp now);

private:
  struct stores;
  recovery();

  core::result<void> look();
  core::result<void> look_at(const storage::recovered_group& record);
  core::result<void> look_for_nodes(const storage::recovered_group& record);
  [[nodiscard]] storage::log_write change_of(const recovered_part& part) const;
  void add_removals(storage::log_write& to, core::timestamp now) const;
  core::result<void> write_record(core::timestamp now) const;

  std::unique_ptr<stores> stores_;
  std::vector<recovered_part> groups_;
  std::vector<node_row> lost_;
  bool serves_ = false;      ///< this node is a member
  core::timestamp newest_{}; ///< of the directory's commands
};

} // namespace troupe::app
