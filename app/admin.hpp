// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/handles.hpp"
#include "actors/operator_actor.hpp"
#include "app/broker.hpp"
#include "app/gateway.hpp"
#include "app/inner_request.hpp"
#include "app/session_records.hpp"
#include "app/topic_gateway.hpp"
#include "app/unseen_users.hpp"
#include "app/workers/pool.hpp"
#include "core/cluster_command.hpp"
#include "core/rights_store.hpp"
#include "net/http_router.hpp"
#include "net/identity/node_authenticator.hpp"
#include "net/ip_endpoint.hpp"
#include "net/key_space.hpp"
#include "net/mqtt_door.hpp"
#include "net/msgbus/bus_stats.hpp"
#include "net/network.hpp"
#include "net/zenconn_desk.hpp"
#include "storage/audit/recorder.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

class client_gateway;

/// The audit log of a node, and where it lies.
struct audit_parts {
  storage::file_system& files;
  std::filesystem::path folder;
  storage::audit::recorder& log;
};

/// What the admin listener looks into; all outlives it.
struct admin_parts {
  broker& engine;
  const actor_gateway& gateway;
  net::network& network;
  const workers::pool* workers; ///< null: the node serves clients itself
  std::string token;            ///< "" = none is asked for
  net::identity::node_authenticator& logins;
  const net::msgbus::bus_stats* channels;
  const net::zenconn_desk* zenconn; ///< null: it is not served
  const session_records* records;   ///< null: no sessions of that door here
  net::mqtt_door* mqtt = nullptr;   ///< null: it is not served
  net::key_space* keys = nullptr;
  std::optional<audit_parts> audit{};      ///< none is kept
  topic_gateway* topics = nullptr;         ///< not null in a node
  const client_gateway* clients = nullptr; ///< null: no MQTT
};

/// The admin listener and its requests (docs/admin.md). Owned by the node;
/// outlives the network's connections. Answers come from actors (asked, never
/// locked) and from the tables; what walks over many records runs on a thread
/// of its own, so that the loops go on.
class admin {
public:
  explicit admin(admin_parts parts);
  ~admin();
  admin(const admin&) = delete;
  admin& operator=(const admin&) = delete;

  /// Opens the listener; answers where, with the real port. Fails with in_use,
  /// io_error, or invalid_config for a network address without a token.
  core::result<net::ip_endpoint> listen(net::ip_endpoint where);

  /// Ends what is under way. The network has been stopped: no request comes
  /// any more. Blocks for what runs in the background.
  void stop();

private:
  using handler = std::function<void(const net::http_request&, net::responder)>;

  void route(const char* method, const char* path, handler function);
  void add_health_routes();
  void add_actor_routes();
  void add_user_routes();
  void add_unseen_routes();
  void add_shard_routes();
  void add_list_routes();
  void add_legacy_page();
  void add_cluster_routes();
  void add_worker_routes();
  void add_topic_routes();
  void add_channel_routes();
  void add_page_routes();
  void add_rights_routes();
  void add_ban_routes();
  void add_login_routes();
  void add_mqtt_routes();
  void add_explain_routes();
  void add_key_routes();
  void add_record_routes();
  void add_audit_routes();

  /// Why the node does not serve just now; empty: it does.
  [[nodiscard]] std::vector<std::string> not_ready() const;
  [[nodiscard]] boost::json::value nodes_view();
  [[nodiscard]] boost::json::value links_view();
  /// `then` runs on the operator's loop.
  void gather_shards(std::function<void(boost::json::array)> then);
  void change_node(const net::http_request& request, net::responder answer);
  [[nodiscard]] core::result<void> may_remove(core::node_id node,
                                              const boost::json::array& shards);
  /// Has a link to this node, or is it.
  [[nodiscard]] bool is_here(core::node_id node) const;
  /// This node, then the others that are not removed.
  [[nodiscard]] std::vector<core::node_id> nodes_to_ask();
  void set_state(core::set_node_state change, net::responder answer);
  void undrain(core::node_id node, net::responder answer);
  void replace(core::node_id old, const net::http_request& request,
               net::responder answer);

