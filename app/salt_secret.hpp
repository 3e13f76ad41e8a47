// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/data_folder.hpp"
#include "storage/file_system.hpp"

#include <filesystem>
#include <string>

namespace troupe::app {

/// What the salts are made of that SCRAM shows for users who are none. It must
/// not change, and be the same wherever a client asks, or the salts that stay
/// tell who is somebody. In a cluster it comes of the cluster's secret, by a
/// hash that makes guessing dear, since its use is seen by strangers; a node
/// alone (`cluster_secret` "") draws it once and keeps it in DIR/salt-secret.
///
/// Errors: io_error, corrupt (the file is none of ours).
[[nodiscard]] core::result<std::string>
salt_secret(storage::file_system& files, const std::filesystem::path& data,
            const storage::cluster_id& cluster,
            const std::string& cluster_secret);

} // namespace troupe::app
