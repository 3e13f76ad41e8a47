// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

/// A publication on its way to another node; docs/formats/interest-frames.md
/// has every byte.
namespace troupe::actors::topics {

/// Without its node, which the link knows. REQUIRES: check() is fine with it.
[[nodiscard]] core::shared_bytes encode(const core::publication& p);

/// Errors: corrupt, newer_format, malformed, and those of check(). Never
/// throws. A payload that is most of the frame is a slice of it.
[[nodiscard]] core::result<core::publication>
decode_publication(const core::shared_bytes& frame,
                   const core::publication_limits& limits);

} // namespace troupe::actors::topics
