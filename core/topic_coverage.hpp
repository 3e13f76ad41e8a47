// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/topic_filter.hpp"

namespace troupe::core {

/// Whether every topic that `narrow` matches is matched by `wide`: who may
/// hear `wide` may subscribe to `narrow`. Never true if it is not so; of two
/// filters whose wildcards stand in another order (+/# and #/+) it may say
/// false though it is so.
///
/// Costs at most the product of the numbers of levels; asked at subscriptions,
/// not at messages.
[[nodiscard]] bool covers(const topic_filter& wide, const topic_filter& narrow);

} // namespace troupe::core
