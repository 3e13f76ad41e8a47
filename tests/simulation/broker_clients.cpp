// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_clients.hpp"

#include "schema/command_wire.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t client_count = 6;
constexpr std::size_t door_count = 2;
const std::array<std::string, 2> key_names{"key-a", "key-b"};
const std::array<std::string, 2> inbox_names{"inbox-a", "inbox-b"};
const std::array<std::string, 2> realm_names{"realm-a", "realm-b"};

core::owner inbox_named(const std::string& name) {
  return {"default", core::owner_kind::user, name};
}
std::string uid_of(std::uint8_t user) {
  return std::string(1, static_cast<char>('a' + user));
}
std::vector<std::string> aliases_of(std::uint8_t set) {
  std::vector<std::string> all;
  for (std::uint8_t a = 0; a < realm_model::aliases; ++a)
    if ((set >> a & 1U) != 0)
      all.push_back(std::string(1, static_cast<char>('x' + a)));
  return all;
}
std::uint8_t set_of(const std::vector<std::string>& aliases) {
  std::uint8_t set = 0;
  for (const auto& alias : aliases)
    set |= static_cast<std::uint8_t>(1U << (alias.front() - 'x'));
  return set;
}

} // namespace

broker_clients::broker_clients(client_surroundings& around,
                               broker_mutation mutation)
    : around_(around), mutation_(mutation) {
  for (std::size_t i = 0; i < door_count; ++i) {
    doors_.emplace_back();
    doors_.back().origin = 1000 * (i + 1) + 1;
  }
  for (std::uint32_t i = 0; i < client_count; ++i) {
    clients_.emplace_back();
    clients_.back().number = i;
    clients_.back().door = i % door_count;
  }
  core::inbox_policy policy;
  policy.messages_max = inbox_bound;
  policy.deduplication_window = 0ms;
  set_up_.emplace_back(core::set_inbox_policy{policy});
  for (const std::string name : {"inbox-a", "inbox-b", passing_inbox})
    for (const auto device : {std::uint8_t{0}, std::uint8_t{1}})
      set_up_.emplace_back(core::add_cursor{
          inbox_named(name), core::device_offset{device}, std::nullopt});
  std::reverse(set_up_.begin(), set_up_.end());
}

void broker_clients::start() { set_up_next(); }

void broker_clients::set_up_next() {
  if (set_up_.empty()) {
    ready_ = true;
    for (auto& c : clients_)
      next_soon(c);
    return;
  }
  auto& c = clients_.front();
  under_way op;
  op.group = data_shard;
  op.command = shard_command(c, set_up_.back());
  set_up_.pop_back();
  begin(c, std::move(op));
  c.now->give_up = core::steady_time::max();
}

bool broker_clients::idle() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const client& c) {
    return !c.now && c.to_read.empty();
  });
}

void broker_clients::read_everything() {
  reading_ = true;
  auto& c = clients_.front();
  for (const auto& name : key_names)
    c.to_read.push_back(name);
  for (const auto& name : inbox_names)
    c.to_read.push_back(name);
  for (const auto& name : realm_names)
    c.to_read.push_back(name);
  next(c);
}

// ----------------------------------------------------------------- one by one

