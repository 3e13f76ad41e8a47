// SPDX-License-Identifier: Apache-2.0
#include "actors/client_way.hpp"

#include "actors/client_actor.hpp"
#include "actors/messages.hpp"
#include "actors/names/name_messages.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"

#include <caf/send.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {

client_way::client_way(caf::actor_system& system, broker_context& context,
                       runtime::loop* home, core::client_link& link,
                       std::uint64_t number)
    : system_(system), context_(context), home_(home), number_(number),
      line_(std::make_shared<client_line>()) {
  line_->link = &link;
}

client_way::~client_way() {
  line_->link = nullptr;
  line_->actor = client_actor{}; // which has the line
}

const desk_actor& client_way::desk() const {
  return context_.desks[home_ == nullptr ? 0 : home_->index()];
}

void client_way::open(core::open_client& what) {
  if (what.lasting)
    line_->actor = runtime::spawn_pinned<client_actor, client_state>(
        system_, home_, client_behavior,
        client_deps{&context_, line_, number_});
  else
    caf::anon_send(desk(),
                   names::client_arrived{
                       number_, line_,
                       std::make_shared<core::open_client>(std::move(what))});
}

void client_way::send(std::vector<core::client_command> commands) {
  if (!commands.empty())
    if (auto* first = std::get_if<core::open_client>(&commands.front()))
      open(*first);
  if (line_->actor)
    caf::anon_send(line_->actor, client_commands{std::move(commands)});
}

void client_way::close(bool drop_will) {
  line_->link = nullptr;
  if (auto actor = std::exchange(line_->actor, client_actor{}))
    caf::anon_send(actor, client_commands{{core::close_client{drop_will}}});
  else
    caf::anon_send(desk(), names::client_departed{number_, line_});
}

} // namespace troupe::actors
