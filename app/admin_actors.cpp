// SPDX-License-Identifier: Apache-2.0
// The live tree of actors, connections and groups.
#include "actors/attachment_table.hpp"
#include "actors/messages.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/client_gateway.hpp"
#include "core/name_path.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 10'000;

std::string to_text(const actors::runtime::registry_cursor& cursor) {
  return std::to_string(cursor.shard) + "." + std::to_string(cursor.slot);
}

std::optional<actors::runtime::registry_cursor>
cursor_of(std::string_view text) {
  if (text.empty())
    return actors::runtime::registry_cursor{};
  const auto dot = text.find('.');
  if (dot == std::string_view::npos)
    return std::nullopt;
  const auto shard = number_of<std::size_t>(text.substr(0, dot));
  const auto slot = number_of<std::size_t>(text.substr(dot + 1));
  if (!shard || !slot)
    return std::nullopt;
  return actors::runtime::registry_cursor{*shard, *slot};
}

json::object describe(const actors::runtime::actor_info& a,
                      core::timestamp now) {
  return {{"path", "/" + a.path},
          {"kind", a.kind},
          {"loop", a.loop},
          {"mailbox", a.mailbox_length},
          {"handled", a.messages_handled},
          {"dropped", a.messages_dropped},
          {"age_ms", core::to_millis(now) - core::to_millis(a.spawned)},
          {"last_error", a.last_error}};
}

/// Collects one page over as many loops as it takes.
struct walk : std::enable_shared_from_this<walk> {
  actors::runtime::scheduler& loops;
  const core::clock& clock;
  net::responder answer;
  actors::runtime::actor_query query;
  json::array found;
  std::size_t wanted = 0;

  walk(actors::runtime::scheduler& all, const core::clock& time,
       net::responder to)
      : loops(all), clock(time), answer(std::move(to)) {}

  void step() {
    query.entries_max = wanted - found.size();
    loops.list_actors(query, [self = shared_from_this()](
                                 actors::runtime::actor_page page) {
      const auto now = self->clock.wall();
      for (const auto& a : page.actors)
        self->found.push_back(describe(a, now));
      if (page.next && self->found.size() < self->wanted) {
        self->query.from = *page.next;
        return self->step();
      }
      json::object body{{"actors", std::move(self->found)}, {"next", nullptr}};
      if (page.next)
        body["next"] = to_text(*page.next);
      respond(self->answer, json_response(body));
    });
  }
};

std::string without_slash(std::string_view path) {
  return std::string{path.substr(path.empty() || path.front() != '/' ? 0 : 1)};
}

/// The words of a path, decoded.
std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> words;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    words.push_back(core::decode_path_segment(path.substr(0, end)));
    path.remove_prefix(std::min(path.size(), end + 1));
  }
  return words;
}

/// What all actors say alike stands beside their state, as in the list of
/// actors. What is passivated has no such part, but no mailbox either.
void lift_actor(json::object& known, json::object& state) {
  if (const auto* kind = state.if_contains("kind"))
    known["kind"] = *kind;
  auto* of = &state; // an inbox or a list: its actor is one part of it
  if (auto* live = state.if_contains("live"); live && live->is_object())
    of = &live->get_object();
  const auto* actor = of->if_contains("actor");
  if (actor == nullptr || !actor->is_object())
    return;
  for (const auto& [name, value] : actor->get_object())
    known[name] = value;
  of->erase("actor");
}

void give_state(const net::responder& answer, const std::string& path,
                const core::result<std::string>& state) {
  if (!state)
    return respond(answer, error_response(state.error()));
  if (state->empty())
    return respond(answer, error_response({core::errc::not_found, path}));
  boost::system::error_code failed;
  auto parsed = json::parse(*state, failed);
  if (failed || !parsed.is_object())
    return respond(answer, error_response({core::errc::corrupt, path}));
  json::object known{{"path", path}, {"kind", nullptr}, {"mailbox", 0}};
  lift_actor(known, parsed.get_object());
  known["state"] = std::move(parsed);
  respond(answer, json_response(known));
}

