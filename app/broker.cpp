// SPDX-License-Identifier: Apache-2.0
#include "app/broker.hpp"

#include "actors/courier_actor.hpp"
#include "actors/directory_actor.hpp"
#include "actors/keys/keys_actor.hpp"
#include "actors/messages.hpp"
#include "actors/names/client_desk.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/shard_actor.hpp"
#include "schema/stored_directory.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace troupe::app {
namespace {

/// Bytes of state that may wait for their commit before commands wait, too. A
/// commit holds a second copy in its dirty pages meanwhile.
constexpr std::size_t tables_backlog_max = std::size_t{96} << 20;
/// What a group's log keeps for followers that are behind, beyond what the
/// tables hold; followers behind that get a snapshot. There are many groups.
constexpr std::size_t log_tail_bytes = std::size_t{8} << 20;
/// Empty file: the log was begun.
constexpr const char* log_marker = "log-was-begun";

} // namespace

/// The groups that have written everything, while the broker stops.
struct broker::retirement {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<core::group_id> done;
};

broker::broker(broker_settings settings)
    : settings_(std::move(settings)), files_(storage::posix_file_system()),
      entry_({settings_.cluster, clock_, settings_.log, settings_.pause}),
      retirement_(std::make_unique<retirement>()) {}

broker::~broker() {
  // Threads of the stores call into members declared before them.
  std::shared_ptr<const void> attachments;
  if (cluster_)
    attachments = cluster_->attachments();
  cluster_.reset();
  end_channels();
  system_.reset();
  attachments.reset();
  log_.reset();
  if (state_)
    state_->close();
}

core::result<std::unique_ptr<broker>> broker::open(broker_settings settings) {
  std::unique_ptr<broker> fresh{new broker{std::move(settings)}};
  for (const auto step :
       {&broker::open_folder, &broker::open_state, &broker::confirm_membership,
        &broker::open_log, &broker::start_actors})
    if (auto done = (*fresh.*step)(); !done)
      return done.error();
  return fresh;
}

core::result<void> broker::open_folder() {
  auto folder = storage::data_folder::open(files_, settings_.data);
  if (!folder)
    return folder.error();
  folder_ = std::make_unique<storage::data_folder>(std::move(*folder));
  has_log_ = files_.exists(folder_->path() / log_marker);
  if (auto entered = entry_.enter(*folder_, has_log_, settings_.broker.shards);
      !entered)
    return entered;
  // How many shards there are is decided once, when the cluster is made.
  settings_.broker.shards =
      static_cast<std::uint16_t>(folder_->identity()->shards);
  return {};
}

core::result<void> broker::open_state() {
  storage::state_options state;
  state.folder = folder_->state_path();
  state.cluster = folder_->identity()->cluster;
  state.groups = static_cast<std::uint16_t>(settings_.broker.shards + 1U);
  state.map_bytes = settings_.map_bytes;
  state.mapped_bytes_max = settings_.mapped_bytes_max;
  state.commit_interval = settings_.commit_interval;
  state.quota_bytes = settings_.quota_bytes;
  state.reserve_bytes = settings_.reserve_bytes;
  state.on_commit = [this](auto points) { on_committed(points); };
  state.on_health = [this](const storage::health& h) {
    settings_.log(h.level == storage::space_level::ok ? "info" : "warn",
                  "state", h.reason.empty() ? "has room again" : h.reason);
  };
  auto opened_state = storage::state_store::open(std::move(state));
  if (!opened_state)
    return opened_state.error();
  state_ = std::move(*opened_state);
  directory_tables_ = std::make_unique<schema::stored_directory>(
      state_->space(core::directory_group));
  directory_ = std::make_unique<core::directory>(*directory_tables_, &routes_);
  return {};
}

