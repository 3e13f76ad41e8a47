// SPDX-License-Identifier: Apache-2.0
#include "storage/state_group.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <mutex>

namespace troupe::storage {
namespace {

/// Pairs copied before a scan lets go of its lock and its transaction: few at
/// first, as many scans want only the first one.
constexpr std::size_t scan_batch_first = 8;
constexpr std::size_t scan_batch_max = 256;

std::string in_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    text += digits[b / 16];
    text += digits[b % 16];
  }
  return text;
}

} // namespace

state_group::state_group(lmdb_env& env, commit_trigger& trigger,
                         const fatal_handler& on_fatal, core::group_id group,
                         group_row row)
    : env_(env), trigger_(trigger), on_fatal_(on_fatal), group_(group),
      current_(std::make_unique<overlay>()), row_(row), applied_(row.applied) {}

std::optional<core::shared_bytes> state_group::get(std::string_view key) const {
  for (;;) {
    state_slot slot{};
    {
      const std::shared_lock lock{mutex_};
      for (const auto* layer : {current_.get(), frozen_.get()})
        if (const auto* change = layer ? layer->find(key) : nullptr)
          return change->erased ? std::nullopt : std::optional{change->value};
      slot = row_.slot;
    }
    auto value = get_committed(state_key(slot, key));
    // Nothing, perhaps because an import has just switched over and cleared
    // the slot.
    if (value || slot == this->slot())
      return value;
  }
}

std::optional<core::shared_bytes>
state_group::get_committed(const std::string& full) const {
  auto in = env_.read();
  if (!in) {
    on_fatal_(in.error().detail);
    return std::nullopt;
  }
  auto wanted = to_val(full);
  MDB_val row{};
  const int code = ::mdb_get(in->txn(), env_.state(), &wanted, &row);
  if (code == MDB_NOTFOUND)
    return std::nullopt;
  if (code != 0) {
    on_fatal_(lmdb_error("state: read", code).detail);
    return std::nullopt;
  }
  const auto value = checked_value(full, to_text(row));
  if (!value) {
    report_damage(full);
    return std::nullopt;
  }
  return core::shared_bytes::copy_of(*value);
}

void state_group::put(std::string_view key, core::shared_bytes value) {
  TROUPE_ASSERT(key.size() <= core::state_key_bytes_max, "state key too long");
  const std::lock_guard lock{mutex_};
  between_checkpoints_ = true;
  current_->put(key, std::move(value));
}

void state_group::erase(std::string_view key) {
  TROUPE_ASSERT(key.size() <= core::state_key_bytes_max, "state key too long");
  const std::lock_guard lock{mutex_};
  between_checkpoints_ = true;
  current_->erase(key);
}

void state_group::scan(std::string_view prefix, std::string_view from,
                       const visitor& visit) const {
  std::string next{std::max(prefix, from)};
  found batch;
  bool more = true;
  for (auto limit = scan_batch_first; more;
       limit = std::min(2 * limit, scan_batch_max)) {
    batch.clear();
    more = collect(prefix, next, limit, batch);
    for (const auto& [key, value] : batch)
      if (!visit(key, value))
        return;
    if (!batch.empty()) {
      next = std::move(batch.back().first);
      next += '\0'; // the smallest key above it
    }
  }
}

bool state_group::collect(std::string_view prefix, const std::string& from,
                          std::size_t limit, found& into) const {
  {
    const std::shared_lock lock{mutex_};
    if (current_->ordered() && (!frozen_ || frozen_->ordered()))
      return merge(prefix, from, limit, into);
  }
  const std::lock_guard lock{mutex_};
  current_->order();
  if (frozen_)
    frozen_->order();
  return merge(prefix, from, limit, into);
}

