// SPDX-License-Identifier: Apache-2.0
#include "storage/state_store.hpp"

#include "core/assert.hpp"
#include "storage/byte_order.hpp"
#include "storage/commit_trigger.hpp"
#include "storage/file_system.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/named_thread.hpp"
#include "storage/state_format.hpp"
#include "storage/state_group.hpp"
#include "storage/state_writer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::storage {
namespace {

using core::errc;
using core::error;
using core::result;
using clock = std::chrono::steady_clock;

/// How often disk and quota are looked at while commits go on, and a failed
/// commit is tried again.
constexpr std::chrono::milliseconds look_again{100};
constexpr std::chrono::milliseconds nothing_to_do{60'000};
constexpr std::size_t import_chunk_bytes = std::size_t{4} << 20;

result<std::optional<std::string>> read_meta(lmdb_env& env,
                                             std::string_view name) {
  auto in = env.read();
  if (!in)
    return in.error();
  auto key = to_val(name);
  MDB_val value{};
  const int code = ::mdb_get(in->txn(), env.meta(), &key, &value);
  if (code == MDB_NOTFOUND)
    return std::optional<std::string>{};
  if (code != 0)
    return lmdb_error("state: meta", code);
  return std::optional{std::string{to_text(value)}};
}

/// Checks whose environment it is, or says so in a new one.
result<void> identify(lmdb_env& env, const state_options& options) {
  const auto where = options.folder.string();
  const auto format = read_meta(env, "format");
  if (!format)
    return format.error();
  const std::string_view own{
      reinterpret_cast<const char*>(options.cluster.bytes.data()),
      options.cluster.bytes.size()};
  if (!*format)
    return env.write(where, [&](MDB_txn* txn) {
      std::array<std::byte, 4> version{};
      store_little(version.data(), state_format_version);
      auto key = to_val("format");
      auto value = to_val(core::as_text(version));
      if (const int code = ::mdb_put(txn, env.meta(), &key, &value, 0);
          code != 0)
        return code;
      key = to_val("cluster");
      value = to_val(own);
      return ::mdb_put(txn, env.meta(), &key, &value, 0);
    });
  if ((*format)->size() != 4)
    return error{errc::corrupt, where + ": unreadable format version"};
  const auto version =
      load_little<std::uint32_t>(core::as_bytes(**format).data());
  if (version > state_format_version)
    return error{errc::newer_format, where + ": format " +
                                         std::to_string(version) +
                                         ", this Troupe reads up to " +
                                         std::to_string(state_format_version)};
  const auto cluster = read_meta(env, "cluster");
  if (!cluster)
    return cluster.error();
  if (!*cluster || **cluster != own)
    return error{errc::wrong_cluster, where + ": belongs to another cluster"};
  return {};
}

} // namespace

class state_store::impl {
public:
  impl(state_options options, std::unique_ptr<lmdb_env> env)
      : options_(std::move(options)), env_(std::move(env)),
        trigger_(options_.commit_interval, options_.commit_bytes),
        durable_(options_.groups) {}