void broker_clients::next_soon(client& c) {
  around_.later(1ms + std::chrono::microseconds{around_.dice(20'000)},
                [this, &c] { next(c); });
}

void broker_clients::next(client& c) {
  if (c.now)
    return;
  if (reading_) {
    if (c.to_read.empty())
      return;
    auto op = read_of(c.to_read.back());
    c.to_read.pop_back();
    begin(c, std::move(op));
    c.now->give_up = core::steady_time::max();
    return;
  }
  if (stopped_)
    return;
  if (around_.dice(150) == 0) { // another life of the node with the sessions
    auto& mine = doors_[c.door];
    mine.origin += 1;
    mine.next = {1, 1};
  }
  begin(c, choose(c));
}

void broker_clients::begin(client& c, under_way op) {
  op.number = ++last_operation_;
  op.called = ++moment_;
  op.give_up =
      around_.time() + 500ms + std::chrono::milliseconds{around_.dice(3000)};
  c.now = std::move(op);
  attempt(c);
}

void broker_clients::attempt(client& c) {
  auto& op = *c.now;
  if (around_.time() >= op.give_up ||
      (op.attempt > 0 && !reading_ && set_up_.empty() &&
       around_.dice(60) == 0 && ready_))
    return give_up(c);
  repeated_ += op.attempt > 0 ? 1 : 0;
  ++op.attempt;
  auto& leader = c.leader[op.group.value()];
  if (leader == core::node_id{} || around_.dice(12) == 0)
    leader = core::node_id{
        static_cast<std::uint32_t>(1 + around_.dice(around_.node_count()))};
  around_.ask(leader, {c.number, op.number, op.group, op.command, op.read});
  around_.later(std::chrono::milliseconds{100 + around_.dice(500)},
                [this, &c, number = op.number, attempt = op.attempt] {
                  if (!c.now || c.now->number != number ||
                      c.now->attempt != attempt)
                    return;
                  c.leader[c.now->group.value()] = {};
                  this->attempt(c);
                });
}

void broker_clients::on_answer(const broker_answer& answer) {
  auto& c = clients_[answer.client];
  if (!c.now || c.now->number != answer.operation)
    return;
  if (answer.refusal == core::errc::ok)
    return finish(c, answer);
  c.leader[c.now->group.value()] = answer.leader;
  const auto number = c.now->number;
  const auto attempt = c.now->attempt;
  around_.later(std::chrono::milliseconds{5 + around_.dice(60)},
                [this, &c, number, attempt] {
                  if (c.now && c.now->number == number &&
                      c.now->attempt == attempt)
                    this->attempt(c);
                });
}

void broker_clients::finish(client& c, const broker_answer& answer) {
  const auto op = *std::exchange(c.now, std::nullopt);
  if (op.input.index() == 0) { // setting up, or a message that passes
    ++answered_;
    if (answer.outcome.shard.id && op.object == passing_inbox &&
        answer.outcome.failure.code == core::errc::ok)
      posts_[op.object].push_back(
          {op.called, ++moment_, *answer.outcome.shard.id});
    if (!set_up_.empty() || op.object.empty())
      return set_up_next();
    return next_soon(c);
  }
  auto seen = translate(op, answer);
  if (seen) {
    ++answered_;
    note_seen(c, op, *seen);
  }
  record(op, std::move(seen));
  if (answer.outcome.shard.id &&
      std::holds_alternative<inbox_model::input>(op.input) &&
      answer.outcome.failure.code == core::errc::ok &&
      answer.outcome.shard.failures.empty())
    posts_[op.object].push_back(
        {op.called, ++moment_, *answer.outcome.shard.id});
  if (reading_)
    return next(c);
  next_soon(c);
}

void broker_clients::give_up(client& c) {
  const auto op = *std::exchange(c.now, std::nullopt);
  record(op, std::nullopt);
  next_soon(c);
}

void broker_clients::note_seen(client& c, const under_way& op,
                               const observation& seen) {
  const auto* input = std::get_if<inbox_model::input>(&op.input);
  const auto* inbox = std::get_if<inbox_model::output>(&seen);
  if (input != nullptr && inbox != nullptr && !inbox->waiting.empty())
    c.seen[{op.object, input->device}] =
        inbox->waiting[around_.dice(inbox->waiting.size())].first;
}

// ------------------------------------------------------------------ histories

/// What the client was told, in the words of the model; nothing if it was only
/// told that the command is known.
std::optional<observation>
broker_clients::translate(const under_way& op, const broker_answer& answer) {
  if (op.command.empty())
    return answer.seen;
  const auto& outcome = answer.outcome;
  const bool unsure = outcome.failure.code == core::errc::duplicate;
  if (unsure && (mutation_ != broker_mutation::unknown_taken_for_done ||
                 op.group == core::directory_group))
    return std::nullopt;
  if (std::holds_alternative<key_model::input>(op.input))
    return outcome.key;
  if (std::holds_alternative<inbox_model::input>(op.input)) {
    inbox_model::output seen;
    for (const auto& failure : outcome.shard.failures) {
      if (failure.code != core::errc::inbox_full)
        around_.failed("a post fails: " + core::to_string(failure));
      seen.result = inbox_model::answer::full;
    }
    return seen;
  }
  realm_model::output seen;
  seen.failure = unsure ? core::errc::ok : outcome.failure.code;
  seen.aliases = set_of(outcome.directory.aliases);
  return seen;
}

void broker_clients::record(const under_way& op,
                            std::optional<observation> output) {
  if (!output) {
    if (op.command.empty())
      return; // a read that nobody saw
    ++unknown_;
  }
  const auto returned = ++moment_;
  const auto add = [&](auto& all, const auto& input) {
    using history = std::decay_t<decltype(all)>;
    typename history::op o{input, {}, op.called};
    using output_type = typename decltype(o.output)::value_type;
    if (output) {
      o.output = std::get<output_type>(*output);
      o.returned = returned;
    }
    all.add(op.object, std::move(o));
  };
  if (const auto* key = std::get_if<key_model::input>(&op.input))
    add(keys_, *key);
  else if (const auto* inbox = std::get_if<inbox_model::input>(&op.input))
    add(inboxes_, *inbox);
  else if (const auto* realm = std::get_if<realm_model::input>(&op.input))
    add(realms_, *realm);
}

void broker_clients::check() {
  const auto judge = [&](const std::string& name, const auto& history,
                         const decision& d) {
    steps_ += d.steps;
    if (d.verdict == verdict::not_linearizable)
      around_.failed(name + " is not linearizable: of " +
                     std::to_string(history.size()) + " operations " +
                     std::to_string(d.placed) + " can be put in order");
    else if (d.verdict == verdict::undecided)
      around_.failed(name + ": the checker gives up after " +
                     std::to_string(d.steps) + " steps");
  };
  keys_.check(judge);
  inboxes_.check(judge);
  realms_.check(judge);
  check_order();
}

/// Who posts after another post was accepted comes behind it.
void broker_clients::check_order() const {
  for (const auto& [inbox, all] : posts_)
    for (const auto& a : all)
      for (const auto& b : all)
        if (a.returned < b.called && !(a.id < b.id))
          return around_.failed(inbox + ": message " + core::to_string(b.id) +
                                " was posted after " + core::to_string(a.id) +
                                " and is not behind it");
}

// ----------------------------------------------------------------- operations

core::shared_bytes broker_clients::shard_command(client& c,
                                                 core::shard_command command) {
  auto& from = doors_[c.door];
  return schema::encode(core::logged_shard_command{
      {from.origin, from.next[data_shard.value()]++}, {}, std::move(command)});
}

core::shared_bytes
broker_clients::directory_command(client& c, core::directory_command command) {
  auto& from = doors_[c.door];
  return schema::encode(core::logged_directory_command{
      {from.origin, from.next[0]++}, {}, std::move(command)});
}

broker_clients::under_way broker_clients::choose(client& c) {
  switch (around_.dice(10)) {
  case 0:
  case 1:
  case 2:
    return choose_key(c);
  case 3:
  case 4:
  case 5:
    return choose_inbox(c);
  case 6:
    return post_passing(c);
  default:
    return choose_realm(c);
  }
}

broker_clients::under_way broker_clients::read_of(const std::string& object) {
  under_way op;
  op.object = object;
  if (object.starts_with("key")) {
    op.group = data_shard;
    op.input = key_model::input{};
    op.read = [object](const broker_group& g) -> observation {
      return g.read_key(object);
    };
  } else if (object.starts_with("inbox")) {
    inbox_model::input input;
    input.device = static_cast<std::uint8_t>(around_.dice(2));
    op.group = data_shard;
    op.input = input;
    op.read = [object, input](const broker_group& g) -> observation {
      return g.read_inbox(object, input.device);
    };
  } else {
    realm_model::input input;
    input.what = static_cast<realm_model::kind>(
        static_cast<int>(realm_model::kind::find_alias) + around_.dice(3));
    input.user = static_cast<std::uint8_t>(around_.dice(realm_model::users));
    input.alias = static_cast<std::uint8_t>(around_.dice(realm_model::aliases));
    op.group = core::directory_group;
    op.input = input;
    op.read = [object, input](const broker_group& g) -> observation {
      return g.read_realm(object, input);
    };
  }
  return op;
}

broker_clients::under_way broker_clients::choose_key(client& c) {
  const auto& name = key_names[around_.dice(key_names.size())];
  if (around_.dice(2) == 0)
    return read_of(name);
  key_model::input input;
  input.what = around_.dice(2) == 0 ? key_model::kind::put
                                    : key_model::kind::compare_and_set;
  input.value = around_.dice(4);
  input.expected = around_.dice(4);
  under_way op;
  op.object = name;
  op.input = input;
  op.group = data_shard;
  op.command = shard_command(c, wrap({name, input}));
  return op;
}

broker_clients::under_way broker_clients::choose_inbox(client& c) {
  const auto& name = inbox_names[around_.dice(inbox_names.size())];
  const auto roll = around_.dice(8);
  if (roll < 3)
    return read_of(name);
  under_way op;
  op.object = name;
  op.group = data_shard;
  inbox_model::input input;
  input.device = static_cast<std::uint8_t>(around_.dice(2));
  if (const auto seen = c.seen.find({name, input.device});
      roll < 6 && seen != c.seen.end()) {
    input.what = inbox_model::kind::acknowledge;
    input.up_to = seen->second;
    op.command = shard_command(
        c, core::move_cursors{
               {{inbox_named(name), core::device_offset{input.device},
                 core::inbox_position{input.up_to}}}});
  } else {
    input.what = inbox_model::kind::post;
    input.message = ++last_message_;
    input.single = around_.dice(4) == 0;
    core::append_message post;
    post.message.payload =
        core::shared_bytes::copy_of(std::to_string(input.message));
    post.to.push_back({name, input.single, false, std::nullopt});
    op.command = shard_command(c, std::move(post));
  }
  op.input = input;
  return op;
}

broker_clients::under_way broker_clients::post_passing(client& c) {
  core::append_message post;
  post.message.payload =
      core::shared_bytes::copy_of(std::to_string(++last_message_));
  post.to.push_back({passing_inbox, false, false, std::nullopt});
  post.time_to_live = core::milliseconds{100 + around_.dice(900)};
  under_way op;
  op.object = passing_inbox;
  op.group = data_shard;
  op.command = shard_command(c, std::move(post));
  return op;
}

broker_clients::under_way broker_clients::choose_realm(client& c) {
  const auto& realm = realm_names[around_.dice(realm_names.size())];
  if (around_.dice(2) == 0)
    return read_of(realm);
  realm_model::input input;
  input.what = static_cast<realm_model::kind>(around_.dice(5));
  input.user = static_cast<std::uint8_t>(around_.dice(realm_model::users));
  input.aliases = static_cast<std::uint8_t>(around_.dice(8));
  const auto uid = uid_of(input.user);
  core::directory_command command;
  switch (input.what) {
  case realm_model::kind::create_user:
    command = core::create_user{realm, uid, "d", aliases_of(input.aliases)};
    break;
  case realm_model::kind::replace_aliases:
    command = core::replace_aliases{realm, uid, aliases_of(input.aliases)};
    break;
  case realm_model::kind::remove_user:
    command = core::remove_user{realm, uid};
    break;
  case realm_model::kind::add_member:
    command =
        core::change_list{realm, "list", core::list_edit_kind::add, "", uid};
    break;
  default:
    command =
        core::change_list{realm, "list", core::list_edit_kind::remove, "", uid};
    break;
  }
  under_way op;
  op.object = realm;
  op.input = input;
  op.group = core::directory_group;
  op.command = directory_command(c, std::move(command));
  return op;
}

} // namespace troupe::cluster::simulation
