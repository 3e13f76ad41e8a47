// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace troupe::storage {

/// Version of the data folder as a whole: the layout of its sub-folders and
/// the file below. Raised only by a change old versions can't live with.
inline constexpr std::uint32_t data_format = 1;

/// What DIR/troupe.json says (docs/formats/data-folder.md).
struct folder_identity {
  storage::cluster_id cluster;
  core::node_id node;
  std::uint32_t shards = 0; ///< data shards of the cluster, without group 0
  core::timestamp created{};

  friend bool operator==(const folder_identity&,
                         const folder_identity&) = default;
};

/// A node's data folder, held by this process alone while the object lives
/// (flock on DIR/lock, which names the holder's process id).
///
///   DIR/troupe.json   identity, human readable, written once
///   DIR/node-token    what the node proves to be itself by, in a cluster
///   DIR/lock          who holds the folder
///   DIR/log/          log_store
///   DIR/state/        state_store
///
/// Folders are made with mode 0700, files with 0600.
class data_folder {
public:
  /// Takes the folder, which may be missing or empty: then identity() is
  /// nothing until initialize() was called. An initialisation cut short by a
  /// crash leaves such a folder, too.
  ///
  /// Errors: in_use (detail: the holder's pid), newer_format, wrong_cluster if
  /// `expected` is given and differs, corrupt for an unreadable troupe.json or
  /// for stores without one, io_error.
  static core::result<data_folder>
  open(file_system& files, const std::filesystem::path& path,
       std::optional<cluster_id> expected = std::nullopt);

  /// Gives the folder its identity, durably: all or nothing.
  /// REQUIRES: !identity().
  core::result<void> initialize(const folder_identity& identity);

  [[nodiscard]] const std::optional<folder_identity>& identity() const {
    return identity_;
  }

  /// The text by which a cluster knows this folder again, 32 hexadecimal
  /// digits; "" if it has none, because it never was in a cluster.
  [[nodiscard]] core::result<std::string> token() const;
  /// Draws one at random, durably. REQUIRES: there is none.
  core::result<std::string> make_token();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path log_path() const { return path_ / "log"; }
  [[nodiscard]] std::filesystem::path state_path() const {
    return path_ / "state";
  }

private:
  data_folder(file_system& files, std::filesystem::path path,
              std::unique_ptr<file> lock);
  core::result<void> read_identity();
  core::result<void> write_durably(const std::filesystem::path& name,
                                   const std::string& text);

  file_system* files_;
  std::filesystem::path path_;
  std::unique_ptr<file> lock_;
  std::optional<folder_identity> identity_;
};

} // namespace troupe::storage