/// "/channels/REALM/LEVEL/LEVEL…"; null if it does not live.
actors::channel_actor find_channel(const actors::channels::channel_host& all,
                                   std::string_view path) {
  path.remove_prefix(std::string_view{"/channels/"}.size());
  const auto slash = std::min(path.find('/'), path.size());
  const auto realm = core::decode_path_segment(path.substr(0, slash));
  path.remove_prefix(std::min(slash + 1, path.size()));
  // As it is listed; or as a topic is spelled, where a '%' stands for itself.
  if (auto found = all.find(realm, core::decode_path_segment(path)))
    return found;
  return all.find(realm, path);
}

} // namespace

void admin::add_actor_routes() {
  route("GET", "/actors", [this](const net::http_request& r, net::responder a) {
    list_actors(r, std::move(a));
  });
  route("GET", "/actors/*",
        [this](const net::http_request& r, net::responder a) {
          show_actor(r, std::move(a));
        });
  route("GET", "/sessions",
        [this](const net::http_request& r, net::responder a) {
          list_sessions(r, std::move(a));
        });
  route("DELETE", "/sessions/*",
        [this](const net::http_request& r, net::responder a) {
          end_session(r, std::move(a));
        });
}

void admin::list_actors(const net::http_request& request,
                        net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  const auto cursor = cursor_of(request.query_value("after").value_or(""));
  if (!limit || !cursor)
    return answer.send(net::http_error(
        400, "limit is a number from 1 to 10000, after what 'next' gave"));
  auto work = std::make_shared<walk>(parts_.engine.scheduler(),
                                     parts_.engine.clock(), answer);
  work->wanted = *limit;
  work->query.from = *cursor;
  work->query.path_prefix =
      without_slash(request.query_value("prefix").value_or(""));
  work->step();
}

/// What the registry knows of one path, then what its actor says.
void admin::show_actor(const net::http_request& request,
                       net::responder answer) {
  const auto path = request.path.substr(std::string_view{"/actors"}.size());
  const auto words = segments(without_slash(path));
  auto done = [answer, path](const core::result<std::string>& state) {
    give_state(answer, path, state);
  };
  auto& context = parts_.engine.context();
  if (words.size() >= 2 && words[0] == "channels") {
    const auto channel = find_channel(parts_.engine.channels(), path);
    if (!channel)
      return answer.send(error_response({core::errc::not_found, path}));
    return order([channel, done](actors::operator_state& op) {
      op.ask(channel, actors::inspect{}, done);
    });
  }
  if (words.size() == 4 && words[0] == "realms" &&
      (words[2] == "inboxes" || words[2] == "sessions")) {
    core::owner inbox{words[1],
                      words[2] == "inboxes" ? core::owner_kind::user
                                            : core::owner_kind::session,
                      words[3]};
    return order([inbox, done, &context](actors::operator_state& op) {
      op.ask(context.shard(context.group_of(inbox)),
             actors::inspect_inbox{inbox}, done);
    });
  }
  if (words.size() == 4 && words[0] == "realms" && words[2] == "lists")
    return order([words, done, &context](actors::operator_state& op) {
      op.ask(context.directory_handle, actors::inspect_list{words[1], words[3]},
             done);
    });
  if (words.size() == 1 && words[0] == "directory")
    return order([done, &context](actors::operator_state& op) {
      op.ask(context.directory_handle, actors::inspect{}, done);
    });
  if (words.size() == 1 && words[0] == "membership" &&
      context.membership_handle)
    return order([done, &context](actors::operator_state& op) {
      op.ask(context.membership_handle, actors::inspect{}, done);
    });
  if (words.size() == 2 && words[0] == "shards") {
    const auto number = number_of<std::uint16_t>(words[1]);
    if (number && *number >= 1 && *number <= context.shards.size())
      return order([number, done, &context](actors::operator_state& op) {
        op.ask(context.shard(core::group_id{*number}), actors::inspect{}, done);
      });
  }
  if (words.size() == 2 &&
      (words[0] == "couriers" || words[0] == "desks" || words[0] == "keys"))
    return show_of_loop(words, std::move(answer));
  if (words.size() == 2 && words[0] == "clients" && parts_.clients != nullptr)
    if (const auto number = number_of<std::uint64_t>(words[1]))
      if (auto client = parts_.clients->find(*number))
        return order([client, done](actors::operator_state& op) {
          op.ask(client, actors::inspect{}, done);
        });
  if (words.size() == 2 && words[0] == "sessions")
    if (const auto number = number_of<std::uint64_t>(words[1]))
      return show_session(*number, std::move(answer));
  if (words.size() == 4 && words[0] == "nodes" && context.attachments)
    return show_proxy(words, std::move(answer));
  if (words.size() == 1 && words[0] == "operator")
    return order([done](actors::operator_state& op) { done(op.describe()); });
  answer.send(error_response({core::errc::not_found, path}));
}

