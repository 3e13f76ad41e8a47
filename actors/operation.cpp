// SPDX-License-Identifier: Apache-2.0
#include "actors/operation.hpp"

#include "schema/command_wire.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

// --------------------------------------------------------------- operation

broker_context& operation::context() const { return table_->context(); }

const std::string& operation::realm() const { return table_->realm(); }

void operation::finish(core::session_event event) {
  finished_ = true;
  table_->on_finished_(std::move(event));
}

void operation::propose(core::group_id group, core::shard_command command,
                        bool grows) {
  auto bytes = schema::encode(core::logged_shard_command{
      table_->context_.next_key(group), {}, std::move(command)});
  auto& all = table_->to_shards_;
  auto place = std::find_if(all.begin(), all.end(),
                            [&](const auto& o) { return o.group == group; });
  if (place == all.end())
    place = all.insert(all.end(), {group, {}});
  place->items.push_back({ticket_, std::move(bytes), grows});
}

void operation::propose(core::directory_command command, bool grows) {
  table_->to_directory_.push_back(
      {ticket_,
       schema::encode(core::logged_directory_command{
           table_->context_.next_key(core::directory_group),
           {},
           std::move(command)}),
       grows});
}

void operation::expand(const std::string& list, const std::string& caller) {
  table_->to_lists_.push_back({ticket_, {}, table_->realm_, list, caller});
}

// ------------------------------------------------------------------- table

operation_table::operation_table(broker_context& context, std::string realm,
                                 finish_function on_finished)
    : context_(context), realm_(std::move(realm)),
      on_finished_(std::move(on_finished)) {}

operation_table::~operation_table() = default;

void operation_table::start(std::unique_ptr<operation> fresh) {
  fresh->table_ = this;
  fresh->ticket_ = ++last_ticket_;
  fresh->deadline_ = context_.clock.now() + context_.options.request_timeout;
  auto& placed =
      *under_way_.emplace(fresh->ticket_, std::move(fresh)).first->second;
  placed.start();
  collect(placed);
}

template <class Answer>
void operation_table::deliver(Answer& answer) {
  auto at = under_way_.find(answer.ticket);
  if (at == under_way_.end())
    return; // it has timed out
  at->second->on_answer(answer);
  collect(*at->second);
}

void operation_table::on_answers(shard_answers& batch) {
  for (auto& answer : batch.items)
    deliver(answer);
}

void operation_table::on_answers(directory_answers& batch) {
  for (auto& answer : batch.items)
    deliver(answer);
}

void operation_table::on_answer(list_expansion& answer) { deliver(answer); }

bool operation_table::expire(core::steady_time now) {
  std::vector<operation*> overdue;
  for (auto& [number, one] : under_way_)
    if (one->deadline_ <= now)
      overdue.push_back(one.get());
  for (auto* one : overdue) {
    context_.stats.requests_timed_out.fetch_add(1, std::memory_order_relaxed);
    one->on_timeout();
    collect(*one);
  }
  return !under_way_.empty();
}

void operation_table::collect(operation& done) {
  if (done.finished_)
    under_way_.erase(done.ticket_);
}

void operation_table::flush(const addresses& from) {
  for (auto& out : std::exchange(to_shards_, {}))
    caf::anon_send(context_.shard(out.group),
                   shard_proposals{from.shard, std::move(out.items)});
  if (!to_directory_.empty())
    caf::anon_send(
        context_.directory_handle,
        directory_proposals{from.directory, std::exchange(to_directory_, {})});
  for (auto& ask : std::exchange(to_lists_, {})) {
    ask.from = from.list;
    caf::anon_send(context_.directory_handle, std::move(ask));
  }
}

} // namespace troupe::actors
