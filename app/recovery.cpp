// SPDX-License-Identifier: Apache-2.0
#include "app/recovery.hpp"

#include "actors/replica.hpp"
#include "core/json_text.hpp"
#include "core/node_registry.hpp"
#include "schema/command_wire.hpp"
#include "schema/stored_directory.hpp"
#include "storage/log_store.hpp"
#include "storage/state_store.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <thread>

namespace troupe::app {
namespace {

constexpr const char* record_name = "recoveries.jsonl";
/// The log makes its segments behind the scenes.
constexpr std::chrono::seconds room_patience{30};

/// The tables of nodes in memory: as stored, plus what the log has behind
/// them.
class remembered_nodes final : public core::node_store {
public:
  explicit remembered_nodes(const core::node_store& stored) {
    stored.each_node([&](core::node_id id, const core::node_record& record) {
      nodes_[id] = record;
      return true;
    });
    cluster_ = stored.cluster();
  }

  std::optional<core::node_record> node(core::node_id id) const override {
    const auto at = nodes_.find(id);
    return at == nodes_.end() ? std::nullopt : std::optional{at->second};
  }
  void put_node(core::node_id id, const core::node_record& record) override {
    nodes_[id] = record;
  }
  void each_node(const node_visitor& visit) const override {
    for (const auto& [id, record] : nodes_)
      if (!visit(id, record))
        return;
  }
  std::optional<std::vector<core::node_id>>
  placement(core::group_id) const override {
    return std::nullopt;
  }
  void put_placement(const core::group_placement&) override {}
  void each_placement(const placement_visitor&) const override {}
  core::cluster_record cluster() const override { return cluster_; }
  void put_cluster(const core::cluster_record& record) override {
    cluster_ = record;
  }

private:
  std::map<core::node_id, core::node_record> nodes_;
  core::cluster_record cluster_;
};

core::error refused(std::string why) {
  return {core::errc::invalid_config, std::move(why)};
}

core::error unreadable(core::group_id group, const char* what) {
  return {core::errc::corrupt,
          "group " + std::to_string(group.value()) + ": unreadable " + what};
}

core::timestamp stored_time(core::state_space& space) {
  std::int64_t millis = 0;
  if (const auto row = space.get(actors::time_key);
      row && row->size() == sizeof millis)
    std::memcpy(&millis, row->data(), sizeof millis);
  return core::from_millis(millis);
}

void add_ids(core::json_writer& out, std::string_view name,
             const std::vector<core::node_id>& nodes) {
  out.key(name).begin_array();
  for (const auto node : nodes)
    out.value(node.value());
  out.end_array();
}

} // namespace

struct recovery::stores {
  recovery_options options;
  storage::file_system& files = storage::posix_file_system();
  std::optional<storage::data_folder> folder;
  std::unique_ptr<storage::state_store> tables;
  std::unique_ptr<storage::log_store> log;
  std::vector<storage::recovered_group> records;
  /// Newer than the log, if contents were installed when the node died.
  std::map<core::group_id, cluster::snapshot_meta> installed;
};

recovery::recovery() : stores_(std::make_unique<stores>()) {}

recovery::~recovery() {
  if (stores_->tables)
    stores_->tables->close();
}

const storage::folder_identity& recovery::identity() const {
  return *stores_->folder->identity();
}

std::string recovery::token() const {
  const auto token = stores_->folder->token();
  return token ? *token : std::string{};
}

core::result<std::unique_ptr<recovery>>
recovery::open(recovery_options options) {
  std::unique_ptr<recovery> fresh{new recovery};
  auto& mine = *fresh->stores_;
  mine.options = std::move(options);
  // Opening makes a folder that is not there.
  if (!mine.files.exists(mine.options.data / "troupe.json"))
    return core::error{core::errc::not_found,
                       mine.options.data.string() +
                           " is not the data folder of a node"};
  auto folder = storage::data_folder::open(mine.files, mine.options.data);
  if (!folder)
    return folder.error();
  mine.folder.emplace(std::move(*folder));
  const auto& identity = *mine.folder->identity();

  storage::state_options tables;
  tables.folder = mine.folder->state_path();
  tables.cluster = identity.cluster;
  tables.groups = static_cast<std::uint16_t>(identity.shards + 1U);
  auto opened_tables = storage::state_store::open(std::move(tables));
  if (!opened_tables)
    return opened_tables.error();
  mine.tables = std::move(*opened_tables);

  storage::log_options log;
  log.folder = mine.folder->log_path();
  log.cluster = identity.cluster;
  log.segment_bytes = mine.options.segment_bytes;
  log.reserve_bytes = mine.options.reserve_bytes;
  log.on_durable = [](auto) {};
  auto opened_log = storage::log_store::open(mine.files, std::move(log));
  if (!opened_log)
    return opened_log.error();
  mine.log = std::move(opened_log->store);
  mine.records = std::move(opened_log->groups);
  if (auto seen = fresh->look(); !seen)
    return seen.error();
  return fresh;
}

core::result<void> recovery::look() {
  std::vector<std::uint32_t> missing;
  for (std::uint32_t g = 0; g <= identity().shards; ++g) {
    const core::group_id group{static_cast<std::uint16_t>(g)};
    const auto at =
        std::find_if(stores_->records.begin(), stores_->records.end(),
                     [&](const auto& r) { return r.group == group; });
    const auto before = groups_.size();
    if (at != stores_->records.end())
      if (auto done = look_at(*at); !done)
        return done;
    if (groups_.size() == before) {
      missing.push_back(g);
      continue;
    }
    if (group == core::directory_group)
      if (auto done = look_for_nodes(*at); !done)
        return done;
  }
  if (lost_.empty() && missing.empty())
    return refused("no other node is left in its cluster: there is nothing to "
                   "recover from");
  if (missing.empty())
    return {};
  std::string text;
  for (const auto g : missing)
    text += (text.empty() ? "" : ", ") + std::to_string(g);
  return refused("this node keeps nothing of the groups " + text +
                 ": their messages would be lost. Recover a node that keeps "
                 "every group, as each does in a cluster of up to three");
}

core::result<void> recovery::look_at(const storage::recovered_group& record) {
  recovered_part part;
  part.group = record.group;
  part.applied = stores_->tables->durable_applied(record.group);
  std::optional<cluster::snapshot_meta> base;
  if (record.snapshot_meta) {
    base = actors::decode_snapshot_meta(*record.snapshot_meta);
    if (!base)
      return unreadable(part.group, "snapshot record");
  }
  const auto row =
      stores_->tables->space(part.group).get(actors::installed_key);
  if (row) {
    auto meta = actors::decode_snapshot_meta(*row);
    if (!meta)
      return unreadable(part.group, "snapshot record");
    const auto end = record.first.value() + record.entries.size();
    if ((!base || meta->index > base->index) && meta->index.value() >= end)
      stores_->installed[part.group] = *meta;
    if (!base || meta->index > base->index)
      base = std::move(meta);
  }
  if (base) {
    part.members = base->configuration;
    part.last = base->index;
    part.term = base->term;
  }
  auto widest = part.members.voters.size();
  for (std::size_t i = 0; i < record.entries.size(); ++i) {
    const core::log_index index{record.first.value() + i};
    if (index <= part.last && base && index <= base->index)
      continue;
    const auto& entry = record.entries[i];
    part.last = index;
    part.term = entry.term;
    if (entry.kind !=
        static_cast<std::uint8_t>(cluster::entry_kind::configuration))
      continue;
    auto members = cluster::decode_configuration(entry.data.view());
    if (!members)
      return unreadable(part.group, "configuration");
    part.members = std::move(*members);
    // One that is applied has been agreed upon; one before it decides no more.
    widest = index <= part.applied
                 ? part.members.voters.size()
                 : std::max(widest, part.members.voters.size());
  }
  if (part.members.voters.empty())
    return {}; // waits for a leader that never came
  if (record.hard_state)
    part.term = std::max(part.term, record.hard_state->term);
  if (!part.members.is_voter(identity().node))
    part.loss = recovery_loss::unknown;
  else if (widest > 2)
    part.loss = recovery_loss::recent;
  groups_.push_back(std::move(part));
  return {};
}

/// Which nodes there are: what the tables say and, behind that, the log.
core::result<void>
recovery::look_for_nodes(const storage::recovered_group& record) {
  auto& space = stores_->tables->space(core::directory_group);
  const schema::stored_directory stored{space};
  remembered_nodes nodes{stored};
  newest_ = stored_time(space);
  for (std::size_t i = 0; i < record.entries.size(); ++i) {
    const auto& entry = record.entries[i];
    if (entry.kind != static_cast<std::uint8_t>(cluster::entry_kind::command) ||
        core::log_index{record.first.value() + i} <= groups_.front().applied)
      continue;
    const auto command = schema::decode_directory_command(entry.data);
    if (!command)
      return unreadable(core::directory_group, "command");
    newest_ = std::max(newest_, command->time);
    if (const auto* change =
            std::get_if<core::change_cluster>(&command->command))
      (void)core::apply(nodes, change->change, command->time);
  }
  nodes.each_node([&](core::node_id id, const core::node_record& record_of) {
    if (id == identity().node)
      serves_ = record_of.state == core::node_state::member;
    else if (record_of.state != core::node_state::removed)
      lost_.emplace_back(id, record_of);
    return true;
  });
  return {};
}

// ------------------------------------------------------------------- changing

/// As if this node had been elected in the next term and had been all there
/// is: the entry counts from the moment it stands in the log.
storage::log_write recovery::change_of(const recovered_part& part) const {
  const auto self = identity().node;
  const auto term = core::next(part.term);
  storage::log_write write;
  write.group = part.group;
  write.hard_state = storage::hard_state{term, self};
  if (const auto at = stores_->installed.find(part.group);
      at != stores_->installed.end()) {
    write.snapshot_meta = actors::encode_snapshot_meta(at->second);
    write.replace_log = true;
  }
  write.first = core::next(part.last);
  write.entries.push_back(
      {term, static_cast<std::uint8_t>(cluster::entry_kind::configuration),
       cluster::encode(cluster::configuration{{self}, {}})});
  return write;
}

void recovery::add_removals(storage::log_write& to, core::timestamp now) const {
  const auto self = identity().node;
  const auto add = [&](core::cluster_command command) {
    to.entries.push_back(
        {to.hard_state->term,
         static_cast<std::uint8_t>(cluster::entry_kind::command),
         schema::encode(core::logged_directory_command{
             {},
             std::max(now, newest_),
             core::change_cluster{std::move(command)}})});
  };
  if (!serves_)
    add(core::set_node_state{self, core::node_state::member});
  core::set_placement placement;
  for (const auto& part : groups_)
    placement.groups.push_back({part.group, {self}});
  add(std::move(placement));
  for (const auto& [id, record] : lost_)
    add(core::set_node_state{id, core::node_state::removed});
}

core::result<void> recovery::write_record(core::timestamp now) const {
  core::json_writer out;
  const auto cluster = storage::to_string(identity().cluster);
  out.begin_object()
      .member("time_ms", core::to_millis(now))
      .member("cluster", std::string_view{cluster})
      .member("node", identity().node.value())
      .key("lost")
      .begin_array();
  for (const auto& [id, record] : lost_)
    out.begin_object()
        .member("id", id.value())
        .member("name", std::string_view{record.name})
        .member("address", std::string_view{record.address})
        .end_object();
  out.end_array().key("groups").begin_array();
  for (const auto& part : groups_) {
    out.begin_object()
        .member("group", std::uint64_t{part.group.value()})
        .member("term", part.term.value())
        .member("last", part.last.value())
        .member("applied", part.applied.value());
    add_ids(out, "voters", part.members.voters);
    add_ids(out, "learners", part.members.learners);
    out.end_object();
  }
  out.end_array().end_object();
  const auto line = std::move(out).text() + "\n";
  auto file = stores_->files.open(stores_->options.data / record_name,
                                  storage::open_mode::create);
  if (!file)
    return file.error();
  const auto size = (*file)->size();
  if (!size)
    return size.error();
  if (auto done = (*file)->write_at(core::as_bytes(line), *size); !done)
    return done;
  if (auto done = (*file)->sync(); !done)
    return done;
  return stores_->files.sync_folder(stores_->options.data);
}

core::result<void> recovery::carry_out(core::timestamp now) {
  if (auto done = write_record(now); !done)
    return done;
  // The directory goes last: until then it names the lost nodes, and all of
  // it can be done again.
  auto order = groups_;
  std::rotate(order.begin(), order.begin() + 1, order.end());
  const auto end = std::chrono::steady_clock::now() + room_patience;
  for (const auto& part : order) {
    const bool directory = part.group == core::directory_group;
    if (!directory && part.members.is_lone_voter(identity().node) &&
        part.members.learners.empty())
      continue;
    auto write = change_of(part);
    if (directory)
      add_removals(write, now);
    for (;;) {
      const auto taken = stores_->log->submit(write);
      if (taken)
        break;
      if (taken.error().code != core::errc::overloaded ||
          std::chrono::steady_clock::now() > end)
        return taken.error();
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }
  stores_->log.reset(); // all that was accepted is on disk
  return {};
}

} // namespace troupe::app