/// Of those of which each loop has one.
void admin::show_of_loop(const std::vector<std::string>& words,
                         net::responder answer) {
  const auto path = "/" + words[0] + "/" + words[1];
  auto done = [answer, path](const core::result<std::string>& state) {
    give_state(answer, path, state);
  };
  const auto& context = parts_.engine.context();
  const auto loop = number_of<std::size_t>(words[1]);
  if (loop && words[0] == "couriers" && *loop < context.couriers.size())
    return order(
        [actor = context.couriers[*loop], done](actors::operator_state& op) {
          op.ask(actor, actors::inspect{}, done);
        });
  if (loop && words[0] == "desks" && *loop < context.desks.size())
    return order(
        [actor = context.desks[*loop], done](actors::operator_state& op) {
          op.ask(actor, actors::inspect{}, done);
        });
  if (loop && words[0] == "keys" && *loop < context.key_actors.size())
    return order(
        [actor = context.key_actors[*loop], done](actors::operator_state& op) {
          op.ask(actor, actors::inspect{}, done);
        });
  answer.send(error_response({core::errc::not_found, path}));
}

/// What stands here for an inbox, or a session, of another node.
void admin::show_proxy(const std::vector<std::string>& words,
                       net::responder answer) {
  const auto path = "/nodes/" + words[1] + "/" + words[2] + "/" + words[3];
  auto done = [answer, path](const core::result<std::string>& state) {
    give_state(answer, path, state);
  };
  const auto node = number_of<std::uint32_t>(words[1]);
  const auto number = number_of<std::uint64_t>(words[3]);
  const auto& table = *parts_.engine.context().attachments;
  if (node && number && words[2] == "inboxes")
    if (auto proxy = table.find_inbox(*number))
      return order([proxy, done](actors::operator_state& op) {
        op.ask(proxy, actors::inspect{}, done);
      });
  if (node && number && words[2] == "sessions")
    if (auto proxy = table.find_session(core::node_id{*node}, *number))
      return order([proxy, done](actors::operator_state& op) {
        op.ask(proxy, actors::inspect{}, done);
      });
  answer.send(error_response({core::errc::not_found, path}));
}

void admin::show_session(std::uint64_t number, net::responder answer) {
  // Each loop knows its own sessions only; ask one after the other.
  struct search : std::enable_shared_from_this<search> {
    admin* self = nullptr;
    std::vector<actors::runtime::loop*> loops;
    std::uint64_t number = 0;
    net::responder answer;
    explicit search(net::responder to) : answer(std::move(to)) {}
    void step(std::size_t i) {
      const auto path = "/sessions/" + std::to_string(number);
      if (i == loops.size())
        return respond(answer, error_response({core::errc::not_found, path}));
      loops[i]->post([me = shared_from_this(), i, path] {
        auto session = me->self->parts_.gateway.find(i, me->number);
        if (!session)
          return me->step(i + 1);
        me->self->order([session, path, me](actors::operator_state& op) {
          op.ask(session, actors::inspect{},
                 [me, path](const core::result<std::string>& state) {
                   give_state(me->answer, path, state);
                 });
        });
      });
    }
  };
  auto work = std::make_shared<search>(std::move(answer));
  work->self = this;
  work->loops = parts_.engine.loops();
  work->number = number;
  work->step(0);
}

