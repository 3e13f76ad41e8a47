// SPDX-License-Identifier: Apache-2.0
#include "actors/links/join_client.hpp"

#include "actors/links/dialing.hpp"

#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace troupe::actors::links {

namespace {

core::error as_error(const refusal& why) {
  switch (why.code) {
  case refusal_code::timed_out:
    return {core::errc::timed_out, to_string(why)};
  case refusal_code::closed:
  case refusal_code::busy:
  case refusal_code::stopping:
    return {core::errc::unavailable, to_string(why)};
  default:
    return {core::errc::not_permitted, to_string(why)};
  }
}

/// TLS sessions of CAF take their files from an actor system's settings.
struct tls_system {
  explicit tls_system(const link_tls& tls) {
    config.set("scheduler.max-threads", std::size_t{1});
    ready = enable_links(config, tls);
    if (ready)
      system = std::make_unique<caf::actor_system>(config);
  }
  caf::actor_system_config config;
  core::result<void> ready;
  std::unique_ptr<caf::actor_system> system;
};

/// One conversation on a context of its own.
class asking {
public:
  asking(const join_options& options, core::bytes_view request,
         caf::actor_system* tls)
      : options_(options), request_(core::as_text(request)), tls_(tls),
        deadline_(context_) {}

  core::result<join_reply> run() {
    dial_request dial;
    dial.self.secret = options_.secret;
    dial.self.self.cluster = options_.cluster;
    dial.self.self.node = options_.self;
    dial.self.self.incarnation = random_incarnation();
    dial.self.self.address = options_.advertise;
    dial.purpose = purpose::join;
    dial.addresses = options_.addresses;
    dial.connect_timeout = options_.connect_timeout;
    dial.handshake_timeout = options_.timeout;
    dial.tls = tls_;
    const auto attempt = dialing::start(
        context_, std::move(dial), [this](auto connection, const auto& why) {
          if (connection)
            on_proven(std::move(*connection));
          else
            fail(why);
        });
    context_.run();
    if (connection_.stream)
      connection_.stream->close();
    return std::move(*outcome_);
  }

private:
  void on_proven(proven_connection connection) {
    connection_ = std::move(connection);
    deadline_.expires_after(options_.timeout);
    deadline_.async_wait([this](const auto& cancelled) {
      if (!cancelled)
        fail({refusal_code::timed_out, "no answer to the join request"});
    });
    connection_.stream->write(seal_join(connection_.keys.to_acceptor,
                                        frame_type::join_request, request_),
                              [this](bool sent, const auto& why) {
                                if (!sent)
                                  fail(why);
                              });
    connection_.stream->read(options_.answer_bytes_max + proof_size,
                             [this](auto got, const auto& why) {
                               if (got)
                                 on_answer(*got);
                               else
                                 fail(why);
                             });
  }

  void on_answer(const frame& got) {
    if (got.type == frame_type::refusal) {
      const auto why = decode_refusal(core::as_bytes(got.payload));
      fail(why ? *why : refusal{refusal_code::malformed, {}});
      return;
    }
    const auto text =
        open_join(connection_.keys.to_dialer, core::as_bytes(got.payload));
    if (got.type != frame_type::join_answer || !text) {
      fail({refusal_code::malformed, "no answer to a join request"});
      return;
    }
    const auto& peer = connection_.peer;
    finish(
        join_reply{{peer.node, peer.incarnation, peer.features, peer.address},
                   peer.cluster,
                   core::shared_bytes::copy_of(*text)});
  }

  void fail(const refusal& why) { finish(as_error(why)); }
  void finish(core::result<join_reply> outcome) {
    if (!outcome_)
      outcome_ = std::move(outcome);
    context_.stop();
  }

  const join_options& options_;
  const std::string_view request_;
  caf::actor_system* const tls_;
  boost::asio::io_context context_{1};
  boost::asio::steady_timer deadline_;
  proven_connection connection_;
  std::optional<core::result<join_reply>> outcome_;
};

} // namespace

core::result<join_reply> ask_to_join(const join_options& options,
                                     core::bytes_view request) {
  if (options.secret.empty())
    return core::error{core::errc::invalid_config,
                       "joining needs the cluster secret"};
  std::unique_ptr<tls_system> tls;
  if (options.tls.wanted()) {
    tls = std::make_unique<tls_system>(options.tls);
    if (!tls->ready)
      return tls->ready.error();
  }
  return asking{options, request, tls ? tls->system.get() : nullptr}.run();
}

} // namespace troupe::actors::links
