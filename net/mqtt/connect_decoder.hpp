// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/decoder.hpp"
#include "net/mqtt/field_reader.hpp"

#include <optional>

/// The part of the decoder that is about CONNECT and CONNACK; decode() is what
/// others call.
namespace troupe::net::mqtt {

/// Reads protocol name and level; if they are wrong the reader says so.
std::optional<version> read_version(field_reader& in) noexcept;

/// REQUIRES: the reader is at the front and speaks the packet's version.
connect read_connect(field_reader& in, const decode_limits& limits);
connack read_connack(field_reader& in, const decode_limits& limits);

} // namespace troupe::net::mqtt