core::result<void> broker::open_log() {
  // A log that was there and is not any more took acknowledged work with it.
  const auto segments = files_.list(folder_->log_path());
  if (has_log_ && (!segments || segments->empty()))
    return core::error{core::errc::corrupt,
                       folder_->log_path().string() +
                           ": the log is not there any more; restore the "
                           "folder from a backup"};
  storage::log_options log;
  log.folder = folder_->log_path();
  log.cluster = folder_->identity()->cluster;
  log.segment_bytes = settings_.segment_bytes;
  log.reserve_bytes = settings_.reserve_bytes;
  log.on_durable = [this](auto batch) { on_durable(batch); };
  log.on_health = [this](const storage::health& h) {
    settings_.log(h.level == storage::space_level::ok ? "info" : "warn", "log",
                  h.reason.empty() ? "has room again" : h.reason);
  };
  auto opened_log = storage::log_store::open(files_, std::move(log));
  if (!opened_log)
    return opened_log.error();
  log_ = std::move(opened_log->store);
  if (!has_log_) {
    if (auto made = files_.open(folder_->path() / log_marker,
                                storage::open_mode::create);
        !made)
      return made.error();
    if (auto synced = files_.sync_folder(folder_->path()); !synced)
      return synced.error();
  }
  recovered_ = std::move(opened_log->groups);
  return check_log_is_complete();
}

/// The tables say how far the log must reach; a log that is gone or begins
/// later has been taken away, and with it what was acknowledged.
core::result<void> broker::check_log_is_complete() const {
  for (std::uint16_t g = 0; g <= settings_.broker.shards; ++g) {
    const core::group_id group{g};
    const auto applied = state_->durable_applied(group);
    if (applied == core::log_index{})
      continue;
    const auto found =
        std::find_if(recovered_.begin(), recovered_.end(),
                     [&](const auto& r) { return r.group == group; });
    const bool known = found != recovered_.end() && found->hard_state;
    const bool gap =
        known && !found->entries.empty() && found->first > core::next(applied);
    if (!known || gap)
      return core::error{
          core::errc::corrupt,
          folder_->log_path().string() + ": group " + std::to_string(g) +
              " has applied its log through " +
              std::to_string(applied.value()) + ", but the log " +
              (known ? "begins behind that" : "is not there any more") +
              "; restore the folder from a backup"};
  }
  return {};
}

core::result<void> broker::confirm_membership() {
  return entry_.confirm(*folder_, *directory_);
}

core::result<void> broker::start_actors() {
  actors::runtime::runtime_options runtime;
  runtime.loops = settings_.loops;
  runtime.spin = settings_.spin;
  runtime.clock = &clock_;
  runtime.on_error = [this](std::string_view where, std::string_view what) {
    settings_.log("error", where, what);
  };
  config_ = std::make_unique<actors::runtime::runtime_config>(runtime);
  if (settings_.cluster)
    if (auto able = cluster_member::prepare(*config_, *settings_.cluster);
        !able)
      return able;
  settings_.broker.clustered = settings_.cluster.has_value();
  context_ = std::make_unique<actors::broker_context>(clock_, settings_.broker,
                                                      settings_.loops);
  context_->directory = directory_.get();
  context_->log = settings_.log;
  authorizer_ = std::make_unique<core::authorizer>(
      directory_->rights(), context_->rights, clock_, settings_.rights);
  context_->authorizer = authorizer_.get();
  context_->rights.changed(directory_->rights().totals_of_rights());
  context_->on_retired = [this](core::group_id group) { on_retired(group); };
  system_ = std::make_unique<caf::actor_system>(*config_);
  actors::topics::router_options topics;
  topics.self = folder_->identity()->node;
  topics.interest = settings_.interest;
  topics.shares = settings_.shares;
  topics_ = std::make_shared<actors::topics::topic_router>(*system_, topics);
  channels_ = std::make_unique<actors::channels::channel_host>(
      *system_, clock_, settings_.channels);
  topics_->set_channels(*channels_);
  context_->publish_now = [topics = topics_.get()](core::publication what) {
    (void)topics->publish(std::move(what));
  };
  if (settings_.cluster)
    if (auto opened = open_cluster(); !opened)
      return opened;
  replica_log_ = std::make_unique<actors::stored_log>(
      *log_,
      actors::tables_pressure{
          [this] { return state_->health().level != storage::space_level::ok; },
          [this] { return state_->backlog_bytes() > tables_backlog_max; }});
  start_groups();
  start_keys();
  started_.store(true, std::memory_order_release);
  if (cluster_)
    cluster_->start(entry_.introduced());
  return {};
}

