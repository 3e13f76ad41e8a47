// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::actors::runtime {

/// Gets what is published under the keys it subscribed to, by direct calls on
/// the loop it lives on. A batch is immutable and shared by all subscribers
/// of a node; keep a reference-counted part of it, never a reference.
template <class Batch>
class subscriber {
public:
  /// May subscribe and unsubscribe, itself and others: who is added sees
  /// later batches only, who is removed no more of this one.
  virtual void deliver(const Batch& batch) = 0;

protected:
  ~subscriber() = default;
};

/// For hubs that keep nothing beside a key.
struct no_note {};

/// Fan-out on one loop: one call for a batch, a direct call for each
/// subscriber; no mailbox lies between. All of it on that loop. A
/// subscription costs 16 bytes here and 24 in its holder; adding and removing
/// is O(1); the order among subscribers is arbitrary. fan_out joins the hubs
/// of all loops.
///
/// `Note` is something small that the owner keeps beside a key while it has
/// subscribers; default-constructed with the first of them.
template <class Key, class Batch, class Hash = std::hash<Key>,
          class Note = no_note>
class hub {
public:
  class subscription;

private:
  struct member {
    subscriber<Batch>* target; // null: left while a delivery runs
    subscription* handle;
  };
  struct member_list {
    std::vector<member> members;
    std::size_t alive = 0;
    std::uint32_t deliveries_running = 0;
    [[no_unique_address]] Note note{};
  };
  using rows = std::unordered_map<Key, member_list, Hash>;
  using row = typename rows::value_type; // its address is stable

public:
  /// Keeps a subscriber under a key; ends that when it dies. Belongs to the
  /// subscriber; dies before it and before the hub, on their loop.
  class subscription {
  public:
    subscription() noexcept = default;
    subscription(subscription&& other) noexcept { take(other); }
    subscription& operator=(subscription&& other) noexcept {
      if (this != &other) {
        end();
        take(other);
      }
      return *this;
    }
    ~subscription() { end(); }

    explicit operator bool() const noexcept { return owner_ != nullptr; }
    void end() noexcept {
      if (auto* owner = std::exchange(owner_, nullptr))
        owner->remove(*row_, index_);
    }
    /// REQUIRES: it has not ended.
    [[nodiscard]] Note& note() const noexcept { return row_->second.note; }

  private:
    friend class hub;
    void take(subscription& other) noexcept {
      owner_ = std::exchange(other.owner_, nullptr);
      row_ = other.row_;
      index_ = other.index_;
      if (owner_ != nullptr)
        row_->second.members[index_].handle = this;
    }

    hub* owner_ = nullptr;
    row* row_ = nullptr;
    std::uint32_t index_ = 0;
  };

  /// Told when a key gets its first subscriber here (true) and when it has
  /// lost its last one (false). Must neither throw nor touch the hub.
  using interest_hook = std::function<void(const Key&, bool)>;

  explicit hub(interest_hook on_interest = {})
      : on_interest_(std::move(on_interest)) {}
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;
  ~hub() { TROUPE_ASSERT(rows_.empty(), "a hub died before its subscribers"); }

  [[nodiscard]] subscription subscribe(const Key& key,
                                       subscriber<Batch>& target) {
    row& where = *rows_.try_emplace(key).first;
    auto& list = where.second;
    subscription handle;
    handle.owner_ = this;
    handle.row_ = &where;
    handle.index_ = static_cast<std::uint32_t>(list.members.size());
    list.members.push_back({&target, &handle});
    if (list.alive++ == 0 && on_interest_)
      on_interest_(where.first, true);
    return handle;
  }