  [[nodiscard]] std::string metrics_text() const;
  void list_actors(const net::http_request& request, net::responder answer);
  void show_actor(const net::http_request& request, net::responder answer);
  void show_at_node(const net::http_request& request, net::responder answer);
  void answer_relayed(const net::http_request& request, net::responder answer);
  void show_of_loop(const std::vector<std::string>& words,
                    net::responder answer);
  void show_proxy(const std::vector<std::string>& words, net::responder answer);
  void show_session(std::uint64_t number, net::responder answer);
  void list_connections(
      actors::runtime::loop& home,
      std::function<void(std::vector<workers::worker_connection>)> done) const;
  void list_sessions(const net::http_request& request, net::responder answer);
  void end_session(const net::http_request& request, net::responder answer);
  void show_user(const std::string& uid, net::responder answer);
  void add_user(const net::http_request& request, net::responder answer);
  void remove_user(const std::string& uid,
                   std::function<void(core::error)> done);
  void import_users(const net::http_request& request, net::responder answer);
  void edit_list(const std::string& list, const net::http_request& request,
                 net::responder answer);
  /// This node keeps a replica of the group.
  [[nodiscard]] bool keeps_group(core::group_id group);
  void show_in_shard(const net::http_request& request, net::responder answer);
  void show_inbox(core::group_id group, const std::string& uid,
                  net::responder answer);
  void list_in_shard(core::group_id group, const net::http_request& request,
                     net::responder answer);
  /// GET /shards/{group}/{path} here, or at the group's leader if nothing of
  /// it is kept here. On a loop, where `then` runs.
  void ask_shard(core::group_id group, std::string_view path, http_query query,
                 http_reply then);
  void ask_unseen(std::uint16_t group, const unseen_question& question,
                  http_reply then);
  void list_keys(const net::http_request& request, net::responder answer);
  void show_key(const net::http_request& request, net::responder answer);
  void set_key(const net::http_request& request, net::responder answer);
  void clear_key(const net::http_request& request, net::responder answer);
  struct explaining;
  void explain(const net::http_request& request, net::responder answer);
  void explain_as_client(std::shared_ptr<explaining> work);
  void look_elsewhere(std::shared_ptr<explaining> work);
  void explain_as_known(std::shared_ptr<explaining> work);
  void explain_as(std::shared_ptr<explaining> work, core::principal who,
                  std::uint64_t connection);
  void explain_received(std::shared_ptr<explaining> work);
  void foretell(std::shared_ptr<explaining> work, core::publication what);
  void ask_other_nodes(const std::shared_ptr<explaining>& work,
                       const topic_forecast& found);
  void ask_their_shards(const std::shared_ptr<explaining>& work,
                        const topic_forecast& found);
  void ask_for_key(const std::shared_ptr<explaining>& work);
  void list_mqtt(const net::http_request& request, net::responder answer);
  void trace_mqtt(const net::http_request& request, net::responder answer);
  void list_kept_mqtt(const net::http_request& request, net::responder answer);
  void end_mqtt(const net::http_request& request, net::responder answer);
  void end_mqtt_elsewhere(const std::string& client,
                          const net::responder& answer);
  void list_records(const net::http_request& request, net::responder answer);
  void list_live(const net::http_request& request, net::responder answer);
  void list_interest(const net::http_request& request, net::responder answer);
  void list_channels(const net::http_request& request, net::responder answer);
  void list_cluster_channels(const net::http_request& request,
                             net::responder answer);
  /// GET `request` at a node of the cluster, this one too. On a loop, where
  /// `then` runs.
  void ask_node(core::node_id node, const net::http_request& request,
                http_reply then);
  void publish(const net::http_request& request, net::responder answer);
  void tail_topics(const net::http_request& request, net::responder answer);
  /// False when the page is full.
  using row_visitor =
      std::function<bool(std::string_view name, boost::json::object row)>;
  void
  list_rights(const net::http_request& request, net::responder answer,
              const char* what,
              std::function<void(const core::rights_store&,
                                 std::string_view after, const row_visitor&)>
                  walk);
  void change_rights(core::rights_command change, net::responder answer,
                     boost::json::value done, unsigned status);
  template <class Command>
  void change_by(core::result<Command> (*read)(const boost::json::object&),
                 const net::http_request& request, net::responder answer);
  void show_account(const std::string& uid, net::responder answer);
  void set_password(const net::http_request& request, net::responder answer);
  void add_token(const net::http_request& request, net::responder answer);
  void check_right(const net::http_request& request, net::responder answer);
  void list_unseen(const net::http_request& request, net::responder answer);
  void purge_unseen(const net::http_request& request, net::responder answer);
  [[nodiscard]] std::uint16_t shard_count() const {
    return static_cast<std::uint16_t>(parts_.engine.identity().shards);
  }

  /// Runs on the operator actor's loop.
  void order(std::function<void(actors::operator_state&)> work);
  /// Runs on the admin thread; `work` makes the response.
  void in_background(net::responder answer,
                     std::function<net::http_response()> work);

  admin_parts parts_;
  std::shared_ptr<net::http_router> router_;
  actors::operator_actor operator_;
  boost::asio::thread_pool background_{1};
};

/// From any thread: the response is given on the connection's loop.
void respond(const net::responder& answer, net::http_response response);
[[nodiscard]] net::http_response json_response(const boost::json::value& body,
                                               unsigned status = 200);
/// {"error": text of the code, "detail": …} with the HTTP status of the code.
[[nodiscard]] net::http_response error_response(const core::error& why);

} // namespace troupe::app