core::result<void> broker::open_cluster() {
  const auto& identity = *folder_->identity();
  actors::node_identity self{identity.node, entry_.token(),
                             settings_.cluster->name, "", entry_.incarnation()};
  auto opened = cluster_member::open(
      *settings_.cluster,
      {*system_, *context_, topics_, files_, *state_, folder_->path() / "spool",
       identity.cluster, std::move(self),
       [this](core::group_id group, actors::group_frame frame) {
         if (started_.load(std::memory_order_acquire))
           tell(group, std::move(frame));
       },
       [this](core::group_id group, std::function<void()> work) {
         while (!started_.load(std::memory_order_acquire))
           std::this_thread::yield();
         tell(group, actors::group_task{std::move(work)});
       },
       settings_.log, settings_.draining,
       [this](core::error why) {
         settings_.removed();
         settings_.failed(std::move(why));
       }});
  if (!opened)
    return opened.error();
  cluster_ = std::move(*opened);
  return {};
}

actors::group_deps broker::deps_of(core::group_id group) {
  actors::group_deps all;
  auto& deps = all.replica;
  deps.group = group;
  deps.self = folder_->identity()->node;
  // Only the first node of a cluster makes its groups.
  if (deps.self == core::node_id{1})
    deps.founding = {{deps.self}, {}};
  if (cluster_) {
    all.transport = &cluster_->transport();
    all.snapshots = &cluster_->snapshots();
    deps.raft.keep_bytes = log_tail_bytes;
  }
  deps.clock = &clock_;
  deps.command_bytes_max = settings_.segment_bytes / 3 - (64U << 10U);
  deps.log = replica_log_.get();
  deps.space = &state_->space(group);
  deps.recovered.group = group;
  for (auto& found : recovered_)
    if (found.group == group)
      deps.recovered = std::move(found);
  return all;
}

void broker::start_groups() {
  actors::directory_deps directory{context_.get(),
                                   deps_of(core::directory_group),
                                   directory_tables_.get(),
                                   {}};
  directory.routes = &routes_;
  if (cluster_)
    directory.identity = cluster_->self();
  auto& loops = scheduler();
  context_->directory_handle =
      actors::runtime::spawn_pinned<actors::directory_actor,
                                    actors::directory_state>(
          *system_, &loops.at(0), actors::directory_behavior,
          std::move(directory));
  for (std::size_t i = 0; i < loops.size(); ++i)
    context_->couriers.push_back(
        actors::runtime::spawn_pinned<actors::courier_actor,
                                      actors::courier_state>(
            *system_, &loops.at(i), actors::courier_behavior,
            actors::courier_deps{context_.get(), i}));
  for (std::size_t i = 0; i < loops.size(); ++i)
    context_->desks.push_back(
        actors::runtime::spawn_pinned<actors::desk_actor,
                                      actors::names::desk_state>(
            *system_, &loops.at(i), actors::names::desk_behavior,
            actors::names::desk_deps{
                context_.get(),
                cluster_ ? cluster_->self().id : core::node_id{}, i}));
  for (std::uint16_t i = 1; i <= settings_.broker.shards; ++i) {
    const core::group_id group{i};
    context_->shards.push_back(
        actors::runtime::spawn_pinned<actors::shard_actor, actors::shard_state>(
            *system_, &loops.at(i % loops.size()), actors::shard_behavior,
            actors::shard_deps{context_.get(), deps_of(group)}));
  }
  recovered_ = {};
}

/// One a loop: who sets and reads keys there has it at hand.
void broker::start_keys() {
  auto& loops = scheduler();
  key_actors_ = loops.size();
  for (std::size_t i = 0; i < loops.size(); ++i)
    context_->key_actors.push_back(
        actors::runtime::spawn_pinned<actors::keys_actor,
                                      actors::keys::keys_state>(
            *system_, &loops.at(i), actors::keys::keys_behavior,
            actors::keys::keys_deps{context_.get(), folder_->identity()->node,
                                    cluster_ ? &cluster_->keys() : nullptr, i,
                                    [this] { key_actors_.fetch_sub(1); }}));
}

template <class Message>
void broker::tell(core::group_id group, Message message) {
  if (group == core::directory_group)
    caf::anon_send(context_->directory_handle, std::move(message));
  else
    caf::anon_send(context_->shard(group), std::move(message));
}

// ------------------------------------------------- from the storage threads

