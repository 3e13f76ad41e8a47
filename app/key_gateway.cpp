// SPDX-License-Identifier: Apache-2.0
#include "app/key_gateway.hpp"

#include "actors/runtime/loop.hpp"
#include "core/topic.hpp"
#include "schema/command_wire.hpp"

#include <caf/send.hpp>

#include <memory>
#include <utility>

namespace troupe::app {
namespace {

namespace keys = actors::keys;

/// As it was published; nothing if it can't be read.
std::optional<net::kept_key> kept_key_of(core::found_key& found) {
  auto name = core::topic::parse(found.topic);
  auto command = schema::decode_key_value(found.command);
  if (!name || !command)
    return std::nullopt;
  auto what = std::make_shared<core::publication>();
  what->realm = std::move(command->realm);
  what->topic = std::move(*name);
  what->number =
      static_cast<std::uint64_t>(core::to_millis(found.record.changed)) * 1000U;
  what->sender = std::move(command->content.sender);
  what->content_type = std::move(command->content.content_type);
  what->headers = std::move(command->content.headers);
  what->payload = std::move(command->content.payload);
  return net::kept_key{std::move(what), found.record.revision(),
                       found.record.expires};
}

net::kept_page kept_page_of(keys::key_found_page& page) {
  net::kept_page to;
  to.unread = page.unread.size();
  if (page.next)
    to.next = net::key_place{page.next->group.value(), page.next->after};
  to.keys.reserve(page.keys.size());
  for (auto& each : page.keys)
    if (auto key = kept_key_of(each))
      to.keys.push_back(std::move(*key));
  return to;
}

} // namespace

void key_gateway::order(std::function<void(keys::keys_state&)> work) {
  caf::anon_send(engine_.context().key_actors[actors::current_loop_index()],
                 keys::keys_order{std::move(work)});
}

void key_gateway::change(keys::key_operation::change what, set_function done) {
  order([what = std::move(what),
         done = std::move(done)](keys::keys_state& at) mutable {
    at.change(std::move(what),
              [done = std::move(done)](const core::shard_outcome& outcome) {
                if (outcome.failure.code == core::errc::ok)
                  done(outcome.number);
                else
                  done(outcome.failure);
              });
  });
}

void key_gateway::set(core::set_key what, set_function done) {
  change(std::move(what), std::move(done));
}

void key_gateway::clear(core::clear_key what, set_function done) {
  change(std::move(what), std::move(done));
}

void key_gateway::read(net::key_query what, page_function done) {
  if (auto* sys = sys_.load(std::memory_order_acquire);
      sys != nullptr && sys->tells(what.realm, what.filter))
    return sys->read(std::move(what.filter),
                     [home = actors::runtime::loop::current(),
                      done = std::move(done)](auto values) mutable {
                       home->post([values = std::move(values),
                                   done = std::move(done)]() mutable {
                         net::kept_page page;
                         page.keys = std::move(values);
                         done(std::move(page));
                       });
                     });
  keys::key_question question;
  question.realm = std::move(what.realm);
  question.filter = std::move(what.filter);
  question.from = {core::group_id{what.from.shard}, std::move(what.from.after)};
  question.count_max = what.count_max;
  question.bytes_max = what.bytes_max;
  order([question = std::move(question),
         done = std::move(done)](keys::keys_state& at) mutable {
    at.read(std::move(question),
            [done = std::move(done)](keys::key_found_page page) {
              done(kept_page_of(page));
            });
  });
}

void key_gateway::settle(std::function<void(bool)> done) {
  auto* home = actors::runtime::loop::current();
  auto* member = engine_.cluster();
  if (member == nullptr)
    return home->post([done = std::move(done)] { done(true); });
  member->settle_topics([home, done = std::move(done)](bool all) {
    home->post([done, all] { done(all); });
  });
}

} // namespace troupe::app
