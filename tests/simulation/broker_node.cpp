// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_node.hpp"

#include "cluster/raft_wire.hpp"
#include "schema/command_wire.hpp"
#include "schema/state_key.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe::cluster::simulation {
namespace {

constexpr std::string_view key_prefix = "\xFE";
constexpr std::size_t forwarded_max = 64;

std::string row_of(std::string_view key) {
  return std::string{key_prefix}.append(key);
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

core::shared_bytes number_text(std::uint64_t n) {
  return core::shared_bytes::copy_of(std::to_string(n));
}

bool is_own_row(std::string_view key) { return key.starts_with('\xFF'); }

} // namespace

core::append_message wrap(const key_command& command) {
  core::append_message carrier;
  carrier.message.sender = command.key;
  carrier.message.content_type =
      command.input.what == key_model::kind::put ? "put" : "cas";
  carrier.message.meta = number_text(command.input.expected);
  carrier.message.payload = number_text(command.input.value);
  return carrier;
}

broker_group::broker_group(core::node_id node, core::group_id group,
                           const core::clock& clock, broker_log& log,
                           broker_surroundings& around)
    : node_(node), group_(group), clock_(clock), log_(log), around_(around) {}

void broker_group::make_machines() {
  if (group_ == core::directory_group)
    directory_machine_.emplace(directory_);
  else
    shard_machine_.emplace(group_,
                           core::shard_tables{inboxes_, keys_, sessions_},
                           core::shard_observers{this});
}

void broker_group::start(const raft_options& options,
                         const std::optional<configuration>& founding,
                         storage::recovered_group recovered,
                         std::uint64_t seed) {
  make_machines();
  actors::replica_deps deps;
  deps.group = group_;
  deps.self = node_;
  deps.founding = founding;
  deps.raft = options;
  deps.clock = &clock_;
  deps.log = &log_;
  deps.space = &space_;
  deps.recovered = std::move(recovered);
  deps.seed = seed;
  replica_ = std::make_unique<actors::replica>(std::move(deps), *this);
  replica_->start();
  settle();
}

void broker_group::crash() {
  replica_.reset();
  pending_.clear();
  reads_.clear();
  outcomes_.clear();
  orders_.clear();
  staged_.reset();
  staged_meta_.reset();
  install_.reset();
  led_ = false;
  space_.lose_uncommitted();
}

void broker_group::settle() {
  replica_->pump();
  if (const auto& fatal = consensus().fatal())
    around_.broken(fatal->detail);
}

// ------------------------------------------------------------------ messages

void broker_group::send(core::node_id to, const message& m) {
  around_.transmit({node_, to, group_, encode(m), {}});
}

void broker_group::receive(const broker_packet& packet) {
  auto m = decode_message(packet.frame);
  if (!m)
    return around_.broken("a message can't be read again");
  if (const auto* announcement = std::get_if<install_snapshot>(&*m)) {
    if (install_ || !packet.contents)
      return;
    staged_ = packet.contents;
    staged_meta_ = announcement->meta;
  }
  replica_->receive(packet.from, std::move(*m));
  settle();
}

void broker_group::on_leadership() {
  if (std::exchange(led_, leads()) && !led_) {
    for (const auto& lost : std::exchange(pending_, {}))
      around_.reply({lost.from.client,
                     lost.from.operation,
                     core::errc::not_leader,
                     consensus().leader(),
                     {},
                     {}});
  }
}

// ------------------------------------------------------------------- clients

void broker_group::refuse(const broker_request& request, core::errc why) {
  around_.reply({request.client,
                 request.operation,
                 why,
                 leads() ? core::node_id{} : consensus().leader(),
                 {},
                 {}});
}

void broker_group::take(const broker_request& request) {
  const auto mutation = around_.mutation();
  if (request.command.empty()) {
    if (mutation == broker_mutation::reads_anywhere ||
        (mutation == broker_mutation::reads_unconfirmed && leads()))
      return answer_read(request);
    if (reads_.size() > forwarded_max)
      reads_.erase(reads_.begin());
    const auto token = ++last_read_;
    reads_.emplace(token, request);
    if (const auto asked = consensus().read_index(token); !asked) {
      reads_.erase(token);
      refuse(request, asked.error().code);
    }
    return settle();
  }
  // Each attempt has bytes of its own: the leader stamps its time into them.
  auto placed =
      replica_->propose(core::shared_bytes::copy_of(request.command.view()));
  if (!placed)
    return refuse(request, placed.error().code);
  if (mutation == broker_mutation::answer_when_proposed)
    around_.reply({request.client, request.operation, {}, {}, {}, {}});
  pending_.push_back({*placed,
                      consensus().current_term(),
                      {request.client, request.operation}});
  settle();
}

void broker_group::on_read(const read_answer& answer) {
  const auto at = reads_.find(answer.token);
  if (at == reads_.end())
    return;
  const auto request = std::move(at->second);
  reads_.erase(at);
  if (answer.status != core::errc::ok)
    return refuse(request, answer.status);
  answer_read(request);
}

void broker_group::answer_read(const broker_request& request) {
  around_.reply(
      {request.client, request.operation, {}, {}, {}, request.read(*this)});
}

void broker_group::sweep() {
  (void)replica_->propose(schema::encode(
      core::logged_shard_command{{}, {}, core::sweep_expired{3}}));
  settle();
}

// --------------------------------------------------------------------- apply

void broker_group::apply(const committed_entry& entry) {
  const auto prefix = schema::decode_prefix(entry.data.view());
  if (!prefix)
    return around_.broken("a command can't be read again");
  applying_ = prefix->time;
  auto outcome = execute(entry, prefix->key);
  around_.applied(*this, entry, prefix->key, outcome);
  if (outcome.failure.code != core::errc::duplicate)
    outcomes_.keep(prefix->key, outcome);
  else if (const auto* first = outcomes_.find(prefix->key))
    outcome = *first;
  if (pending_.empty() || pending_.front().index != entry.index)
    return;
  const auto done = pending_.front();
  pending_.pop_front();
  if (done.term != entry.term)
    around_.reply({done.from.client,
                   done.from.operation,
                   core::errc::not_leader,
                   consensus().leader(),
                   {},
                   {}});
  else
    around_.reply({done.from.client, done.from.operation, {}, {}, outcome, {}});
}

broker_outcome broker_group::execute(const committed_entry& entry,
                                     const core::idempotency_key& key) {
  const bool blind = around_.mutation() == broker_mutation::duplicates_applied;
  broker_outcome outcome;
  if (group_ == core::directory_group) {
    auto command = schema::decode_directory_command(entry.data);
    if (!command) {
      around_.broken("a directory command can't be read again");
      return outcome;
    }
    command->key = blind ? core::idempotency_key{} : key;
    outcome.directory = directory_machine_->apply(entry.index, *command);
    outcome.failure = outcome.directory.failure;
    return outcome;
  }
  auto command = schema::decode_shard_command(entry.data);
  if (!command) {
    around_.broken("a shard command can't be read again");
    return outcome;
  }
  command->key = blind ? core::idempotency_key{} : key;
  if (around_.mutation() == broker_mutation::origins_end_by_clock &&
      std::holds_alternative<core::sweep_expired>(command->command))
    for (const auto& [id, record] : inboxes_.origins())
      if (record.used + std::chrono::hours{1} < command->time)
        inboxes_.erase_origin(id);
  outcome.shard = shard_machine_->apply(entry.index, *command, entry.data);
  outcome.failure = outcome.shard.failure;
  const auto* carrier = std::get_if<core::append_message>(&command->command);
  if (carrier != nullptr && carrier->to.empty() &&
      outcome.failure.code == core::errc::ok)
    execute_key(*carrier, outcome.key);
  return outcome;
}

void broker_group::execute_key(const core::append_message& carrier,
                               key_model::output& output) {
  const auto row = row_of(carrier.message.sender);
  const auto stored = space_.get(row);
  const auto value = stored ? number_in(stored->text()) : 0;
  const bool put = carrier.message.content_type == "put";
  if (put || value == number_in(carrier.message.meta.text()))
    space_.put(row,
               core::shared_bytes::copy_of(carrier.message.payload.view()));
  else
    output.done = false;
}

void broker_group::on_appended(const core::owner& inbox,
                               const core::inbox_entry& entry,
                               core::message_ptr) {
  if (inbox.name == passing_inbox)
    around_.appended(entry);
}

void broker_group::on_removed(const core::owner& inbox,
                              core::inbox_position position) {
  if (inbox.name == passing_inbox)
    around_.removed(position, applying_);
}

// ----------------------------------------------------------------- snapshots

void broker_group::commit_state() {
  space_.commit();
  replica_->committed_state(space_.applied());
  settle();
}

void broker_group::send_snapshot(const snapshot_send& order) {
  replica_->pin();
  orders_.push_back(order.to);
}

std::vector<core::node_id> broker_group::take_orders() {
  return std::exchange(orders_, {});
}

void broker_group::send_snapshot_now(core::node_id to) {
  replica_->unpin();
  auto& core = consensus();
  const auto index = space_.applied();
  const bool sound = core.leads() && index <= core.applied() &&
                     index != core::log_index{} &&
                     (!core.snapshot() || index >= core.snapshot()->index);
  if (sound) {
    space_.commit();
    const install_snapshot announcement{core.current_term(),
                                        core.describe(index)};
    around_.transmit(
        {node_, to, group_, encode(message{announcement}), space_.all()});
  }
  if (core.leads())
    core.snapshot_sent(to, sound);
  settle();
}

void broker_group::install(const snapshot_meta& meta) {
  if (!staged_ || staged_meta_ != meta)
    return replica_->install_failed();
  install_ = meta;
}

void broker_group::finish_install(bool success) {
  const auto meta = *std::exchange(install_, std::nullopt);
  auto contents = *std::exchange(staged_, std::nullopt);
  staged_meta_.reset();
  if (!success) {
    replica_->install_failed();
    return settle();
  }
  contents.insert_or_assign(std::string{actors::installed_key},
                            actors::encode_snapshot_meta(meta));
  space_.replace(std::move(contents), meta.index);
  if (around_.mutation() == broker_mutation::snapshot_without_origins)
    forget_origins();
  outcomes_.clear(); // the tables may hold newer commands
  make_machines();
  replica_->installed(meta);
  settle();
}

void broker_group::forget_origins() {
  for (const auto& [id, record] : inboxes_.origins())
    inboxes_.erase_origin(id);
  for (const auto& [id, record] : directory_.origins())
    directory_.erase_origin(id);
  space_.commit();
}

// --------------------------------------------------------------------- reads

key_model::output broker_group::read_key(const std::string& key) const {
  const auto stored = space_.get(row_of(key));
  return {true, stored ? number_in(stored->text()) : 0};
}

inbox_model::output broker_group::read_inbox(const std::string& name,
                                             std::uint8_t device) const {
  inbox_model::output seen;
  const auto head = inboxes_.head({"default", core::owner_kind::user, name});
  if (!head)
    return seen;
  for (const auto& cursor : head->cursors) {
    if (cursor.device != core::device_offset{device})
      continue;
    inboxes_.each_entry(
        head->number, head->first, [&](const core::inbox_entry& e) {
          const auto body = inboxes_.body(e.source);
          const auto m =
              body ? schema::decode_message(*body, group_, e.source, e.ordinal)
                   : core::result<core::message>{core::errc::not_found};
          if (!m)
            around_.broken("an entry without its message");
          else if (core::inbox_machine::wants(cursor, e))
            seen.waiting.emplace_back(e.position.value(),
                                      number_in(m->payload.text()));
          return true;
        });
  }
  return seen;
}

realm_model::output
broker_group::read_realm(const std::string& realm,
                         const realm_model::input& what) const {
  realm_model::output seen;
  const auto uid = std::string(1, static_cast<char>('a' + what.user));
  switch (what.what) {
  case realm_model::kind::find_alias: {
    const auto owner = directory_.alias(
        realm, std::string(1, static_cast<char>('x' + what.alias)));
    seen.found = owner ? static_cast<std::uint8_t>(owner->front() - 'a')
                       : realm_model::nobody;
    break;
  }
  case realm_model::kind::find_user:
    if (const auto user = directory_.user(realm, uid)) {
      seen.found = 1;
      for (const auto& alias : user->aliases)
        seen.aliases |= static_cast<std::uint8_t>(1U << (alias.front() - 'x'));
    }
    break;
  default:
    directory_.each_member(
        realm, "list", {},
        [&](std::string_view member, const core::list_member&) {
          seen.found |= static_cast<std::uint8_t>(1U << (member.front() - 'a'));
          return true;
        });
    break;
  }
  return seen;
}

test::memory_state_space::contents broker_group::contents() const {
  auto all = space_.all();
  std::erase_if(all, [](const auto& row) { return is_own_row(row.first); });
  return all;
}

} // namespace troupe::cluster::simulation
