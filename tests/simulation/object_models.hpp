// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/errc.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// What the objects of the simulated clients do, in a few lines each and
/// written apart from the state machines: for linearizability.hpp.
namespace troupe::cluster::simulation {

/// A key with a value, 0 at first.
struct key_model {
  enum class kind : std::uint8_t { get, put, compare_and_set };
  struct input {
    kind what = kind::get;
    std::uint64_t value = 0;
    std::uint64_t expected = 0;
  };
  struct output {
    bool done = true; ///< compare_and_set: it was as expected
    std::uint64_t value = 0;
    friend bool operator==(const output&, const output&) = default;
  };
  using state = std::uint64_t;

  static output apply(state& s, const input& in) {
    switch (in.what) {
    case kind::get:
      return {true, s};
    case kind::put:
      s = in.value;
      return {};
    case kind::compare_and_set:
      if (s != in.expected)
        return {false, 0};
      s = in.value;
      return {};
    }
    return {};
  }
  static bool agrees(const output& given, const output& seen) {
    return given == seen;
  }
  static std::uint64_t hash(const state& s) { return s; }
};

/// Entries that the inboxes of the simulation hold.
inline constexpr std::uint64_t inbox_bound = 6;

/// An inbox of two devices that refuses posts above its bound.
struct inbox_model {
  enum class kind : std::uint8_t { post, acknowledge, read };
  enum class answer : std::uint8_t { ok, full };
  struct input {
    kind what = kind::read;
    std::uint64_t message = 0;
    std::uint64_t up_to = 0;
    std::uint8_t device = 0;
    bool single = false; ///< for exactly one device
  };
  using entry = std::pair<std::uint64_t, std::uint64_t>; ///< place, message
  struct output {
    answer result = answer::ok;
    std::vector<entry> waiting;
    friend bool operator==(const output&, const output&) = default;
  };
  struct stored {
    std::uint64_t position = 0;
    std::uint64_t message = 0;
    bool single = false;
    friend bool operator==(const stored&, const stored&) = default;
  };
  struct state {
    std::vector<stored> entries;
    std::array<std::uint64_t, 2> acknowledged{};
    std::uint64_t last = 0;
    friend bool operator==(const state&, const state&) = default;
  };

  static output apply(state& s, const input& in) {
    switch (in.what) {
    case kind::post:
      if (s.entries.size() >= inbox_bound)
        return {answer::full, {}};
      s.entries.push_back({++s.last, in.message, in.single});
      return {};
    case kind::acknowledge:
      acknowledge(s, in.device, std::min(in.up_to, s.last));
      return {};
    case kind::read:
      break;
    }
    output seen;
    for (const auto& e : s.entries)
      if (e.position > s.acknowledged[in.device])
        seen.waiting.emplace_back(e.position, e.message);
    return seen;
  }
  static bool agrees(const output& given, const output& seen) {
    return given == seen;
  }
  static std::uint64_t hash(const state& s) {
    std::uint64_t h = s.last * 31 + s.acknowledged[0] * 7 + s.acknowledged[1];
    for (const auto& e : s.entries)
      h = (h ^ (e.message * 2 + (e.single ? 1 : 0))) * 0x100000001B3ULL +
          e.position;
    return h;
  }

private:
  static void acknowledge(state& s, std::uint8_t device, std::uint64_t up_to) {
    auto& mine = s.acknowledged[device];
    if (up_to <= mine)
      return;
    std::erase_if(s.entries, [&](const stored& e) {
      return e.single && e.position > mine && e.position <= up_to;
    });
    mine = up_to;
    const auto all = std::min(s.acknowledged[0], s.acknowledged[1]);
    std::erase_if(s.entries,
                  [&](const stored& e) { return e.position <= all; });
  }
};

/// A realm of a few users, aliases and one list; sets are bits.
struct realm_model {
  static constexpr std::uint8_t users = 3;
  static constexpr std::uint8_t aliases = 3;
  static constexpr std::uint8_t nobody = 0xFF;
  enum class kind : std::uint8_t {
    create_user,
    replace_aliases,
    remove_user,
    add_member,
    remove_member,
    find_alias,
    find_user,
    find_members,
  };
  struct input {
    kind what = kind::find_alias;
    std::uint8_t user = 0;
    std::uint8_t aliases = 0; ///< wanted
    std::uint8_t alias = 0;   ///< looked for
  };
  struct output {
    core::errc failure = core::errc::ok;
    std::uint8_t aliases = 0;
    std::uint8_t found = 0; ///< a user, whether there is one, or all members
    friend bool operator==(const output&, const output&) = default;
  };
  struct state {
    std::uint8_t existing = 0;
    std::uint8_t members = 0;
    std::array<std::uint8_t, realm_model::aliases> owner{nobody, nobody,
                                                         nobody};
    friend bool operator==(const state&, const state&) = default;
  };

  static output apply(state& s, const input& in) {
    const auto bit = static_cast<std::uint8_t>(1U << in.user);
    const bool exists = (s.existing & bit) != 0;
    switch (in.what) {
    case kind::create_user:
      if (exists)
        return {core::errc::user_exists, of(s, in.user), 0};
      s.existing |= bit;
      claim(s, in.user, in.aliases);
      return {core::errc::ok, of(s, in.user), 0};
    case kind::replace_aliases:
      if (!exists)
        return {core::errc::user_unknown, 0, 0};
      if (in.aliases != 0) {
        free(s, in.user);
        claim(s, in.user, in.aliases);
      }
      return {core::errc::ok, of(s, in.user), 0};
    case kind::remove_user: {
      if (!exists)
        return {core::errc::user_unknown, 0, 0};
      const output done{core::errc::ok, of(s, in.user), 0};
      free(s, in.user);
      s.existing &= static_cast<std::uint8_t>(~bit);
      s.members &= static_cast<std::uint8_t>(~bit);
      return done;
    }
    case kind::add_member:
      if (!exists)
        return {core::errc::user_unknown, 0, 0};
      s.members |= bit;
      return {};
    case kind::remove_member:
      if (s.members == 0)
        return {core::errc::list_unknown, 0, 0};
      if ((s.members & bit) == 0)
        return {core::errc::user_unknown, 0, 0};
      s.members &= static_cast<std::uint8_t>(~bit);
      return {};
    case kind::find_alias:
      return {core::errc::ok, 0, s.owner[in.alias]};
    case kind::find_user:
      return {core::errc::ok, of(s, in.user),
              static_cast<std::uint8_t>(exists)};
    case kind::find_members:
      return {core::errc::ok, 0, s.members};
    }
    return {};
  }
  static bool agrees(const output& given, const output& seen) {
    return given == seen;
  }
  static std::uint64_t hash(const state& s) {
    std::uint64_t h = s.existing | s.members << 8U;
    for (const auto o : s.owner)
      h = h << 8U | o;
    return h;
  }

private:
  static std::uint8_t of(const state& s, std::uint8_t user) {
    std::uint8_t mine = 0;
    for (std::uint8_t a = 0; a < aliases; ++a)
      if (s.owner[a] == user)
        mine |= static_cast<std::uint8_t>(1U << a);
    return mine;
  }
  static void claim(state& s, std::uint8_t user, std::uint8_t wanted) {
    for (std::uint8_t a = 0; a < aliases; ++a)
      if ((wanted >> a & 1U) != 0 && s.owner[a] == nobody)
        s.owner[a] = user;
  }
  static void free(state& s, std::uint8_t user) {
    for (auto& o : s.owner)
      if (o == user)
        o = nobody;
  }
};

} // namespace troupe::cluster::simulation
