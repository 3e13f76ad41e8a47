// SPDX-License-Identifier: Apache-2.0
#include "app/workers/agent_end.hpp"

#include "net/listener.hpp"
#include "net/login_limits.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <utility>
#include <variant>

namespace troupe::app::workers {
namespace {

/// Names of protocols live for ever (net::connection_info); a process that
/// makes them up fills a bounded number of places.
std::string_view lasting_name(const std::string& name) {
  constexpr std::size_t names_max = 64;
  static std::mutex mutex;
  static std::set<std::string> names;
  const std::lock_guard lock{mutex};
  if (const auto known = names.find(name); known != names.end())
    return *known;
  if (names.size() >= names_max)
    return "other";
  return *names.insert(name).first;
}

bool is_end(const core::session_command& command) {
  return std::holds_alternative<core::close_session>(command);
}

} // namespace

void worker_counts::begin() {
  const std::lock_guard lock{mutex_};
  now_.open = 0;
  now_.open_by_protocol.clear();
  before_.add(now_);
  now_ = {};
  words_waiting_ = 0;
}

void worker_counts::take(net::net_stats totals, std::size_t words_waiting) {
  const std::lock_guard lock{mutex_};
  now_ = std::move(totals);
  words_waiting_ = words_waiting;
}

net::net_stats worker_counts::sum() const {
  const std::lock_guard lock{mutex_};
  auto all = before_;
  all.add(now_);
  return all;
}

std::size_t worker_counts::words_waiting() const {
  const std::lock_guard lock{mutex_};
  return words_waiting_;
}

std::shared_ptr<agent_end> agent_end::open(parts what, net::owned_fd socket) {
  std::shared_ptr<agent_end> fresh{new agent_end{std::move(what)}};
  fresh->parts_.counts->begin();
  fresh->line_ = line::open(*fresh->parts_.home, std::move(socket), *fresh);
  fresh->seats_ = std::make_unique<agent_seats>(
      fresh->parts_.channels, *fresh->parts_.home,
      fresh->parts_.first_word.worker, *fresh->line_);
  fresh->tell(fresh->parts_.first_word);
  fresh->next_beat();
  return fresh;
}

agent_end::~agent_end() { close(); }

void agent_end::close() {
  over_ = true;
  line_->close();
  seats_->close("the worker ended");
  // Ports take themselves out of lists; none of them looks into this one.
  for (auto& [number, each] : std::exchange(clients_, {}))
    if (auto session = std::move(each->session))
      session->close();
}

void agent_end::send_away(std::chrono::milliseconds within) {
  sending_away_ = std::make_shared<char>();
  std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> moment{0, within.count()};
  auto& loop = *parts_.home;
  for (const auto& [number, each] : clients_)
    loop.call_at(loop.clock().now() + std::chrono::milliseconds{moment(random)},
                 weak_from_this(),
                 [order = std::weak_ptr{sending_away_},
                  number = number](agent_end& self) {
                   const auto at = self.clients_.find(number);
                   if (!order.expired() && at != self.clients_.end() &&
                       (at->second->session || self.seats_->has_guest(number)))
                     at->second->on_event(
                         core::session_ended{{core::errc::draining, {}}});
                 });
}

bool agent_end::dismiss(net::connection_id which) {
  for (const auto& [number, each] : clients_) {
    if (each->info.id != which)
      continue;
    core::session_ended end{{core::errc::not_permitted, {}}};
    // What a node without workers does not end either (net::connection).
    const auto& speaks = each->info.protocol;
    if (each->over || (!each->session && !seats_->has_seat(number) &&
                       (speaks.empty() || speaks == "http")))
      return false;
    if (each->session)
      each->on_event(std::move(end));
    else
      // Not before the word that gives it a seat.
      line_->send_last(words::event{number, std::move(end)});
    return true;
  }
  return false;
}

void agent_end::end() {
  close();
  parts_.counts->begin();
}

void agent_end::give_up(std::string why) {
  if (over_)
    return;
  end();
  parts_.lost(std::move(why));
}

void agent_end::on_lost(loss why) {
  // The call comes from the line, which this may be the last to know.
  const auto self = shared_from_this();
  if (why == loss::nonsense)
    return give_up("says what can't be read");
  if (over_)
    return;
  end();
  parts_.closed();
}

void agent_end::on_word(word what) {
  const auto self = shared_from_this();
  std::visit([this](auto& w) { handle(w); }, what);
}

// ------------------------------------------------------------------- beats

void agent_end::next_beat() {
  auto& loop = *parts_.home;
  loop.call_at(loop.clock().now() + beat_interval, weak_from_this(),
               [](agent_end& self) { self.on_beat(); });
}

void agent_end::on_beat() {
  if (over_)
    return;
  line_->send_first(words::beat{});
  missed_ = line_->heard() ? 0 : missed_ + 1;
  // Until its first word a process has time of its own (supervision).
  if (ready_ && missed_ >= missed_beats_max)
    return give_up("hung");
  next_beat();
}

// ------------------------------------------------------------------- words

void agent_end::handle(const words::ready& w) {
  if (w.version != protocol_version)
    return give_up("is of another version");
  ready_ = true;
  missed_ = 0;
  parts_.ready();
}

void agent_end::handle(words::counts& w) {
  parts_.counts->take(std::move(w.totals), line_->waiting());
  seats_->take(w.channels);
}

agent_end::client* agent_end::find(client_number number) {
  const auto at = clients_.find(number);
  if (at != clients_.end())
    return at->second.get();
  give_up("speaks of a connection that is not there");
  return nullptr;
}

void agent_end::handle(const words::opened& w) {
  auto peer = net::parse_endpoint(w.peer);
  auto local = net::parse_endpoint(w.local);
  if (!peer || !local || clients_.contains(w.client))
    return give_up("opens a connection that can't be");
  auto fresh = std::make_unique<client>(*this, w.client);
  fresh->info.id = net::next_connection_id();
  fresh->info.peer = *peer;
  fresh->info.local = *local;
  fresh->info.opened = parts_.home->clock().now();
  if (parts_.addresses) {
    auto admitted = parts_.addresses->admit(peer->address, fresh->info.opened);
    fresh->over = admitted.refused.has_value();
    fresh->lease = std::move(admitted.lease);
    if (admitted.refused)
      line_->send(words::refused{w.client, *admitted.refused});
  }
  clients_.emplace(w.client, std::move(fresh));
}

void agent_end::handle(const words::speaks& w) {
  auto* who = find(w.client);
  if (who == nullptr)
    return;
  who->info.protocol = lasting_name(w.protocol);
  who->info.tls = w.tls;
  who->info.client_certificate = w.certificate;
}

void agent_end::handle(words::commands& w) {
  auto* who = find(w.client);
  if (who == nullptr || who->over || w.items.empty())
    return;
  if (parts_.addresses) {
    std::vector<core::session_event> answers;
    net::limit_logins(w.items, *parts_.addresses, who->info.peer.address,
                      parts_.home->clock().now(), answers);
    for (auto& answer : answers)
      who->on_event(std::move(answer));
  }
  const auto end = std::find_if(w.items.begin(), w.items.end(), is_end);
  who->over = end != w.items.end();
  w.items.erase(end, w.items.end());
  if (!who->session && !w.items.empty())
    who->session = parts_.sessions->open(*parts_.home, *who, who->info);
  if (who->session && !w.items.empty())
    who->session->send(std::move(w.items));
  if (who->over)
    if (auto session = std::move(who->session))
      session->close();
}

void agent_end::handle(const words::closed& w) {
  auto* who = find(w.client);
  if (who == nullptr)
    return;
  if (auto session = std::move(who->session))
    session->close();
  seats_->end_client(w.client, "the connection ended");
  clients_.erase(w.client);
}

// Of a connection that was refused nothing is taken: it is about to end.

void agent_end::handle(words::bus_wish& w) {
  const auto* who = find(w.client);
  if (who != nullptr && !who->over && !seats_->take(w, who->info))
    give_up("asks for a seat that can't be");
}

void agent_end::handle(words::knock& w) {
  const auto* who = find(w.client);
  if (who != nullptr && !who->over && !seats_->take(w, who->info))
    give_up("asks for a seat that can't be");
}

void agent_end::handle(words::request& w) {
  if (!seats_->take(w))
    give_up("asks for more than a guest may");
}

void agent_end::handle(const words::seat_left& w) {
  if (!seats_->take(w))
    give_up("leaves a seat that never was");
}

void agent_end::client::on_event(core::session_event event) {
  if (!over)
    owner.line_->send(words::event{number, std::move(event)});
}

std::vector<net::connection_view> agent_end::connections() const {
  std::vector<net::connection_view> rows;
  rows.reserve(clients_.size());
  for (const auto& [number, each] : clients_) {
    net::connection_view row;
    row.info = each->info;
    row.loop = parts_.home->index();
    rows.push_back(std::move(row));
  }
  return rows;
}

} // namespace troupe::app::workers