bool state_group::merge(std::string_view prefix, const std::string& from,
                        std::size_t limit, found& into) const {
  auto in = env_.read();
  if (!in) {
    on_fatal_(in.error().detail);
    return false;
  }
  const auto full_prefix = state_key(row_.slot, prefix);
  const auto full_from = state_key(row_.slot, from);
  auto key = to_val(full_from);
  MDB_val row{};
  int code = ::mdb_cursor_get(in->cursor(), &key, &row, MDB_SET_RANGE);
  const auto below = [&]() -> std::optional<std::string_view> {
    if (code != 0 || !to_text(key).starts_with(full_prefix))
      return std::nullopt;
    return to_text(key).substr(slot_bytes);
  };

  static const overlay nothing;
  overlay::cursor top{*current_, from};
  overlay::cursor middle{frozen_ ? *frozen_ : nothing, from};
  const auto key_of =
      [&prefix](const overlay::cursor& at) -> std::optional<std::string_view> {
    const auto* entry = at.current();
    if (entry == nullptr || !entry->first.starts_with(prefix))
      return std::nullopt;
    return entry->first;
  };

  while (into.size() < limit) {
    const auto a = key_of(top);
    const auto b = key_of(middle);
    const auto c = below();
    if (!a && !b && !c)
      break;
    // The smallest key; of equal ones the upper layer counts.
    auto smallest = a;
    for (const auto& other : {b, c})
      if (other && (!smallest || *other < *smallest))
        smallest = other;
    const bool in_a = a == smallest;
    const bool in_b = b == smallest;
    const bool in_c = c == smallest;
    if (in_a || in_b) {
      const auto* entry = in_a ? top.current() : middle.current();
      if (!entry->second.erased)
        into.emplace_back(entry->first, entry->second.value);
    } else {
      const auto value = checked_value(to_text(key), to_text(row));
      if (!value) {
        report_damage(to_text(key));
        return false;
      }
      into.emplace_back(*smallest, core::shared_bytes::copy_of(*value));
    }
    if (in_a)
      top.advance();
    if (in_b)
      middle.advance();
    if (in_c)
      code = ::mdb_cursor_get(in->cursor(), &key, &row, MDB_NEXT);
  }
  if (code != 0 && code != MDB_NOTFOUND)
    on_fatal_(lmdb_error("state: scan", code).detail);
  return into.size() == limit;
}

void state_group::checkpoint(core::log_index applied) {
  std::size_t grown = 0;
  {
    const std::lock_guard lock{mutex_};
    TROUPE_ASSERT(applied >= applied_.load(std::memory_order_relaxed),
                  "checkpoints ascend");
    applied_.store(applied, std::memory_order_release);
    between_checkpoints_ = false;
    if (current_->bytes() > counted_bytes_) {
      grown = current_->bytes() - counted_bytes_;
      counted_bytes_ = current_->bytes();
    }
    if (freeze_wanted_ && !frozen_)
      freeze_now();
  }
  trigger_.checkpointed(grown);
}

bool state_group::freeze() {
  const std::lock_guard lock{mutex_};
  if (frozen_)
    return true; // an earlier commit failed, or the owner did it
  if (current_->empty() &&
      applied_.load(std::memory_order_relaxed) == row_.applied)
    return false;
  if (between_checkpoints_) {
    freeze_wanted_ = true;
    return false;
  }
  freeze_now();
  return true;
}

void state_group::freeze_now() {
  frozen_ =
      std::exchange(current_, std::make_unique<overlay>(current_->size()));
  frozen_applied_ = applied_.load(std::memory_order_relaxed);
  frozen_counted_ = std::exchange(counted_bytes_, 0);
  freeze_wanted_ = false;
}

state_group::frozen_view state_group::frozen() const {
  const std::shared_lock lock{mutex_};
  return {frozen_.get(), {row_.slot, frozen_applied_}};
}

void state_group::adopt_order(overlay::run all) {
  const std::lock_guard lock{mutex_};
  if (frozen_ && !frozen_->ordered())
    frozen_->adopt(std::move(all));
}

void state_group::thaw() {
  std::unique_ptr<overlay> done; // freed without the lock
  std::size_t counted = 0;
  {
    const std::lock_guard lock{mutex_};
    row_.applied = frozen_applied_;
    done = std::exchange(frozen_, nullptr);
    counted = std::exchange(frozen_counted_, 0);
  }
  trigger_.shrunk(counted);
}

void state_group::replace(const group_row& row) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock{mutex_};
    dropped =
        std::exchange(counted_bytes_, 0) + std::exchange(frozen_counted_, 0);
    current_ = std::make_unique<overlay>();
    frozen_.reset();
    row_ = row;
    between_checkpoints_ = false;
    freeze_wanted_ = false;
    applied_.store(row.applied, std::memory_order_release);
  }
  trigger_.shrunk(dropped);
}

state_slot state_group::slot() const {
  const std::shared_lock lock{mutex_};
  return row_.slot;
}

void state_group::report_damage(std::string_view full_key) const {
  on_fatal_("state: damaged value in table \"state\", group " +
            std::to_string(group_.value()) + ", key " +
            in_hex(full_key.substr(std::min(slot_bytes, full_key.size()))));
}

} // namespace troupe::storage
