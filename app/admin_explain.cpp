// SPDX-License-Identifier: Apache-2.0
// What would become of a publication of MQTT that is not made.
#include "actors/route_fan.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/admin_report.hpp"
#include "app/explanation.hpp"
#include "core/shard_key.hpp"
#include "net/mqtt_door.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {

namespace json = boost::json;

/// One explanation, until all who are asked for it have said. On the loop on
/// which the publication would be made.
struct admin::explaining {
  explaining(explain_question asked, net::responder to)
      : question(std::move(asked)), answer(std::move(to)) {}

  /// Somebody more is waited for.
  void wait() { ++missing; }
  void done() {
    if (--missing == 0)
      respond(answer, json_response(all));
  }
  void refuse(const core::error& why) { respond(answer, error_response(why)); }

  const explain_question question;
  net::responder answer;
  std::size_t missing = 0;
  json::object all;
  bool found = false; ///< of the nodes that may have the client: one has
};

namespace {

core::publication_limits limits_of(const actors::topics::topic_router& router) {
  return router.options().publication;
}

/// An object out of what another node, or a shard, has answered.
std::optional<json::object> object_in(const net::http_response& response) {
  boost::system::error_code bad;
  if (response.status != 200)
    return std::nullopt;
  auto body = json::parse(response.body, bad);
  if (bad || !body.is_object())
    return std::nullopt;
  return std::move(body.get_object());
}

/// What is sent to each of the other nodes: to all who listen there, and to
/// those whose turn it is in the first few shares.
std::map<core::node_id, explain_question::relayed>
frames_of(const topic_forecast& found, core::node_id self) {
  std::map<core::node_id, explain_question::relayed> all;
  for (const auto peer : found.live.peers)
    all[peer].for_all = true;
  for (const auto& [group, next] : found.live.shares) {
    if (next.node == self)
      continue;
    const auto [at, fresh] = all.try_emplace(next.node);
    if (fresh)
      at->second.for_all = false;
    if (at->second.turns.size() < explain_question::turns_max)
      at->second.turns.push_back({group.share, group.filter, next.which});
  }
  for (auto& [node, frame] : all) {
    frame.from = self.value();
    frame.as_of = found.what->queued_as_of;
    frame.sender = found.what->sender;
  }
  return all;
}

} // namespace

void admin::add_explain_routes() {
  route("GET", "/explain",
        [this](const net::http_request& r, net::responder a) {
          explain(r, std::move(a));
        });
}

void admin::explain(const net::http_request& request, net::responder answer) {
  auto question = explain_question::of(request);
  if (!question)
    return answer.send(error_response(question.error()));
  if (parts_.mqtt == nullptr)
    return answer.send(error_response({core::errc::not_found, "no MQTT here"}));
  auto work =
      std::make_shared<explaining>(std::move(*question), std::move(answer));
  if (work->question.received)
    return explain_received(std::move(work));
  if (!work->question.client.empty() && !work->question.user)
    return explain_as_client(std::move(work));
  explain_as_known(std::move(work));
}

// ------------------------------------------------------------------- as whom

/// With the rights that its session has, on its loop, if it is connected.
void admin::explain_as_client(std::shared_ptr<explaining> work) {
  const auto told = [this, work](std::optional<core::principal> who,
                                 std::uint64_t connection) {
    if (!who)
      return work->refuse({core::errc::not_found, work->question.client});
    explain_as(work, std::move(*who), connection);
  };
  if (parts_.mqtt->introduce(work->question.client, told))
    return;
  if (work->question.only_here)
    return work->refuse({core::errc::not_found, work->question.client});
  look_elsewhere(std::move(work));
}