/// Those of this process, then those of its workers.
void admin::list_connections(
    actors::runtime::loop& home,
    std::function<void(std::vector<workers::worker_connection>)> done) const {
  parts_.network.list_connections(
      home, [this, &home,
             done = std::move(done)](std::vector<net::connection_view> own) {
        std::vector<workers::worker_connection> all;
        for (auto& view : own)
          all.push_back({std::nullopt, std::move(view)});
        if (parts_.workers == nullptr)
          return done(std::move(all));
        parts_.workers->list_connections(
            home, [all = std::move(all),
                   done](std::vector<workers::worker_connection> more) mutable {
              std::move(more.begin(), more.end(), std::back_inserter(all));
              done(std::move(all));
            });
      });
}

void admin::end_session(const net::http_request& request,
                        net::responder answer) {
  const auto words = segments(without_slash(request.path));
  const auto number = words.size() == 2 ? number_of<std::uint64_t>(words[1])
                                        : std::optional<std::uint64_t>{};
  if (!number)
    return answer.send(net::http_error(400, "a session has a number"));
  const net::connection_id which{*number};
  auto say = [answer, number = *number](bool found) {
    if (found)
      return respond(answer, json_response(json::object{{"ended", number}}));
    respond(answer, error_response({core::errc::not_found,
                                    "session " + std::to_string(number)}));
  };
  parts_.network.dismiss(which, answer.home(),
                         [this, answer, which, say](bool found) {
                           if (found || parts_.workers == nullptr)
                             return say(found);
                           parts_.workers->dismiss(which, answer.home(), say);
                         });
}

void admin::list_sessions(const net::http_request& request,
                          net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  const auto after =
      number_of<std::uint64_t>(request.query_value("after").value_or("0"));
  if (!limit || !after)
    return answer.send(net::http_error(
        400, "limit is a number from 1 to 10000, after what 'next' gave"));
  struct gathering {
    std::unordered_map<std::uint64_t, actor_gateway::identity> users;
  };
  auto all = std::make_shared<gathering>();
  auto loops = parts_.engine.loops();
  auto finish = [this, answer, all, limit, after] {
    list_connections(
        answer.home(), [this, answer, all, limit,
                        after](std::vector<workers::worker_connection> found) {
          std::sort(found.begin(), found.end(),
                    [](const auto& a, const auto& b) {
                      return a.view.info.id < b.view.info.id;
                    });
          const auto now = parts_.engine.clock().now();
          json::array rows;
          json::value next = nullptr;
          for (const auto& [worker, v] : found) {
            if (v.info.id.value() <= *after || v.info.protocol == "http")
              continue;
            if (rows.size() == *limit) {
              next = rows.back().at("id");
              break;
            }
            json::object row{
                {"id", v.info.id.value()},
                {"protocol", v.info.protocol},
                {"address", net::to_string(v.info.peer)},
                {"tls", v.info.tls},
                {"loop", v.loop},
                {"age_ms",
                 std::chrono::duration_cast<std::chrono::milliseconds>(
                     now - v.info.opened)
                     .count()}};
            if (worker) {
              row["worker"] = *worker;
            } else {
              row["bytes_in"] = v.bytes_in;
              row["bytes_out"] = v.bytes_out;
              row["output_waiting"] = v.output_waiting;
            }
            if (auto who = all->users.find(v.info.id.value());
                who != all->users.end()) {
              row["uid"] = who->second.uid;
              row["device"] = who->second.device;
            }
            rows.push_back(std::move(row));
          }
          if (!next.is_null())
            next = std::to_string(next.to_number<std::uint64_t>());
          respond(answer, json_response(json::object{
                              {"sessions", std::move(rows)}, {"next", next}}));
        });
  };
  // Loop by loop, then back.
  auto step = std::make_shared<std::function<void(std::size_t)>>();
  *step = [this, all, loops, finish, answer,
           weak = std::weak_ptr{step}](std::size_t i) {
    auto again = weak.lock();
    if (i == loops.size())
      return answer.home().post(finish);
    loops[i]->post([this, all, i, again] {
      all->users.merge(parts_.gateway.identities(i));
      (*again)(i + 1);
    });
  };
  (*step)(0);
}

} // namespace troupe::app
