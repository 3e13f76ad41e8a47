// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/type_id.hpp>

namespace troupe::actors::runtime {

/// Where the block of message types of the layers above begins: the runtime
/// itself sends functions, not messages.
inline constexpr caf::type_id_t type_ids_end = caf::first_custom_type_id;

} // namespace troupe::actors::runtime