/// At the other nodes: where it is connected its publications are made.
void admin::look_elsewhere(std::shared_ptr<explaining> work) {
  const auto nodes = nodes_to_ask();
  work->missing = nodes.size();
  auto asked = work->question;
  asked.only_here = true;
  const auto next = [this, work] {
    if (--work->missing == 0 && !work->found)
      explain_as_known(work);
  };
  for (std::size_t i = 1; i < nodes.size(); ++i)
    ask_node(nodes[i], asked.request(),
             [work, next](const net::http_response& response) {
               if (response.status == 200 && !std::exchange(work->found, true))
                 respond(work->answer, response);
               next();
             });
  next();
}

/// As the directory knows the user; of a client that is away, the one whose
/// session it is.
void admin::explain_as_known(std::shared_ptr<explaining> work) {
  const auto& asked = work->question;
  core::principal who;
  who.realm = asked.realm;
  who.client = asked.client;
  who.address = asked.address;
  auto go_on = [this, work, who](std::string uid) mutable {
    who.uid = std::move(uid);
    who.by = who.uid.empty() ? core::credential_kind::none
                             : core::credential_kind::device;
    // Nobody is let in or not by where he is.
    if (who.uid.empty() && who.address.empty())
      who.address = "127.0.0.1";
    explain_as(work, std::move(who), 0);
  };
  if (asked.user || asked.client.empty())
    return go_on(asked.user.value_or(""));
  const core::owner name{asked.realm, core::owner_kind::session, asked.client};
  ask_shard(
      parts_.engine.context().group_of(name), "sessions",
      {{"realm", asked.realm}, {"client", asked.client}},
      [go_on](const net::http_response& response) mutable {
        boost::system::error_code bad;
        const auto rows = json::parse(response.body, bad);
        std::string uid;
        if (!bad && rows.is_array() && !rows.get_array().empty())
          if (const auto* user =
                  rows.get_array().front().as_object().if_contains("user"))
            uid = user->as_string();
        go_on(std::move(uid));
      });
}

void admin::explain_as(std::shared_ptr<explaining> work, core::principal who,
                       std::uint64_t connection) {
  const auto& asked = work->question;
  auto what = asked.publication();
  if (!what)
    return work->refuse(what.error());
  what->publisher = connection;
  what->sender = who.uid;
  const auto& options = parts_.mqtt->options();
  auto verdict = verdict_on(parts_.engine.authorizer(), who, *what, asked,
                            options, limits_of(parts_.engine.topics()),
                            parts_.keys != nullptr && options.retained);
  verdict.said["connection"] =
      connection == 0 ? json::value{} : json::value(connection);
  auto& all = work->all;
  all["node"] = parts_.engine.identity().node.value();
  all["topic"] = asked.topic;
  all["qos"] = static_cast<unsigned>(asked.level);
  all["retain"] = asked.retain;
  all["published"] = verdict.published;
  all["why"] = verdict.why;
  all["publisher"] = std::move(verdict.said);
  if (!verdict.published)
    return respond(work->answer, json_response(all));
  foretell(std::move(work), std::move(*what));
}

// --------------------------------------------------------------- to whom

void admin::foretell(std::shared_ptr<explaining> work, core::publication what) {
  work->wait();
  const auto& asked = work->question;
  net::queue_terms terms;
  terms.qos = static_cast<std::uint8_t>(asked.level);
  terms.retain = asked.retain;
  terms.publisher = asked.client;
  if (asked.retain && parts_.keys != nullptr && parts_.mqtt->options().retained)
    ask_for_key(work);
  parts_.topics->foretell(std::move(what), terms, asked.rows,
                          [this, work](const topic_forecast& found) {
                            const auto rows = work->question.rows;
                            const auto self = parts_.engine.identity().node;
                            auto& all = work->all;
                            all["filters"] = filters_of(found.live, rows);
                            all["listeners"] = to_json(found.live.here);
                            all["shares"] = shares_of(found, self, rows);
                            all["sessions"] =
                                sessions_of(found, work->question.level, rows);
                            ask_other_nodes(work, found);
                            ask_their_shards(work, found);
                            work->done();
                          });
}

