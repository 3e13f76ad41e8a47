// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/subscriber.hpp"

#include "net/msgbus/answers.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/part_cache.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::net::msgbus {
namespace {

/// What was under way when somebody began to listen has arrived by then.
constexpr core::milliseconds under_way_max{10'000};

/// More of a publication's bytes than this is not kept for the next one.
constexpr std::size_t kept_bytes_max = 64 * 1024;

} // namespace

std::string client_text(const connection_info& info, std::string_view user) {
  return to_string(info.peer) + " (" +
         (user.empty() ? std::string{"?"} : std::string{user}) + ")";
}

bool subscription_terms::want(const core::publication& what,
                              bool strict_senders) const {
  if (!types.passes_all() && !types.passes(type_of(what)))
    return false;
  if (senders.passes_all())
    return true;
  // Who has no name was never filtered by it.
  if (what.sender.empty())
    return !strict_senders;
  return senders.passes(what.sender);
}

subscriber::subscriber(std::shared_ptr<bus_context> shared, protocol_host& host,
                       subscription_terms terms)
    : shared_(std::move(shared)), host_(host), terms_(std::move(terms)) {}

subscriber::~subscriber() { end(); }

wish subscription_terms::wish() const {
  msgbus::wish told;
  told.what = deed::subscribe;
  told.channel = channel;
  told.poll = poll;
  told.filters = one_line(senders.text()) + " " + one_line(types.text());
  return told;
}

void subscriber::begin(std::unique_ptr<seat> at,
                       std::vector<core::publication_ptr> past) {
  seat_ = std::move(at);
  seat_->begin(*this);
  past_ = std::move(past);
  std::erase_if(past_, [&](const auto& what) {
    return !terms_.want(*what, shared_->options.strict_senders);
  });
}

void subscriber::end() {
  if (!seat_)
    return;
  seat_.reset();
  heart_beat_.reset();
  leave_.reset();
  give_up_.reset();
  forget_.reset();
  past_.clear();
}

void subscriber::on_open(core::steady_time now, effects& out) {
  if (terms_.poll)
    give_up_ = now + shared_->options.poll_time;
  else if (!is_parts(terms_.how) && shared_->options.heart_beat.count() > 0)
    heart_beat_ = now + shared_->options.heart_beat;
  if (past_.empty())
    return;
  forget_ = now + under_way_max;
  replay(out);
}

void subscriber::on_seat_lost(std::string_view why) {
  // Last: see on_publication().
  host_.run([&](effects& out) {
    if (seat_)
      finish(why, out);
  });
}

void subscriber::replay(effects& out) {
  const auto past = std::exchange(past_, {});
  for (const auto& what : past) {
    count(shared_->stats.replayed);
    if (terms_.poll)
      return answer_poll(*what, out);
    replayed_.push_back(message_mark::of(*what));
    // Not by the cache: it belongs to what is published now.
    const auto located = is_root();
    const auto location = located ? channel_of(what->topic) : std::string{};
    const auto id =
        is_parts(terms_.how) ? std::string{} : replayed_.back().text();
    out.output.append(
        encode(part_of(*what, located, location, id), terms_.how));
  }
  std::sort(replayed_.begin(), replayed_.end());
}

bool subscriber::replayed_before(const core::publication& what) const {
  return std::binary_search(replayed_.begin(), replayed_.end(),
                            message_mark::of(what));
}

void subscriber::answer_poll(const core::publication& what, effects& out) {
  const auto location = is_root() ? channel_of(what.topic) : std::string{};
  const auto id = message_mark::of(what).text();
  out.output.append(polled(is_chunked(terms_.how) ? 11 : 10,
                           part_of(what, is_root(), location, id)));
  count(shared_->stats.delivered);
  finish("the poll is answered", out);
}

std::size_t subscriber::on_bytes(const input& in, core::steady_time, effects&) {
  return in.bytes.size();
}

void subscriber::on_publication(const core::publication_ptr& what) {
  if (!terms_.want(*what, shared_->options.strict_senders)) {
    count(shared_->stats.filtered);
    return;
  }
  // Last: the connection, and this with it, may end on the way.
  host_.run([&](effects& out) { write(what, out); });
}

void subscriber::foretell(const core::publication_ptr& what,
                          core::listener_fate& to) {
  to.what = core::fate::dropped;
  if (!terms_.want(*what, shared_->options.strict_senders)) {
    to.why = "its filters of types or senders";
    return;
  }
  host_.run([&](effects& out) {
    if (!seat_ || replayed_before(*what))
      to.why = "its connection ends";
    else if (!terms_.poll && is_slow(out))
      to.why = "too much waits unsent for it";
    else
      to.what = core::fate::given;
  });
}

bool subscriber::is_slow(const effects& out) const {
  return out.output.size() >= shared_->options.backlog_bytes_max;
}

void subscriber::write(const core::publication_ptr& what, effects& out) {
  if (!seat_ || replayed_before(*what))
    return;
  if (terms_.poll)
    return answer_poll(*what, out);
  if (is_slow(out))
    return drop(*what);
  auto& cache = part_cache::here();
  const auto before = cache.size();
  const auto& bytes = cache.get(what, terms_.how, is_root());
  out.output.append(bytes);
  written_ = true;
  count(shared_->stats.delivered);
  count(shared_->stats.delivered_bytes, bytes.size());
  if (before <= kept_bytes_max && cache.size() > kept_bytes_max)
    shared_->desk->later([] { part_cache::here().clear(); });
}

void subscriber::drop(const core::publication& what) {
  count(shared_->stats.dropped_backlog);
  shared_->log->warn("dropping", one_line(channel_of(what.topic)) + " " +
                                     one_line(type_of(what)) + " (" +
                                     std::to_string(what.payload.size()) +
                                     ") for " +
                                     client_text(host_.info(), terms_.user));
}

void subscriber::finish(std::string_view why, effects& out) {
  end();
  out.close = std::string{why};
}

void subscriber::on_event(core::session_event event, core::steady_time,
                          effects& out) {
  if (std::holds_alternative<core::session_ended>(event) && seat_)
    finish("the node shuts down", out);
}

void subscriber::on_tick(core::steady_time now, effects& out) {
  if (leave_ && now >= *leave_)
    return finish("the client has ended its side", out);
  if (give_up_ && now >= *give_up_) {
    out.output.append(polled_nothing(is_chunked(terms_.how) ? 11 : 10));
    return finish("nothing came for the poll", out);
  }
  if (forget_ && now >= *forget_) {
    forget_.reset();
    std::vector<message_mark>{}.swap(replayed_);
  }
  if (!heart_beat_ || now < *heart_beat_)
    return;
  heart_beat_ = now + shared_->options.heart_beat;
  if (!std::exchange(written_, false) && out.output.empty())
    out.output.append(heart_beat(terms_.how));
}

std::optional<core::steady_time> subscriber::deadline() const {
  std::optional<core::steady_time> first;
  for (const auto& each : {leave_, heart_beat_, give_up_, forget_})
    if (each && (!first || *each < *first))
      first = each;
  return first;
}

void subscriber::on_closed(effects&) { end(); }

bool subscriber::on_half_closed(core::steady_time now, effects&) {
  if (!seat_ || shared_->options.half_close.count() <= 0)
    return false;
  leave_ = now + shared_->options.half_close;
  return true;
}

} // namespace troupe::net::msgbus
