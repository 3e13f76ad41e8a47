// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/errc.hpp"
#include "core/shared_bytes.hpp"

#include <capnp/list.h>

#include <cstddef>
#include <cstdint>
#include <schema/command.capnp.h>
#include <string>
#include <utility>
#include <vector>

/// Commands about publications, retained keys, sessions and routes, and what
/// their records share with them; for the _wire.cpp files of this folder. A
/// reader is given the words of its message: no list has more elements than fit
/// there. What reads answers ok, `broken` or malformed, newer_format.
namespace troupe::schema {

void write_headers(const std::vector<std::pair<std::string, std::string>>& from,
                   capnp::List<wire::Header>::Builder to);
[[nodiscard]] core::errc
read_headers(capnp::List<wire::Header>::Reader from, std::size_t words,
             core::errc broken,
             std::vector<std::pair<std::string, std::string>>& to);

/// Whether a post says something that only a publication to sessions can.
[[nodiscard]] bool is_publication(const core::append_message& command);
/// All but what a post has; that is in `to.post`.
void write_publication(const core::append_message& from,
                       wire::AppendPublication::Builder to);
/// All but the post and the recipients.
void read_publication(wire::AppendPublication::Reader from, core::message& to);
[[nodiscard]] core::errc read_recipient(wire::PublicationRecipient::Reader from,
                                        std::size_t words,
                                        core::inbox_recipient& to);

/// Without the payload, which is behind the message.
void write_key(const core::set_key& from, wire::SetKey::Builder to);
[[nodiscard]] core::errc read_key(wire::SetKey::Reader from, std::size_t words,
                                  core::set_key& to);

void write_will(const core::session_will& from, wire::SessionWill::Builder to);
[[nodiscard]] core::errc read_will(wire::SessionWill::Reader from,
                                   std::size_t words, core::errc broken,
                                   core::session_will& to);

using wire_packets = capnp::List<std::uint16_t>;
void write_packets(const std::vector<std::uint16_t>& from,
                   wire_packets::Builder to);
[[nodiscard]] core::errc read_packets(wire_packets::Reader from,
                                      std::size_t words, core::errc broken,
                                      std::vector<std::uint16_t>& to);

void write_policy(const core::session_policy& from,
                  wire::SessionPolicy::Builder to);
void read_policy(wire::SessionPolicy::Reader from, core::session_policy& to);

void write_route(const core::route& from, wire::Route::Builder to);
void read_route(wire::Route::Reader from, core::route& to);

void write_routes(const core::change_routes& from,
                  wire::ChangeRoutes::Builder to);
[[nodiscard]] core::errc read_routes(wire::ChangeRoutes::Reader from,
                                     std::size_t words,
                                     core::change_routes& to);

/// Commands of a shard that are for sessions or about keys; but set_key.
struct session_writer {
  wire::ShardCommand::Builder to;

  void operator()(const core::clear_key& c);
  void operator()(const core::set_key_policy& c);
  void operator()(const core::open_session& c);
  void operator()(const core::set_session_expiry& c);
  void operator()(const core::close_session_record& c);
  void operator()(const core::begin_receive& c);
  void operator()(const core::end_receive& c);
  void operator()(const core::delivered& c);
  void operator()(const core::completed& c);
  void operator()(const core::drop_will& c);
  void operator()(const core::drop_session& c);
  void operator()(const core::set_session_policy& c);
};
/// newer_format also for any other command.
[[nodiscard]] core::errc read_session_command(wire::ShardCommand::Reader from,
                                              std::size_t words,
                                              core::shard_command& to);

} // namespace troupe::schema