  ~impl() { close(); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  result<void> start() {
    for (std::uint16_t id = 0; id < options_.groups; ++id) {
      const core::group_id group{id};
      const auto bytes = read_meta(*env_, group_row_key(group));
      if (!bytes)
        return bytes.error();
      group_row row{slot_of(group, false), {}};
      if (*bytes) {
        const auto known = decode_group_row(group, **bytes);
        if (!known)
          return error{errc::corrupt,
                       options_.folder.string() +
                           ": damaged row in table \"meta\" of group " +
                           std::to_string(id)};
        row = *known;
      }
      // An import that was cut short, or what a finished one replaced.
      if (auto cleared = clear_slot(*env_, other(row.slot)); !cleared)
        return cleared;
      groups_.push_back(std::make_unique<state_group>(
          *env_, trigger_, options_.on_fatal, group, row));
      durable_[id] = row.applied.value();
    }
    // What was read may be a commit whose last page was never flushed.
    if (auto synced = env_->sync(); !synced)
      return synced;
    look_at_space();
    thread_ = std::thread{[this] { run(); }};
    return {};
  }

  state_group& group(core::group_id id) {
    TROUPE_ASSERT(id.value() < groups_.size(), "group outside the store");
    return *groups_[id.value()];
  }
  const state_options& options() const { return options_; }
  lmdb_env& env() { return *env_; }
  commit_trigger& trigger() { return trigger_; }

  core::log_index durable(core::group_id id) const {
    TROUPE_ASSERT(id.value() < durable_.size(), "group outside the store");
    return core::log_index{durable_[id.value()].load()};
  }

  result<void> checkpoint_now() {
    const auto ticket = trigger_.request();
    trigger_.wait_for_round(ticket);
    const std::lock_guard lock{mutex_};
    return last_commit_;
  }

  storage::health current_health() const {
    const std::lock_guard lock{mutex_};
    return health_;
  }

  state_stats stats() const {
    const std::lock_guard lock{mutex_};
    return stats_;
  }

  result<void> switch_over(state_group& group, const group_row& row) {
    const std::lock_guard commits{commit_mutex_};
    auto done = env_->write("state: import", [&](MDB_txn* txn) {
      return put_group_row(*env_, txn, group.group(), row);
    });
    if (done)
      done = env_->sync();
    if (!done)
      return done;
    group.replace(row);
    // Anything committed before is durable now, too; but an older index of
    // this group is history.
    std::erase_if(unsealed_, [&](const durable_point& point) {
      return point.group == group.group();
    });
    unsealed_.push_back({group.group(), row.applied});
    report(std::exchange(unsealed_, {}));
    return {};
  }

  static state_slot other(state_slot slot) {
    return static_cast<state_slot>(slot ^ 1);
  }

  void close() {
    if (!thread_.joinable())
      return;
    trigger_.stop();
    thread_.join();
  }

private:
  void run() {
    name_this_thread("troupe-state");
    using cause = commit_trigger::cause;
    for (;;) {
      const auto why = trigger_.wait(patience(), failed_commit_);
      const bool seal = why != cause::commit;
      {
        const std::lock_guard commits{commit_mutex_};
        round(seal);
      }
      if (why == cause::request || failed_commit_ ||
          clock::now() - looked_at_ >= look_again)
        look_at_space();
      if (why == cause::stop)
        return;
      trigger_.round_done();
    }
  }

  /// How long nothing has to happen before the thread looks by itself: soon if
  /// the last commit is still to be sealed by a flush.
  std::chrono::milliseconds patience() {
    const std::lock_guard commits{commit_mutex_};
    if (!unsealed_.empty())
      return 2 * options_.commit_interval;
    return current_health().level == space_level::ok ? nothing_to_do
                                                     : look_again;
  }

  void round(bool seal) {
    auto done = commit_all();
    // A group may have had an older checkpoint waiting: the newest one comes
    // second.
    if (done && seal)
      done = commit_all();
    if (done && seal && !unsealed_.empty()) {
      done = env_->sync();
      if (done)
        report(std::exchange(unsealed_, {}));
    }
    failed_commit_ = !done;
    if (!done && done.error().code != errc::storage_full)
      options_.on_fatal(done.error().detail);
    const std::lock_guard lock{mutex_};
    last_commit_ = std::move(done);
  }

  result<void> commit_all() {
    std::vector<state_group*> ready;
    for (const auto& group : groups_)
      if (group->freeze())
        ready.push_back(group.get());
    return ready.empty() ? result<void>{} : commit(ready);
  }

  result<void> commit(const std::vector<state_group*>& ready) {
    written_rows rows;
    auto done = env_->write("state: commit", [&](MDB_txn* txn) {
      for (auto* group : ready) {
        const auto frozen = group->frozen();
        auto changes = frozen.changes->sorted();
        if (const int code =
                write_changes(*env_, txn, frozen.row.slot, changes, rows);
            code != 0)
          return code;
        group->adopt_order(std::move(changes));
        if (const int code =
                put_group_row(*env_, txn, group->group(), frozen.row);
            code != 0)
          return code;
      }
      return 0;
    });
    if (!done && done.error().code == errc::io_error && disk_is_full())
      done = error{errc::storage_full, done.error().detail + " (disk full)"};
    {
      const std::lock_guard lock{mutex_};
      ++(done ? stats_.commits : stats_.commits_failed);
      if (done) {
        stats_.puts += rows.puts;
        stats_.erases += rows.erases;
        stats_.elided += rows.elided;
      }
    }
    if (!done)
      return done;
    // This commit's flush took the last one's meta page along.
    auto sealed = std::exchange(unsealed_, {});
    for (auto* group : ready) {
      unsealed_.push_back({group->group(), group->frozen().row.applied});
      group->thaw();
    }
    report(sealed);
    return {};
  }

  /// LMDB says EIO when a write comes back short, which is how a disk that is
  /// just running full shows.
  [[nodiscard]] bool disk_is_full() const {
    constexpr std::uint64_t next_to_nothing = std::uint64_t{4} << 20;
    const auto room = posix_file_system().free_bytes(options_.folder);
    return room && *room < next_to_nothing;
  }

  void report(const std::vector<durable_point>& points) {
    for (const auto& point : points)
      durable_[point.group.value()] = point.applied.value();
    if (!points.empty() && options_.on_commit)
      options_.on_commit(points);
  }

  void look_at_space() {
    looked_at_ = clock::now();
    env_->bound_mapped(options_.mapped_bytes_max);
    storage::health now;
    const auto worse = [&now](space_level level, std::string reason) {
      if (level > now.level)
        now = {level, std::move(reason)};
    };
    const auto used = env_->used_bytes();
    if (!used)
      worse(space_level::low, used.error().detail);
    if (used && options_.quota_bytes != 0) {
      if (*used > options_.quota_bytes)
        worse(space_level::full, "the state is above its quota");
      else if (*used > options_.quota_bytes / 10 * 9)
        worse(space_level::low, "the state is near its quota");
    }
    const auto room = posix_file_system().free_bytes(options_.folder);
    if (room && *room < options_.reserve_bytes)
      worse(space_level::low, "free disk space is below the reserve: " +
                                  std::to_string(*room) + " bytes");
    if (trigger_.backlog() > options_.backlog_bytes_max)
      worse(space_level::full, "too much state waits for its commit");
    bool changed = false;
    {
      const std::lock_guard lock{mutex_};
      if (!last_commit_)
        worse(space_level::full, last_commit_.error().detail);
      changed = now.level != health_.level;
      health_ = now;
      if (used)
        stats_.used_bytes = *used;
    }
    if (changed && options_.on_health)
      options_.on_health(now);
  }

  const state_options options_;
  std::unique_ptr<lmdb_env> env_;
  commit_trigger trigger_;
  std::vector<std::unique_ptr<state_group>> groups_;
  std::vector<std::atomic<std::uint64_t>> durable_;

  /// Held during a commit and while an import switches over.
  std::mutex commit_mutex_;
  /// Committed, but the meta page may not be flushed. Under commit_mutex_.
  std::vector<durable_point> unsealed_;

  // The state thread's own.
  bool failed_commit_ = false;
  clock::time_point looked_at_{};

  mutable std::mutex mutex_;
  result<void> last_commit_;
  storage::health health_;
  state_stats stats_;
  std::thread thread_;
};

result<std::unique_ptr<state_store>> state_store::open(state_options options) {
  if (options.groups == 0 || options.groups > state_groups_max)
    return error{errc::invalid_config, "number of groups"};
  if (auto made = posix_file_system().create_folder(options.folder); !made)
    return made.error();
  auto env = lmdb_env::open(options.folder, options.map_bytes);
  if (!env)
    return env.error();
  if (auto known = identify(**env, options); !known)
    return known.error();
  auto implementation =
      std::make_unique<impl>(std::move(options), std::move(*env));
  if (auto started = implementation->start(); !started)
    return started.error();
  return std::unique_ptr<state_store>{
      new state_store{std::move(implementation)}};
}

state_store::state_store(std::unique_ptr<impl> implementation)
    : impl_(std::move(implementation)) {}
state_store::~state_store() = default;

core::state_space& state_store::space(core::group_id group) {
  return impl_->group(group);
}

core::log_index state_store::durable_applied(core::group_id group) const {
  return impl_->durable(group);
}

std::size_t state_store::backlog_bytes() const {
  return impl_->trigger().backlog();
}

void state_store::commit_soon() { (void)impl_->trigger().request(); }

result<void> state_store::checkpoint_now() { return impl_->checkpoint_now(); }

result<core::log_index>
state_store::export_group(core::group_id group,
                          const std::function<bool(row)>& visit) {
  if (auto done = impl_->checkpoint_now(); !done)
    return done.error();
  auto& env = impl_->env();
  auto in = env.read();
  if (!in)
    return in.error();
  // Row and contents come from one transaction, whatever is committed now.
  const auto row_key = group_row_key(group);
  auto key = to_val(row_key);
  MDB_val value{};
  int code = ::mdb_get(in->txn(), env.meta(), &key, &value);
  if (code == MDB_NOTFOUND)
    return core::log_index{};
  if (code != 0)
    return lmdb_error("state: export", code);
  const auto about = decode_group_row(group, to_text(value));
  if (!about)
    return error{errc::corrupt, "state: damaged group row"};

  const auto start = state_key(about->slot, {});
  key = to_val(start);
  code = ::mdb_cursor_get(in->cursor(), &key, &value, MDB_SET_RANGE);
  while (code == 0 && to_text(key).starts_with(start)) {
    const auto checked = checked_value(to_text(key), to_text(value));
    if (!checked) {
      impl_->group(group).report_damage(to_text(key));
      return error{errc::corrupt, "state: damaged value"};
    }
    if (!visit({to_text(key).substr(slot_bytes), *checked}))
      return about->applied;
    code = ::mdb_cursor_get(in->cursor(), &key, &value, MDB_NEXT);
  }
  if (code != 0 && code != MDB_NOTFOUND)
    return lmdb_error("state: export", code);
  return about->applied;
}

result<void> state_store::import_group(core::group_id group,
                                       core::log_index applied,
                                       const row_supply& next) {
  auto& env = impl_->env();
  auto& space = impl_->group(group);
  const auto old = space.slot();
  const group_row fresh{impl::other(old), applied};
  if (auto cleared = clear_slot(env, fresh.slot); !cleared)
    return cleared;

  std::vector<std::pair<std::string, std::string>> chunk;
  std::size_t bytes = 0;
  row each;
  for (bool more = true; more;) {
    const auto yielded = next(each);
    if (!yielded)
      return yielded.error();
    more = *yielded;
    if (more) {
      TROUPE_ASSERT(each.first.size() <= core::state_key_bytes_max,
                    "state key too long");
      bytes += each.first.size() + each.second.size();
      chunk.emplace_back(each.first, core::as_text(each.second));
    }
    if (!chunk.empty() && (!more || bytes >= import_chunk_bytes)) {
      if (auto done = put_rows(env, fresh.slot, chunk); !done)
        return done;
      chunk.clear();
      bytes = 0;
    }
  }
  if (auto done = impl_->switch_over(space, fresh); !done)
    return done;
  return clear_slot(env, old);
}

health state_store::health() const { return impl_->current_health(); }

health state_store::refresh_health() {
  (void)impl_->checkpoint_now();
  return impl_->current_health();
}

state_stats state_store::stats() const { return impl_->stats(); }

void state_store::close() { impl_->close(); }

} // namespace troupe::storage