void admin::explain_received(std::shared_ptr<explaining> work) {
  auto what = work->question.publication();
  if (!what)
    return work->refuse(what.error());
  const auto& from = *work->question.received;
  parts_.engine.topics().foretell_received(
      {std::move(*what), from.for_all, from.turns}, work->question.rows,
      [this, work](const actors::topics::publish_forecast& found) {
        respond(work->answer,
                json_response(json::object{
                    {"node", parts_.engine.identity().node.value()},
                    {"filters", filters_of(found, work->question.rows)},
                    {"listeners", to_json(found.here)}}));
      });
}

/// Who does not answer is told of as this node knows it.
void admin::ask_other_nodes(const std::shared_ptr<explaining>& work,
                            const topic_forecast& found) {
  const auto frames = frames_of(found, parts_.engine.identity().node);
  json::array rows;
  for (const auto& [node, frame] : frames)
    rows.push_back({{"node", node.value()}, {"said", false}});
  work->all["nodes"] = std::move(rows);
  std::size_t place = 0;
  for (const auto& [node, frame] : frames) {
    auto asked = work->question;
    asked.received = frame;
    work->wait();
    ask_node(node, asked.request(),
             [work, at = place++](const net::http_response& response) {
               auto& row = work->all["nodes"].as_array()[at].as_object();
               if (auto told = object_in(response)) {
                 row["said"] = true;
                 row["filters"] = std::move((*told)["filters"]);
                 row["listeners"] = std::move((*told)["listeners"]);
               } else {
                 row["why"] = "no answer (" + std::to_string(response.status) +
                              "): as of this node's copy it listens";
               }
               work->done();
             });
  }
}

/// The sessions that are shown, each at the leader of its shard.
void admin::ask_their_shards(const std::shared_ptr<explaining>& work,
                             const topic_forecast& found) {
  const auto& asked = work->question;
  auto& rows = work->all["sessions"].as_object()["rows"].as_array();
  const auto weight = std::to_string(core::weight(actors::message_of(
      *found.what, static_cast<std::uint8_t>(asked.level), asked.retain)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& row = rows[i].as_object();
    const std::string client{row["client"].as_string()};
    const core::owner name{asked.realm, core::owner_kind::session, client};
    const auto group = parts_.engine.context().group_of(name);
    row["shard"] = group.value();
    row["said"] = false;
    work->wait();
    ask_shard(group, "sessions",
              {{"realm", asked.realm}, {"client", client}, {"weight", weight}},
              [work, i](const net::http_response& response) {
                auto& to = work->all["sessions"]
                               .as_object()["rows"]
                               .as_array()[i]
                               .as_object();
                boost::system::error_code bad;
                const auto told = json::parse(response.body, bad);
                if (response.status == 200 && !bad && told.is_array()) {
                  to["said"] = true;
                  if (told.get_array().empty())
                    to["why"] = "it has ended; its routes go";
                  else
                    add_record(to, told.get_array().front().as_object());
                }
                work->done();
              });
  }
}

/// What is there now, and who would replace it.
void admin::ask_for_key(const std::shared_ptr<explaining>& work) {
  const auto& asked = work->question;
  const auto& context = parts_.engine.context();
  const auto group =
      core::shard_of_key(asked.realm, asked.topic, shard_count());
  const auto known = context.leader_of(group);
  const auto leader =
      known == core::node_id{} ? context.announced.leader_of(group) : known;
  work->all["key"] =
      json::object{{"becomes", asked.bytes == 0 ? "cleared" : "set"},
                   {"shard", group.value()},
                   {"leader", leader.value()},
                   {"revision", nullptr},
                   {"said", false}};
  net::key_query what;
  what.realm = asked.realm;
  what.filter = core::topic_filter{*core::topic::parse(asked.topic)};
  work->wait();
  parts_.keys->read(std::move(what), [work](const net::kept_page& page) {
    auto& key = work->all["key"].as_object();
    key["said"] = page.unread == 0;
    if (!page.keys.empty())
      key["revision"] = page.keys.front().revision;
    work->done();
  });
}

} // namespace troupe::app
