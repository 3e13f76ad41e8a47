// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/broker.hpp"
#include "app/settings.hpp"
#include "core/result.hpp"
#include "storage/audit/recorder.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace troupe::app {

/// DIR/audit.
[[nodiscard]] std::filesystem::path audit_folder(const broker& engine);

/// The audit log of a node by its settings. `news`: level, text; on its
/// thread. Errors are those of recorder::open(), invalid_config for the key.
core::result<std::unique_ptr<storage::audit::recorder>>
open_audit(const settings& from, const broker& engine,
           std::function<void(std::string_view, std::string_view)> news);

} // namespace troupe::app
