// SPDX-License-Identifier: Apache-2.0
#include "core/key_query.hpp"

#include "core/topic.hpp"

#include <utility>

namespace troupe::core {

std::optional<found_key> find_key(const key_store& store,
                                  std::string_view realm,
                                  std::string_view topic, timestamp now) {
  const auto record = store.key(realm, topic);
  if (!record || record->is_expired(now))
    return std::nullopt;
  // Both are read one after the other: the key may have changed between.
  auto command = store.value(record->source);
  if (!command)
    return std::nullopt;
  return found_key{std::string{topic}, *record, std::move(*command)};
}

std::string literal_beginning(const topic_filter& filter) {
  std::string text;
  for (level_reader in{filter.text()}; !in.done();) {
    const auto part = in.next();
    switch (part_of(part)) {
    case filter_part::level:
      text += part;
      if (!in.done())
        text += '/';
      break;
    case filter_part::prefix:
      return text.append(part.substr(0, part.size() - 1));
    case filter_part::any_level:
    case filter_part::any_levels:
      return text;
    }
  }
  return text;
}

key_page find_keys(const key_store& store, std::string_view realm,
                   const topic_filter& filter,
                   const std::optional<std::string>& after,
                   const key_page_limits& limits, timestamp now) {
  key_page page;
  std::size_t bytes = 0;
  // False if it would make the page too big.
  const auto take = [&](std::string_view text, const key_record& record) {
    if (!page.keys.empty() && (page.keys.size() >= limits.count_max ||
                               bytes + record.weight > limits.bytes_max))
      return false;
    if (auto command = store.value(record.source)) {
      bytes += record.weight;
      page.keys.push_back({std::string{text}, record, std::move(*command)});
    }
    return true;
  };
  const auto wanted = [&](std::string_view text, const key_record& record) {
    if (record.is_expired(now))
      return false;
    const auto name = topic::parse(text);
    return name && filter.matches(*name);
  };
  const auto beginning = literal_beginning(filter);
  std::string last;
  // The topic above, which only a # right behind the beginning matches, comes
  // first in the order of bytes; an exact filter is its own beginning.
  if (!after && (beginning.ends_with('/') || filter.is_exact())) {
    last = beginning;
    if (!filter.is_exact())
      last.pop_back();
    if (const auto record = store.key(realm, last);
        record && wanted(last, *record))
      take(last, *record);
  }
  if (filter.is_exact())
    return page;
  std::size_t looked_at = 0;
  store.each_key(realm, beginning, after,
                 [&](std::string_view text, const key_record& record) {
                   if (looked_at++ == limits.looked_at_max ||
                       (wanted(text, record) && !take(text, record))) {
                     page.next = last;
                     return false;
                   }
                   last = text;
                   return true;
                 });
  return page;
}

} // namespace troupe::core
