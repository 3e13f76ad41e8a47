// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/errc.hpp"
#include "core/grant.hpp"
#include "core/rights_command.hpp"

#include <capnp/list.h>

#include <cstddef>
#include <schema/command.capnp.h>
#include <string>
#include <vector>

/// Commands about rights, and what their records share with them; for the
/// _wire.cpp files of this folder. A reader is given the words of its message:
/// no list has more elements.
namespace troupe::schema {

using wire_names = capnp::List<capnp::Data>;
using wire_grants = capnp::List<wire::Grant>;

void write_names(const std::vector<std::string>& from, wire_names::Builder to);
void write_grants(const std::vector<core::grant>& from,
                  wire_grants::Builder to);
/// ok, or `broken` for more than a message can hold.
[[nodiscard]] core::errc read_names(wire_names::Reader from, std::size_t words,
                                    core::errc broken,
                                    std::vector<std::string>& to);
/// The same, or newer_format.
[[nodiscard]] core::errc read_grants(wire_grants::Reader from,
                                     std::size_t words, core::errc broken,
                                     std::vector<core::grant>& to);

void write_rights(const core::rights_command& from,
                  wire::RightsCommand::Builder to);
/// ok, malformed, newer_format.
[[nodiscard]] core::errc read_rights(wire::RightsCommand::Reader from,
                                     std::size_t words,
                                     core::rights_command& to);

} // namespace troupe::schema
