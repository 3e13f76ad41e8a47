// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "schema/record_wire.hpp"
#include "tests/support/sample_commands.hpp"

#include <tuple>

namespace troupe::test {

inline core::inbox_head sample_head() {
  core::inbox_head head;
  head.number = 1;
  head.first = core::inbox_position{2};
  head.last = core::inbox_position{3};
  head.count = 4;
  head.bytes = 5;
  head.singles = 6;
  head.lost = core::inbox_position{7};
  head.cursors = {{core::device_offset{0},
                   core::inbox_position{8},
                   core::from_millis(9),
                   {}},
                  {core::device_offset{99},
                   core::inbox_position{10},
                   core::from_millis(-11),
                   {{core::device_offset{0}, core::inbox_position{12}}}}};
  return head;
}

/// One of each kind, every field with something of its own. The position of
/// an entry is not in its record.
inline const auto sample_records = std::tuple{
    sample_head(),
    core::inbox_entry{{},
                      core::log_index{1},
                      2,
                      true,
                      core::device_offset{3},
                      core::from_millis(4),
                      5},
    core::owner{"other", core::owner_kind::session, "name"},
    core::origin_record{1, {2, 1ULL << 63}, core::from_millis(3)},
    schema::deduplicated_record{{1, 2}, core::from_millis(3), "key"},
    core::inbox_policy{1, 2, core::overflow_policy::drop_oldest,
                       core::milliseconds{3}, core::milliseconds{4},
                       core::milliseconds{5}, core::milliseconds{6}},
    schema::number_record{1ULL << 63},
    core::user_record{core::from_millis(1),
                      {{core::device_offset{0}, "n0", core::from_millis(2), {}},
                       {core::device_offset{1}, "n1", core::from_millis(3),
                        core::device_offset{0}}},
                      {"al", "ice"}},
    schema::alias_record{"alice"},
    core::list_record{core::from_millis(1), 2},
    core::list_member{core::membership::invited, "alias", core::from_millis(1)},
    core::realm_totals{1, 2, 3, 4},
    schema::mark_record{},
    core::node_record{"one", "host:1", 2, core::node_state::draining, "token",
                      core::from_millis(3)},
    schema::replicas_record{{core::node_id{1}, core::node_id{7}}},
    core::cluster_record{core::node_id{9}, 2},
    core::account_record{"$argon2id$x",
                         core::log_index{7},
                         {"editor", "x"},
                         {{core::right::publish, "a/%u/#"}},
                         {"id1", "id2"},
                         "SCRAM-SHA-256$4096:x$y:z"},
    core::role_record{
        {{core::right::subscribe, "#"}, {core::right::admin, "a/+"}}},
    core::token_record{"other",
                       "alice",
                       "hash",
                       "for the lamp",
                       core::from_millis(1),
                       core::from_millis(2),
                       {"editor"},
                       {{core::right::call, "p"}}},
    core::ban_record{core::from_millis(1), core::from_millis(2), "floods"},
    core::rights_totals{1, 2},
    core::inbox_entry{{}, core::log_index{1}, 0, false, {}, {}, 5, 6},
    schema::retained_key_record{
        {core::log_index{1}, core::from_millis(2), core::from_millis(3), 4},
        "a/b"},
    schema::key_place_record{"other", "a/b"},
    core::key_policy{1, 2},
    core::session_record{"alice", 1, 2, core::from_millis(3), "mqtt5",
                         core::milliseconds{4}, 5, core::from_millis(6),
                         sample_will(), true, true},
    core::session_packets{{{1, 2}, {65'535, 1ULL << 63}}, {3, 1, 65'535}},
    core::session_policy{1, 2, 3, true},
    core::session_routes{1, 2},
    core::route{{"a/+", "workers"}, {2, true, true, 268'435'455}},
    core::route_totals{1, 2}};

template <class Visit>
void each_sample(const Visit& visit) {
  std::apply([&](const auto&... sample) { (visit(sample), ...); },
             sample_records);
}

} // namespace troupe::test
