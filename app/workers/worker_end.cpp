// SPDX-License-Identifier: Apache-2.0
#include "app/workers/worker_end.hpp"

#include "core/assert.hpp"

#include <utility>
#include <variant>

namespace troupe::app::workers {
namespace {

constexpr core::milliseconds end_interval{20};

} // namespace

/// The way of one connection to its session in the agent.
class worker_end::port final : public net::session_port {
public:
  port(worker_end& end, client_number client, core::session_link& link)
      : end_(end), client_(client), link_(link) {
    end_.ports_.emplace(client_, this);
  }
  ~port() override { end_.ports_.erase(client_); }
  port(const port&) = delete;
  port& operator=(const port&) = delete;

  void send(std::vector<core::session_command> commands) override {
    ended_ =
        ended_ || std::holds_alternative<core::close_session>(commands.back());
    end_.say(words::commands{client_, std::move(commands)});
  }
  bool full() override {
    if (!end_.line_->full())
      return false;
    if (!std::exchange(waits_, true))
      end_.waiting_.push_back(client_);
    return true;
  }
  void close() override {
    end_.ports_.erase(client_);
    if (ended_)
      return;
    std::vector<core::session_command> last;
    last.emplace_back(core::close_session{});
    send(std::move(last));
  }

  void tell(core::session_event event) { link_.on_event(std::move(event)); }
  void tell_room() {
    waits_ = false;
    link_.on_room();
  }

private:
  worker_end& end_;
  client_number client_;
  core::session_link& link_;
  bool ended_ = false; ///< the session was told
  bool waits_ = false;
};

worker_end::~worker_end() { close(); }

void worker_end::open(net::owned_fd socket) {
  line_ = line::open(parts_.home, std::move(socket), *this);
  next_beat();
}

void worker_end::close() {
  alive_.reset();
  if (line_)
    line_->close();
}

void worker_end::say(word what) {
  if (!lost_)
    line_->send(std::move(what));
}

void worker_end::say_ready() { say(words::ready{}); }

void worker_end::drain() {
  if (std::exchange(draining_, true))
    return;
  parts_.network.drain();
  look_for_end();
}

void worker_end::look_for_end() {
  if (connections_.empty() && parts_.network.stats().open == 0 &&
      (lost_ || line_->idle()))
    return parts_.finished();
  parts_.home.call_at(parts_.home.clock().now() + end_interval,
                      std::weak_ptr{alive_},
                      [](worker_end* self) { self->look_for_end(); });
}

// ------------------------------------------------------------------- beats

void worker_end::next_beat() {
  parts_.home.call_at(parts_.home.clock().now() + beat_interval,
                      std::weak_ptr{alive_},
                      [](worker_end* self) { self->on_beat(); });
}

void worker_end::on_beat() {
  if (lost_)
    return;
  line_->send_first(words::counts{parts_.network.stats(), parts_.counted()});
  parts_.seats.look(parts_.home.clock().now());
  parts_.network.look();
  missed_ = line_->heard() ? 0 : missed_ + 1;
  if (missed_ >= missed_beats_max)
    return leave("the agent is silent");
  next_beat();
}

// ------------------------------------------------------------- connections

std::unique_ptr<net::session_port>
worker_end::open(actors::runtime::loop&, core::session_link& link,
                 const net::connection_info& info) {
  return std::make_unique<port>(*this, info.id.value(), link);
}

void worker_end::on_open(net::connection& fresh) {
  const auto& info = fresh.info();
  connections_.emplace(info.id.value(), &fresh);
  say(words::opened{info.id.value(), to_string(info.peer),
                    to_string(info.local)});
}

void worker_end::on_protocol(const net::connection& which) {
  const auto& info = which.info();
  say(words::speaks{info.id.value(), std::string{info.protocol}, info.tls,
                    info.client_certificate});
}

void worker_end::on_end(const net::connection& gone) {
  const auto client = gone.info().id.value();
  connections_.erase(client);
  say(words::closed{client, gone.bytes_in(), gone.bytes_out()});
}

// ------------------------------------------------------------------- words

void worker_end::on_word(word what) {
  std::visit([this](auto& w) { handle(w); }, what);
}

void worker_end::handle(words::event& w) {
  if (auto* delivery = std::get_if<core::delivery>(&w.what))
    delivery->message = messages_.share(std::move(delivery->message));
  // The client may have gone while it was on its way.
  if (const auto at = ports_.find(w.client); at != ports_.end())
    return at->second->tell(std::move(w.what));
  // Without a session: a guest, who may move to another node, or somebody whom
  // an operator wants gone.
  const auto* ended = std::get_if<core::session_ended>(&w.what);
  const auto at = connections_.find(w.client);
  if (ended == nullptr || at == connections_.end())
    return;
  if (ended->reason.code == core::errc::draining)
    at->second->send_away();
  else if (ended->reason.code == core::errc::not_permitted)
    static_cast<void>(at->second->dismiss());
}

void worker_end::handle(const words::refused& w) {
  if (const auto at = connections_.find(w.client); at != connections_.end())
    at->second->cut(w.reason);
}

void worker_end::on_room() {
  for (const auto client : std::exchange(waiting_, {}))
    if (const auto at = ports_.find(client); at != ports_.end())
      at->second->tell_room();
  parts_.seats.on_room();
}

void worker_end::on_lost(loss why) {
  leave(why == loss::closed ? "the agent is gone" : "the agent talks nonsense");
}

void worker_end::leave(std::string why) {
  if (std::exchange(lost_, true))
    return;
  line_->close();
  parts_.seats.on_lost();
  drain();
  parts_.orphaned(std::move(why));
}

} // namespace troupe::app::workers
