// SPDX-License-Identifier: Apache-2.0

// Topics, filters and the index of filters. Each line is an order: "+FILTER"
// adds, "-FILTER" removes, "?TOPIC" looks up, anything else is made levels of.
// The index finds what topic_filter::matches() says of each filter alone.
#include "core/assert.hpp"
#include "core/topic_filter.hpp"
#include "core/topic_filter_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe::core;

namespace {

using filter_map = std::map<topic_filter_index::place, topic_filter>;

void add(topic_filter_index& index, filter_map& all, std::string_view text) {
  const auto filter = topic_filter::parse(text);
  if (!filter || all.size() >= 64)
    return;
  TROUPE_ASSERT(filter->text() == text, "a filter has two spellings");
  const auto [where, fresh] = index.add(*filter);
  TROUPE_ASSERT(fresh == all.emplace(where, *filter).second,
                "a filter is there and is not");
}

void remove(topic_filter_index& index, filter_map& all, std::string_view text) {
  const auto where = index.find(text);
  if (!where)
    return;
  index.remove(*where);
  TROUPE_ASSERT(all.erase(*where) == 1, "an unknown filter was found");
}

void look(const topic_filter_index& index, const filter_map& all,
          std::string_view text) {
  const auto name = topic::parse(text);
  if (!name)
    return;
  TROUPE_ASSERT(name->text() == text, "a topic has two spellings");
  std::vector<topic_filter_index::place> found;
  index.match(*name, found);
  std::sort(found.begin(), found.end());
  std::vector<topic_filter_index::place> expected;
  for (const auto& [where, filter] : all)
    if (filter.matches(*name))
      expected.push_back(where);
  TROUPE_ASSERT(found == expected, "the index and the filters differ");
}

void spell(std::string_view text) {
  std::vector<std::string_view> levels{text.substr(0, text.size() / 2),
                                       text.substr(text.size() / 2)};
  const auto made = topic::of(levels);
  if (!made)
    return;
  const auto back = made->levels();
  TROUPE_ASSERT(back.size() == 2 && back[0] == levels[0] &&
                    back[1] == levels[1],
                "a level changed");
  TROUPE_ASSERT(topic::parse(made->text()).has_value() &&
                    topic_filter::parse(made->text())->is_exact(),
                "a topic can't be read again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  topic_filter_index index;
  filter_map all;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto text = line.substr(std::min<std::size_t>(1, line.size()));
    if (line.starts_with('+'))
      add(index, all, text);
    else if (line.starts_with('-'))
      remove(index, all, text);
    else if (line.starts_with('?'))
      look(index, all, text);
    else
      spell(line);
  }
  return 0;
}