void broker::on_durable(std::span<const storage::completion> batch) {
  // Before the first group exists nothing has been submitted; between its
  // start and the last one's, early completions wait.
  while (!started_.load(std::memory_order_acquire))
    std::this_thread::yield();
  // Tokens of a group ascend: the last one of a batch says it all.
  std::vector<std::uint64_t> last(context_->shards.size() + 1U, 0);
  std::vector<bool> seen(last.size(), false);
  for (const auto& done : batch) {
    seen[done.group.value()] = true;
    last[done.group.value()] = done.token;
  }
  for (std::size_t g = 0; g < last.size(); ++g) {
    if (!seen[g])
      continue;
    tell(core::group_id{static_cast<std::uint16_t>(g)},
         actors::log_persisted{last[g]});
  }
}

void broker::on_committed(std::span<const storage::durable_point> points) {
  if (!started_.load(std::memory_order_acquire))
    return;
  for (const auto& point : points)
    tell(point.group, actors::state_committed{point.applied});
}

// --------------------------------------------------------------------- stop

void broker::on_retired(core::group_id group) {
  const std::lock_guard lock{retirement_->mutex};
  retirement_->done.insert(group);
  retirement_->changed.notify_all();
}

/// Nobody listens any more.
void broker::end_channels() {
  if (!channels_)
    return;
  topics_->drop_channels();
  channels_->retire();
}

/// Nobody asks any more; what was asked for last, wills above all, is carried
/// out. They need the shards: they go before those.
void broker::end_keys(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (const auto& each : context_->key_actors)
    caf::anon_send(each, actors::retire{});
  while (key_actors_.load() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  for (const auto& each : context_->key_actors)
    caf::anon_send_exit(each, caf::exit_reason::kill);
}

bool broker::stop(std::chrono::milliseconds patience) {
  end_channels();
  end_keys(patience / 4);
  caf::anon_send(context_->directory_handle, actors::retire{});
  for (const auto& shard : context_->shards)
    caf::anon_send(shard, actors::retire{});
  const auto groups = context_->shards.size() + 1U;
  bool complete = false;
  {
    std::unique_lock lock{retirement_->mutex};
    complete = retirement_->changed.wait_for(
        lock, patience, [&] { return retirement_->done.size() == groups; });
  }
  if (cluster_)
    cluster_->stop();
  const auto saved = state_->checkpoint_now();
  if (!saved)
    settings_.log("error", "state", core::to_string(saved.error()));
  if (!complete)
    for (const auto& shard : context_->shards)
      caf::anon_send_exit(shard, caf::exit_reason::kill);
  if (!complete)
    caf::anon_send_exit(context_->directory_handle, caf::exit_reason::kill);
  for (const auto& courier : context_->couriers)
    caf::anon_send(courier, actors::retire{});
  context_->couriers.clear();
  for (const auto& desk : context_->desks)
    caf::anon_send(desk, actors::retire{});
  context_->desks.clear();
  context_->shards.clear();
  context_->key_actors.clear();
  context_->directory_handle = actors::directory_actor{};
  return complete && saved.has_value();
}

// --------------------------------------------------------------- inspection

actors::runtime::scheduler& broker::scheduler() {
  return actors::runtime::scheduler::of(*system_);
}

const actors::runtime::actor_registry& broker::registry() const {
  return config_->registry();
}

std::vector<actors::runtime::loop*> broker::loops() {
  std::vector<actors::runtime::loop*> all;
  auto& loops = scheduler();
  for (std::size_t i = 0; i < loops.size(); ++i)
    all.push_back(&loops.at(i));
  return all;
}

bool broker::wait_until_serving(std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!not_ready().empty() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return not_ready().empty();
}

std::vector<std::string> broker::not_ready() const {
  std::vector<std::string> reasons;
  if (!log_->has_room())
    reasons.emplace_back("log: waiting for room in the prepared segments");
  const auto groups = context_->options.shards + 1U;
  const auto ready = context_->groups_ready.load();
  if (ready < groups)
    reasons.emplace_back(
        cluster_ ? "starting: " + std::to_string(groups - ready) +
                       " groups replay their log or wait for a leader"
                 : "replaying the log");
  if (cluster_)
    cluster_->add_not_ready(reasons);
  for (const auto& [what, health] :
       {std::pair{"log", log_->health()}, std::pair{"state", state_->health()}})
    if (health.level != storage::space_level::ok)
      reasons.push_back(std::string{what} + ": " + health.reason);
  return reasons;
}

} // namespace troupe::app
