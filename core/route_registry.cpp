// SPDX-License-Identifier: Apache-2.0
#include "core/route_registry.hpp"

#include "core/name_rules.hpp"
#include "core/route_table.hpp"
#include "core/topic_filter.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>

namespace troupe::core {
namespace {

error check(const route_name& name) {
  if (!name.share.empty() && !is_name(name.share))
    return {errc::name_invalid, "share name"};
  if (const auto filter = topic_filter::parse(name.filter); !filter)
    return filter.error();
  return {};
}

error check(const change_routes& c) {
  if (!is_name(c.session))
    return {errc::name_invalid, "session"};
  if (c.forget && (!c.remove_all || !c.add.empty()))
    return {errc::malformed, "forget"};
  if (c.remove.size() + c.add.size() > route_changes_max)
    return {errc::too_many, "changes of routes"};
  for (const auto& name : c.remove)
    if (auto failure = check(name); failure.code != errc::ok)
      return failure;
  for (const auto& one : c.add)
    if (auto failure = check(one.name); failure.code != errc::ok)
      return failure;
  return {};
}

/// One command being carried out.
class change {
public:
  change(route_store& store, const change_routes& command, route_table* table)
      : store_(store), command_(command), table_(table),
        totals_(store.totals_of_routes()) {
    if (const auto found = store_.routes_of(command.realm, command.session)) {
      record_ = *found;
      known_ = true;
    }
  }

  [[nodiscard]] bool is_late() const {
    return known_ && command_.generation < record_.generation;
  }
  /// All that the session has goes: asked for, or of an older session.
  [[nodiscard]] bool removes_all() const {
    return command_.remove_all ||
           (known_ && command_.generation > record_.generation);
  }
  [[nodiscard]] bool fits() const;
  std::vector<route_result> run();

private:
  void remove_all();
  bool remove(const route_name& name);
  route_result add(const route& one);
  void close();

  route_store& store_;
  const change_routes& command_;
  route_table* table_;
  route_totals totals_;
  session_routes record_;
  bool known_ = false;
};

/// Looks at what would be there, without a change.
bool change::fits() const {
  const auto& [realm, session, generation, all, removed, added, forget] =
      command_;
  std::uint64_t gone = removes_all() ? record_.routes : 0;
  std::set<route_name> absent; // after the removals
  if (!removes_all())
    for (const auto& name : removed)
      if (store_.find_route(realm, session, name) && absent.insert(name).second)
        ++gone;
  std::set<route_name> fresh;
  for (const auto& one : added)
    if (removes_all() || absent.count(one.name) != 0 ||
        !store_.find_route(realm, session, one.name))
      fresh.insert(one.name);
  return record_.routes - gone + fresh.size() <= routes_per_session_max &&
         totals_.routes - gone + fresh.size() <= routes_max;
}

std::vector<route_result> change::run() {
  std::vector<route_result> results;
  results.reserve(command_.remove.size() + command_.add.size());
  // What is told about a route is how it was before the command, unless that
  // was an earlier session's.
  const bool other = known_ && command_.generation > record_.generation;
  if (other)
    remove_all();
  for (const auto& name : command_.remove)
    results.push_back(remove(name) ? route_result::was_present
                                   : route_result::was_absent);
  if (command_.remove_all)
    remove_all();
  for (const auto& one : command_.add)
    results.push_back(add(one));
  close();
  return results;
}

void change::remove_all() {
  std::vector<route_name> names;
  store_.each_route(command_.realm, command_.session, [&](const route& one) {
    names.push_back(one.name);
    return true;
  });
  for (const auto& name : names)
    remove(name);
}

bool change::remove(const route_name& name) {
  if (!store_.find_route(command_.realm, command_.session, name))
    return false;
  store_.erase_route(command_.realm, command_.session, name);
  --record_.routes;
  --totals_.routes;
  if (table_ != nullptr)
    table_->remove(command_.realm, command_.session, name);
  return true;
}

route_result change::add(const route& one) {
  const bool present =
      store_.find_route(command_.realm, command_.session, one.name).has_value();
  if (!store_.put_route(command_.realm, command_.session, one))
    return route_result::refused;
  if (!present) {
    ++record_.routes;
    ++totals_.routes;
  }
  if (table_ != nullptr)
    table_->put(command_.realm, command_.session, one);
  return present ? route_result::was_present : route_result::was_absent;
}

void change::close() {
  if (command_.forget) {
    if (known_)
      --totals_.sessions;
    store_.erase_routes_of(command_.realm, command_.session);
  } else {
    if (!known_)
      ++totals_.sessions;
    record_.generation = command_.generation;
    store_.put_routes_of(command_.realm, command_.session, record_);
  }
  store_.put_totals_of_routes(totals_);
}

} // namespace

route_outcome apply(route_store& store, const change_routes& command,
                    route_table* table) {
  if (auto failure = check(command); failure.code != errc::ok)
    return {std::move(failure), {}};
  change now{store, command, table};
  if (now.is_late())
    return {{errc::conflict, command.session}, {}};
  if (!now.fits())
    return {{errc::too_many, "routes"}, {}};
  return {{}, now.run()};
}

} // namespace troupe::core
