// SPDX-License-Identifier: Apache-2.0
// What one shard's tables say, from whichever node keeps them.
#include "actors/messages.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/inner_request.hpp"
#include "app/unseen_users.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// "/shards/{group}/{rest}".
struct shard_path {
  core::group_id group;
  std::string_view rest;
};

std::optional<shard_path> shard_path_of(std::string_view path,
                                        std::uint16_t shards) {
  path.remove_prefix(std::string_view{"/shards/"}.size());
  const auto slash = path.find('/');
  const auto group = number_of<std::uint16_t>(path.substr(0, slash));
  if (!group || *group == 0 || *group > shards ||
      slash == std::string_view::npos)
    return std::nullopt;
  return shard_path{core::group_id{*group}, path.substr(slash + 1)};
}

core::error not_kept(core::group_id group) {
  return {core::errc::unavailable, "this node keeps no replica of shard " +
                                       std::to_string(group.value())};
}

} // namespace

void admin::add_shard_routes() {
  route("GET", "/shards/*",
        [this](const net::http_request& r, net::responder a) {
          show_in_shard(r, std::move(a));
        });
}

bool admin::keeps_group(core::group_id group) {
  return parts_.engine.cluster() == nullptr ||
         parts_.engine.context().views[group.value()].role.load() !=
             actors::replica_role::none;
}

/// What the replica here says; other nodes ask for it when they have none.
void admin::show_in_shard(const net::http_request& request,
                          net::responder answer) {
  const auto where = shard_path_of(request.path, shard_count());
  if (!where)
    return answer.send(error_response({core::errc::not_found, request.path}));
  if (!keeps_group(where->group))
    return answer.send(error_response(not_kept(where->group)));
  constexpr std::string_view inboxes = "inboxes/";
  if (where->rest.starts_with(inboxes))
    return show_inbox(where->group,
                      std::string{where->rest.substr(inboxes.size())},
                      std::move(answer));
  if (where->rest == "sessions")
    return list_in_shard(where->group, request, std::move(answer));
  const auto asked = unseen_question::of(request);
  if (where->rest != "inactive" || !asked)
    return answer.send(error_response({core::errc::not_found, request.path}));
  in_background(answer, [this, group = where->group, asked = *asked] {
    return json_response(to_json(read_unseen(
        parts_.engine.state(), group, asked, parts_.engine.clock().wall())));
  });
}

void admin::show_inbox(core::group_id group, const std::string& uid,
                       net::responder answer) {
  auto& context = parts_.engine.context();
  const core::owner inbox{std::string{admin_realm}, core::owner_kind::user,
                          uid};
  order([inbox, group, answer, &context](actors::operator_state& op) {
    op.ask(context.shard(group), actors::inspect_inbox{inbox},
           [answer](core::result<std::string> state) {
             if (!state)
               return respond(answer, error_response(state.error()));
             boost::system::error_code bad;
             auto body = json::parse(*state, bad);
             respond(answer, json_response(bad ? json::object{} : body));
           });
  });
}

/// Records of MQTT's sessions.
void admin::list_in_shard(core::group_id group,
                          const net::http_request& request,
                          net::responder answer) {
  actors::inspect_sessions page;
  page.realm = request.query_value("realm").value_or(admin_realm);
  page.after = request.query_value("after").value_or("");
  page.only = request.query_value("client").value_or("");
  page.weight =
      number_of<std::uint64_t>(request.query_value("weight").value_or("0"))
          .value_or(0);
  page.count_max = limit_of(request, page.count_max, 10'000).value_or(0);
  auto& context = parts_.engine.context();
  order([page, group, answer, &context](actors::operator_state& op) {
    op.ask(context.shard(group), page,
           [answer](core::result<std::string> rows) {
             if (!rows)
               return respond(answer, error_response(rows.error()));
             boost::system::error_code bad;
             auto body = json::parse(*rows, bad);
             respond(answer, json_response(bad ? json::array{} : body));
           });
  });
}

void admin::ask_shard(core::group_id group, std::string_view path,
                      http_query query, http_reply then) {
  net::http_request request;
  request.method = "GET";
  request.path =
      "/shards/" + std::to_string(group.value()) + "/" + std::string{path};
  request.query = std::move(query);
  run_inner_request(
      [this, group](const net::http_request& r, net::responder a) {
        const auto& context = parts_.engine.context();
        if (keeps_group(group))
          return show_in_shard(r, std::move(a));
        const auto leader = context.announced.leader_of(group);
        if (leader == core::node_id{})
          return a.send(error_response(not_kept(group)));
        parts_.engine.cluster()->relay().ask(leader, r, std::move(a));
      },
      request, std::move(then));
}

} // namespace troupe::app