  /// Returns how many subscribers were called.
  std::size_t deliver(const Key& key, const Batch& batch) {
    return deliver(key, batch, [](const Note&, std::size_t) {});
  }
  /// The same; then calls `done` with the note as it was before the first
  /// subscriber was called, and with how many were. Not if there was nobody.
  template <class Done>
  std::size_t deliver(const Key& key, const Batch& batch, Done&& done) {
    const auto position = rows_.find(key);
    if (position == rows_.end())
      return 0;
    const Note note = position->second.note;
    const delivery_scope scope{*this, *position};
    auto& list = position->second;
    std::size_t count = 0;
    // By index: a subscriber may add others while it is called.
    const auto end = list.members.size();
    for (std::size_t i = 0; i < end; ++i) {
      if (auto* target = list.members[i].target) {
        target->deliver(batch);
        ++count;
      }
    }
    done(note, count);
    return count;
  }

  /// To one of them alone, by a number of which every value means one. False:
  /// there is none.
  bool deliver_to_one(const Key& key, const Batch& batch, std::size_t which) {
    const auto position = rows_.find(key);
    if (position == rows_.end() || position->second.alive == 0)
      return false;
    const delivery_scope scope{*this, *position};
    auto left = which % position->second.alive;
    for (const auto& each : position->second.members)
      if (each.target != nullptr && left-- == 0) {
        each.target->deliver(batch); // last: may add others
        return true;
      }
    return false;
  }

  /// Those whom deliver() would call; `visit` must not touch the hub.
  template <class Visit>
  void each(const Key& key, Visit&& visit) const {
    const auto position = rows_.find(key);
    if (position == rows_.end())
      return;
    for (const auto& one : position->second.members)
      if (one.target != nullptr)
        visit(*one.target);
  }
  /// The one whom deliver_to_one() would call; null: there is none.
  [[nodiscard]] subscriber<Batch>* one_of(const Key& key,
                                          std::size_t which) const {
    const auto position = rows_.find(key);
    if (position == rows_.end() || position->second.alive == 0)
      return nullptr;
    auto left = which % position->second.alive;
    for (const auto& one : position->second.members)
      if (one.target != nullptr && left-- == 0)
        return one.target;
    return nullptr;
  }

  [[nodiscard]] std::size_t subscribers(const Key& key) const {
    const auto position = rows_.find(key);
    return position == rows_.end() ? 0 : position->second.alive;
  }
  /// Keys with a subscriber.
  [[nodiscard]] std::size_t keys() const noexcept { return rows_.size(); }

private:
  // Holds the places of the members while a delivery (or one inside of it)
  // walks over them.
  class delivery_scope {
  public:
    delivery_scope(hub& owner, row& where) : owner_(owner), row_(where) {
      ++row_.second.deliveries_running;
    }
    delivery_scope(const delivery_scope&) = delete;
    delivery_scope& operator=(const delivery_scope&) = delete;
    ~delivery_scope() {
      if (--row_.second.deliveries_running == 0)
        owner_.tidy(row_);
    }

  private:
    hub& owner_;
    row& row_;
  };

  void remove(row& where, std::uint32_t index) noexcept {
    auto& list = where.second;
    list.members[index] = {nullptr, nullptr};
    if (--list.alive == 0 && on_interest_)
      on_interest_(where.first, false);
    if (list.deliveries_running != 0)
      return;
    if (list.alive == 0) {
      rows_.erase(where.first);
      return;
    }
    put(list, index, list.members.back());
    list.members.pop_back();
  }

  void tidy(row& where) noexcept {
    auto& list = where.second;
    if (list.alive == 0) {
      rows_.erase(where.first);
      return;
    }
    if (list.alive == list.members.size())
      return;
    std::uint32_t kept = 0;
    for (const auto& each : list.members)
      if (each.target != nullptr)
        put(list, kept++, each);
    list.members.resize(kept);
  }

  static void put(member_list& list, std::uint32_t index,
                  const member& who) noexcept {
    list.members[index] = who;
    if (who.handle != nullptr)
      who.handle->index_ = index;
  }

  rows rows_;
  const interest_hook on_interest_;
};

} // namespace troupe::actors::runtime
