// SPDX-License-Identifier: Apache-2.0
#include "app/admin.hpp"

#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"
#include "app/audit_admin.hpp"
#include "app/web_pages.hpp"
#include "net/admin_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <caf/send.hpp>

#include <future>
#include <utility>

namespace troupe::app {
namespace {

unsigned status_of(core::errc code) {
  switch (code) {
  case core::errc::user_unknown:
  case core::errc::device_unknown:
  case core::errc::alias_unknown:
  case core::errc::list_unknown:
  case core::errc::not_a_member:
  case core::errc::not_found:
    return 404;
  case core::errc::user_exists:
  case core::errc::device_exists:
  case core::errc::not_permitted:
  case core::errc::conflict:
    return 409;
  case core::errc::storage_full:
    return 507;
  case core::errc::overloaded:
  case core::errc::unavailable:
  case core::errc::not_leader:
  case core::errc::shutting_down:
    return 503;
  case core::errc::timed_out:
    return 504;
  case core::errc::too_large:
    return 413;
  default:
    return 400;
  }
}

} // namespace

void respond(const net::responder& answer, net::http_response response) {
  answer.home().post([answer, response = std::move(response)]() mutable {
    answer.send(std::move(response));
  });
}

net::http_response json_response(const boost::json::value& body,
                                 unsigned status) {
  net::http_response response;
  response.status = status;
  response.body = boost::json::serialize(body);
  return response;
}

net::http_response error_response(const core::error& why) {
  return json_response(
      {{"error", core::to_string(why.code)}, {"detail", why.detail}},
      status_of(why.code));
}

admin::admin(admin_parts parts)
    : parts_(parts), router_(std::make_shared<net::http_router>()) {
  operator_ = actors::runtime::spawn_pinned<actors::operator_actor,
                                            actors::operator_state>(
      parts_.engine.system(), &parts_.engine.scheduler().at(0),
      actors::operator_behavior,
      actors::operator_deps{&parts_.engine.context(), "default"});
  add_health_routes();
  add_actor_routes();
  add_unseen_routes();
  add_user_routes();
  add_list_routes();
  add_legacy_page();
  add_cluster_routes();
  add_shard_routes();
  add_worker_routes();
  add_mqtt_routes();
  add_explain_routes();
  add_key_routes();
  add_record_routes();
  add_topic_routes();
  add_channel_routes();
  add_rights_routes();
  add_page_routes();
  add_audit_routes();
  if (auto* member = parts_.engine.cluster())
    member->relay().serve([this](const auto& request, net::responder answer) {
      answer_relayed(request, std::move(answer));
    });
}

core::result<net::ip_endpoint> admin::listen(net::ip_endpoint where) {
  net::admin_options options;
  options.endpoint = std::move(where);
  options.token = parts_.token;
  for (const auto& page : web_pages()) // it asks for the token by itself
    options.open_paths.emplace_back(page.path);
  if (parts_.audit)
    options.audit = {&parts_.audit->log, {}};
  options.http.limits.body_bytes_max = std::size_t{512} << 20; // imports
  options.http.body_time = std::chrono::minutes{5};
  options.http.handler_time = std::chrono::minutes{5};
  return net::open_admin_server(parts_.network, router_, std::move(options));
}

admin::~admin() = default;

void admin::stop() {
  if (auto* member = parts_.engine.cluster())
    member->relay().serve(nullptr);
  background_.join();
  // Answers that are being gathered go from loop to loop; after one round
  // more than there are loops nobody holds `this` any more.
  const auto loops = parts_.engine.loops();
  for (std::size_t round = 0; round < loops.size() + 2; ++round)
    for (auto* loop : loops) {
      std::promise<void> passed;
      loop->post([&passed] { passed.set_value(); });
      passed.get_future().wait();
    }
  caf::anon_send(operator_, actors::retire{});
}

void admin::route(const char* method, const char* path, handler function) {
  // What only shows something changes nothing.
  if (parts_.audit && std::string_view{method} != "GET")
    function = audited(parts_.audit->log, std::move(function));
  router_->add(method, path, net::make_handler(std::move(function)));
}

void admin::order(std::function<void(actors::operator_state&)> work) {
  caf::anon_send(operator_, actors::operator_order{std::move(work)});
}

void admin::in_background(net::responder answer,
                          std::function<net::http_response()> work) {
  boost::asio::post(background_, [answer, work = std::move(work)] {
    respond(answer, work());
  });
}

} // namespace troupe::app
