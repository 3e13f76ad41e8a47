// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/errc.hpp"
#include "core/shared_bytes.hpp"
#include "schema/flat_wire.hpp"
#include "schema/record_wire.hpp"

#include <cstddef>

/// The front of every record, for the files that write the rest.
namespace troupe::schema {

/// A record of a message that `fill` builds.
[[nodiscard]] core::shared_bytes
write_record(record_kind kind, function_ref<void(capnp::MessageBuilder&)> fill);
/// A record that is all prefix.
[[nodiscard]] core::shared_bytes write_mark(record_kind kind);

/// Lets `read` look at the message of a record of that kind; answers ok,
/// corrupt, newer_format.
[[nodiscard]] core::errc read_record(
    core::bytes_view record, record_kind kind,
    function_ref<core::errc(capnp::MessageReader&, std::size_t words)> read);
/// ok if it is a record of that kind that is all prefix.
[[nodiscard]] core::errc read_mark(core::bytes_view record, record_kind kind);

} // namespace troupe::schema
