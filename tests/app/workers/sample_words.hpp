// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/words.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app::workers {

inline core::message sample_message(std::size_t payload_bytes) {
  core::message m;
  m.id = {1'700'000'000'123, 77};
  m.realm = "r";
  m.sender = "alice";
  m.created = core::from_millis(1'700'000'000'123);
  m.expires = core::from_millis(1'800'000'000'000);
  m.content_type = "text/plain";
  m.headers = {{"key", "value"}, {"empty", ""}};
  m.meta = core::shared_bytes::copy_of("{}");
  m.payload = core::shared_bytes::copy_of(std::string(payload_bytes, 'p'));
  return m;
}

inline word large_delivery(std::size_t payload_bytes) {
  return words::event{3, core::delivery{core::inbox_position{4},
                                        std::make_shared<const core::message>(
                                            sample_message(payload_bytes))}};
}

inline core::publication_ptr sample_publication(std::size_t payload_bytes) {
  core::publication p;
  p.topic = *core::topic::parse("a/b");
  p.node = core::node_id{3};
  p.publisher = 4;
  p.number = 1ULL << 40;
  p.sender = "alice";
  p.content_type = "text/plain";
  p.headers = {{"zenconn-from", "x"}, {"empty", ""}};
  p.payload = core::shared_bytes::copy_of(std::string(payload_bytes, 'p'));
  return std::make_shared<const core::publication>(std::move(p));
}

/// Of the channels, both ways.
inline std::vector<word> sample_seat_words() {
  using net::msgbus::deed;
  using ruled = net::msgbus::ruling::kind;
  net::msgbus::wish post;
  post.what = deed::publish;
  post.authorization = "Basic YTpi";
  post.channel = "a/b";
  post.type = "text/plain";
  post.body = core::shared_bytes::copy_of(std::string(5000, 'b'));
  net::msgbus::wish listen;
  listen.what = deed::subscribe;
  listen.poll = true;
  listen.since = net::msgbus::message_mark{1, 2};
  listen.filters = "* a/*";
  net::zenconn::answer received;
  received.what = net::zenconn::answer::kind::received;
  received.channel = "a";
  received.count = 1ULL << 33;
  received.missing = 2;
  net::zenconn::answer refused;
  refused.what = net::zenconn::answer::kind::error;
  refused.errors = {"no data", ""};
  return {
      words::bus_wish{6, 7, post},
      words::bus_wish{6, 8, listen},
      words::knock{6, 9, {"a.b.c", net::zenconn::spelling::binary}},
      words::request{9,
                     {net::zenconn::request::kind::broadcast, "a", "", "{}"}},
      words::request{
          9, {net::zenconn::request::kind::subscribe, "private.a", "t", ""}},
      words::seat_left{9, "the client closed"},
      words::bus_ruling{7, ruled::large, "alice", false, {}},
      words::bus_ruling{8,
                        ruled::granted,
                        "",
                        true,
                        {sample_publication(3), sample_publication(5000)}},
      words::welcome{9, net::zenconn::welcome::kind::no_login,
                     core::deny_reason::expired, ""},
      words::welcome{9, net::zenconn::welcome::kind::let_in,
                     core::deny_reason::none, "anna"},
      words::answer{9, received},
      words::answer{9, refused},
      words::published{{7, 8, 1ULL << 50}, sample_publication(5000)},
      words::channel_event{{9}, "private.a", sample_publication(0)},
      words::seat_over{9, 1008, "revoked"}};
}

/// One of each kind at least, with and without what is optional.
inline std::vector<word> sample_words() {
  const core::error failure{core::errc::user_exists, "bob"};
  core::outgoing_message out;
  out.meta = core::shared_bytes::copy_of("etc");
  out.payload = core::shared_bytes::copy_of(std::string(4096, 'o'));
  out.time_to_live = core::milliseconds{1500};
  words::commands batch;
  batch.client = 9;
  batch.items.emplace_back(core::register_user{1, "bob", "n0", {"a", "b"}});
  batch.items.emplace_back(core::change_aliases{2, "bob", {}});
  batch.items.emplace_back(core::add_device{3, "bob", "n1", "n0"});
  batch.items.emplace_back(core::login{4, "bob", "n0", 8, std::nullopt});
  batch.items.emplace_back(
      core::login{5, "bob", "n0", 8, core::inbox_position{6}});
  batch.items.emplace_back(
      core::post{6,
                 {{"carol", core::recipient_kind::one_device}, {"list", {}}},
                 out,
                 false,
                 "once"});
  batch.items.emplace_back(core::post{7, {}, {}, true, std::nullopt});
  batch.items.emplace_back(
      core::post_to_alias{8, "al", out, true, std::nullopt});
  batch.items.emplace_back(
      core::edit_list{9, "friends", core::list_edit_kind::invite, "al", out});
  batch.items.emplace_back(core::acknowledge{core::inbox_position{10}});
  batch.items.emplace_back(core::close_session{});
  words::counts counts;
  counts.totals.accepted = 5;
  counts.totals.bytes_out = 1ULL << 40;
  counts.totals.refused[3] = 2;
  counts.totals.open_by_protocol = {{"mq", 3}, {"mq-ws", 1}};
  counts.channels.delivered = 1ULL << 41;
  counts.channels.refused_login = 9;
  core::posted accepted;
  accepted.request = 6;
  accepted.accepted = true;
  accepted.id = core::message_id{12, 34};
  core::posted refused;
  refused.failures = {failure, {core::errc::inbox_full, "carol"}};
  std::vector<word> all = {
      words::beat{},
      words::configure{protocol_version,
                       2,
                       {{"mq.window_max", "8"}, {"listen.tls", ""}},
                       {door_kind::all, door_kind::tls, door_kind::channels}},
      words::event{1, core::user_registered{2, failure, {"x", ""}}},
      words::event{1, core::device_added{2, {}, core::device_offset{3}}},
      words::event{1, core::device_added{2, failure, std::nullopt}},
      words::event{
          1,
          core::logged_in{
              2, {}, core::resume_outcome::gap, core::inbox_position{7}, 16}},
      words::event{1, accepted},
      words::event{1, refused},
      words::event{1, core::list_edited{4, failure}},
      large_delivery(0),
      large_delivery(5000),
      words::event{1, core::session_ended{{core::errc::shutting_down, {}}}},
      words::refused{5, net::refusal::accept_rate},
      words::reload{},
      words::drain{},
      words::stop{},
      words::ready{},
      counts,
      words::opened{6, "192.0.2.1:4711", "[::1]:80"},
      words::speaks{6, "mq-ws", true, "CN=somebody"},
      batch,
      words::closed{6, 100, 1ULL << 33}};
  for (auto& each : sample_seat_words())
    all.push_back(std::move(each));
  return all;
}

} // namespace troupe::app::workers
