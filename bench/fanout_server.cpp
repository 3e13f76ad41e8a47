// SPDX-License-Identifier: Apache-2.0
#include "bench/fanout_server.hpp"

#include "actors/runtime/fan_out.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "bench/fanout_connection.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <unistd.h>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::batch_ptr)

namespace troupe::bench {

namespace {

namespace asio = boost::asio;
namespace runtime = actors::runtime;
using asio::ip::tcp;

/// Accepts on one thread for all hosts in turn; `give` gets the next host's
/// number and its socket on the accepting thread.
class acceptor {
public:
  acceptor(asio::io_context& context, int ready_fd)
      : listening_(context, {asio::ip::address_v4::loopback(), 0}) {
    const auto port = listening_.local_endpoint().port();
    if (::write(ready_fd, &port, sizeof port) != sizeof port)
      std::abort();
  }
  void run(std::function<asio::io_context&(std::size_t)> context_of,
           std::function<void(std::size_t, tcp::socket)> give) {
    listening_.async_accept(
        context_of(next_),
        [this, context_of, give](const boost::system::error_code& error,
                                 tcp::socket socket) {
          if (error)
            std::abort();
          give(next_++, std::move(socket));
          run(context_of, give);
        });
  }

private:
  tcp::acceptor listening_;
  std::size_t next_ = 0;
};

// --- with actors -----------------------------------------------------------

using interest_atom = caf::atom_constant<caf::atom("interest")>;

/// The one channel of this program.
using channel_actor = caf::typed_actor<
    // What a publisher sent.
    caf::reacts_to<batch_ptr>,
    // A loop has subscribers now, or none any more.
    caf::reacts_to<interest_atom, std::uint64_t, bool>>;

using channel_fan_out = runtime::fan_out<int, batch>;

struct channel_state {
  static constexpr const char* name = "channel";
  std::vector<std::size_t> loops;
};

channel_actor::behavior_type
channel_behavior(channel_actor::stateful_pointer<channel_state> self,
                 std::shared_ptr<channel_fan_out> out) {
  return {
      [self, out](const batch_ptr& frames) {
        out->publish(0, frames, self->state.loops);
      },
      [self](interest_atom, std::uint64_t loop, bool any) {
        std::erase(self->state.loops, loop);
        if (any)
          self->state.loops.push_back(loop);
      },
  };
}

class actor_host {
public:
  using flushable = runtime::loop::flushable;

  explicit actor_host(runtime::loop& home) : home_(home) {}
  void mark_dirty(std::shared_ptr<flushable> target) {
    home_.mark_dirty(std::move(target));
  }
  void publish(batch_ptr frames) { caf::anon_send(channel, std::move(frames)); }
  void subscribe(connection<actor_host>& who) {
    auto& entry = *subscribers_.emplace_back(
        std::make_unique<entry_type>(who.shared_from_this()));
    entry.kept = out->here().subscribe(0, entry);
  }

  channel_actor channel;
  std::shared_ptr<channel_fan_out> out;

private:
  struct entry_type final : runtime::subscriber<batch> {
    explicit entry_type(std::shared_ptr<connection<actor_host>> to)
        : target(std::move(to)) {}
    void deliver(const batch& frames) override { target->append(frames); }
    std::shared_ptr<connection<actor_host>> target;
    channel_fan_out::hub_type::subscription kept;
  };

  runtime::loop& home_;
  std::vector<std::unique_ptr<entry_type>> subscribers_;
};

[[noreturn]] void serve_with_actors(const server_options& options,
                                    int ready_fd) {
  runtime::runtime_options settings;
  settings.loops = options.loops;
  settings.spin = options.spin;
  settings.on_error = [](std::string_view where, std::string_view what) {
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(where.size()),
                 where.data(), static_cast<int>(what.size()), what.data());
  };
  runtime::runtime_config config{settings};
  caf::actor_system system{config};
  auto& loops = runtime::scheduler::of(system);

  channel_actor channel;
  const auto out = std::make_shared<channel_fan_out>(
      system, [&channel](std::size_t loop, int, bool any) {
        caf::anon_send(channel, interest_atom::value,
                       static_cast<std::uint64_t>(loop), any);
      });
  channel = runtime::spawn_pinned<channel_actor, channel_state>(
      system, &loops.at(0), channel_behavior, out);
  std::vector<std::unique_ptr<actor_host>> hosts;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    hosts.push_back(std::make_unique<actor_host>(loops.at(i)));
    hosts.back()->channel = channel;
    hosts.back()->out = out;
  }
  acceptor clients{loops.at(0).context(), ready_fd};
  loops.at(0).post([&] {
    clients.run(
        [&](std::size_t i) -> asio::io_context& {
          return loops.at(i % hosts.size()).context();
        },
        [&](std::size_t i, tcp::socket socket) {
          const auto index = i % hosts.size();
          const auto client = std::make_shared<connection<actor_host>>(
              std::move(socket), *hosts[index]);
          loops.at(index).post([client] { client->read(); });
        });
  });
  for (;;)
    ::pause();
}

// --- without ---------------------------------------------------------------

class plain_host {
public:
  class flushable {
  public:
    virtual ~flushable() = default;
    virtual void flush() = 0;
    bool dirty = false;
  };

  void mark_dirty(std::shared_ptr<flushable> target) {
    if (!std::exchange(target->dirty, true))
      dirty_.push_back(std::move(target));
  }
  void subscribe(connection<plain_host>& who) {
    subscribers_.push_back(who.shared_from_this());
  }
  void publish(batch_ptr frames) {
    for (auto* other : *all) {
      if (other == this)
        fan(*frames);
      else
        asio::post(other->context, [other, frames] { other->fan(*frames); });
    }
  }
  [[noreturn]] void run() {
    for (;;) {
      auto targets = std::exchange(dirty_, {});
      for (const auto& each : targets) {
        each->dirty = false;
        each->flush();
      }
      if (dirty_.empty())
        context.run_one();
      context.poll();
    }
  }

  asio::io_context context{1};
  const std::vector<plain_host*>* all = nullptr;

private:
  void fan(const batch& frames) {
    for (const auto& each : subscribers_)
      each->append(frames);
  }

  asio::executor_work_guard<asio::io_context::executor_type> guard_{
      context.get_executor()};
  std::vector<std::shared_ptr<connection<plain_host>>> subscribers_;
  std::vector<std::shared_ptr<flushable>> dirty_;
};

[[noreturn]] void serve_plainly(const server_options& options, int ready_fd) {
  std::vector<std::unique_ptr<plain_host>> hosts;
  std::vector<plain_host*> all;
  for (std::size_t i = 0; i < options.loops; ++i)
    all.push_back(hosts.emplace_back(std::make_unique<plain_host>()).get());
  for (auto* each : all)
    each->all = &all;
  acceptor clients{all[0]->context, ready_fd};
  clients.run(
      [&](std::size_t i) -> asio::io_context& {
        return all[i % all.size()]->context;
      },
      [&](std::size_t i, tcp::socket socket) {
        auto& host = *all[i % all.size()];
        const auto client =
            std::make_shared<connection<plain_host>>(std::move(socket), host);
        asio::post(host.context, [client] { client->read(); });
      });
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < all.size(); ++i)
    threads.emplace_back([host = all[i]] { host->run(); });
  all[0]->run();
}

} // namespace

void serve(const server_options& options, int ready_fd) {
  if (options.kind == server_kind::actors)
    serve_with_actors(options, ready_fd);
  serve_plainly(options, ready_fd);
}

} // namespace troupe::bench
