// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/floor.hpp"

#include "core/assert.hpp"
#include "core/json_text.hpp"
#include "net/zenconn/channel.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace troupe::net::zenconn {
namespace {

/// As listeners are shown.
constexpr const char* door_name = "zenconn";

/// Numbers with a blank between; nothing if it is something else.
template <std::size_t Count>
std::optional<std::array<std::uint64_t, Count>>
read_numbers(std::string_view text) {
  std::array<std::uint64_t, Count> found{};
  const auto* at = text.data();
  const auto* const end = at + text.size();
  for (std::size_t i = 0; i < Count; ++i) {
    if (i > 0 && (at == end || *at++ != ' '))
      return std::nullopt;
    const auto [next, failed] = std::from_chars(at, end, found[i]);
    if (failed != std::errc{})
      return std::nullopt;
    at = next;
  }
  if (at != end)
    return std::nullopt;
  return found;
}

core::shared_bytes numbers(std::initializer_list<std::uint64_t> all) {
  std::string text;
  for (const auto each : all)
    text += (text.empty() ? "" : " ") + std::to_string(each);
  return core::shared_bytes::copy_of(text);
}

} // namespace

/// Calls a function with what is published under a topic.
class floor::ear final : private topic_listener {
public:
  using function = std::function<void(const core::publication_ptr&)>;
  using foresight =
      std::function<void(const core::publication&, core::fate_list&)>;
  explicit ear(function hears, foresight sees = {})
      : hears_(std::move(hears)), sees_(std::move(sees)) {}

  core::result<void> open(const house& owner, const core::topic& at,
                          const core::listener_about& who = {}) {
    auto made = owner.topics().listen(owner.options().realm,
                                      core::topic_filter{at}, *this, who);
    if (!made)
      return made.error();
    hold_ = std::move(*made);
    return {};
  }
  /// REQUIRES: it is open.
  [[nodiscard]] topic_hold& hold() const { return *hold_; }

private:
  void on_publication(const core::publication_ptr& what) override {
    hears_(what);
  }
  void foretell(const core::publication_ptr& what,
                core::fate_list& to) override {
    if (sees_)
      sees_(*what, to);
  }

  const function hears_;
  const foresight sees_;
  std::unique_ptr<topic_hold> hold_; // last: ends first
};

/// One channel on one loop.
class floor::room final {
public:
  room(floor& at, std::string channel, core::topic where)
      : topic(std::move(where)), floor_(at), channel_(std::move(channel)),
        events_([this](const auto& what) { give(what); },
                [this](const auto& what, auto& to) { foretell(what, to); }),
        questions_(
            [this](const auto& what) { floor_.on_question(channel_, *what); }) {
    count(floor_.owner_.stats().rooms);
  }
  ~room() { uncount(floor_.owner_.stats().rooms); }
  room(const room&) = delete;
  room& operator=(const room&) = delete;

  core::result<void> open() {
    const auto asked = question_topic(channel_);
    if (!asked)
      return asked.error();
    // In this order: whoever sends events here is to find somebody to ask.
    if (auto opened = questions_.open(floor_.owner_, *asked); !opened)
      return opened;
    core::listener_about group;
    group.door = door_name;
    group.group = true;
    group.restricted = is_private(channel_);
    return events_.open(floor_.owner_, topic, group);
  }

  [[nodiscard]] bool empty() const { return people_ == 0; }
  void add(member& who) {
    inside_.push_back(&who);
    ++people_;
    floor_.owner_.came(channel_);
    core::listener_about about;
    about.door = door_name;
    about.session = who.number();
    about.uid = who.uid();
    events_.hold().came(about);
    empty_since.reset();
  }
  void remove(member& who) {
    const auto at = std::find(inside_.begin(), inside_.end(), &who);
    if (at == inside_.end())
      return;
    *at = nullptr;
    --people_;
    floor_.owner_.went(channel_);
    events_.hold().went(who.number());
    if (!giving_)
      std::erase(inside_, nullptr);
  }

  const core::topic topic;
  std::optional<core::steady_time> empty_since; ///< as look() saw it

private:
  [[nodiscard]] bool is_own(const core::publication& what,
                            const member& who) const {
    return what.node == floor_.owner_.self() && who.number() == what.publisher;
  }
  void foretell(const core::publication& what, core::fate_list& to) const {
    for (const auto* each : inside_) {
      if (each == nullptr)
        continue;
      core::listener_fate one;
      one.door = door_name;
      one.session = each->number();
      one.client = each->id();
      one.uid = each->uid();
      if (is_own(what, *each)) {
        one.what = core::fate::dropped;
        one.why = "it is its own";
      }
      to.add(std::move(one));
    }
  }
  void give(const core::publication_ptr& what) {
    shared_event event{what, channel_};
    giving_ = true;
    // Whoever goes meanwhile leaves a hole, whoever comes is not meant.
    const auto before = inside_.size();
    std::size_t given = 0;
    for (std::size_t i = 0; i < before; ++i)
      if (auto* to = inside_[i]; to != nullptr && !is_own(*what, *to)) {
        to->on_event(event);
        ++given;
      }
    giving_ = false;
    events_.hold().handed_on(given);
    std::erase(inside_, nullptr);
  }

  floor& floor_;
  const std::string channel_;
  std::vector<member*> inside_;
  std::size_t people_ = 0;
  bool giving_ = false;
  ear events_;
  ear questions_;
};

floor::floor(house& owner, std::size_t index) : owner_(owner), index_(index) {}
floor::~floor() = default;

core::result<void> floor::open() {
  auto made =
      std::make_unique<ear>([this](const auto& what) { on_answer(*what); });
  if (auto opened = made->open(owner_, answer_topic(owner_.self(), index_));
      !opened)
    return opened;
  answers_ = std::move(made);
  return {};
}

void floor::close() {
  TROUPE_ASSERT(members_.empty(), "a floor is closed with people on it");
  rooms_.clear();
  answers_.reset();
}

core::result<void> floor::enter(member& who) {
  const bool first = members_.empty();
  members_.emplace(who.number(), &who);
  if (auto joined = join(std::string{everybody}, who); !joined) {
    members_.erase(who.number());
    return joined;
  }
  count(owner_.stats().sessions);
  count(owner_.stats().sessions_ever);
  if (first)
    on_first();
  return {};
}

void floor::exit(member& who) {
  leave(std::string{everybody}, who);
  members_.erase(who.number());
  uncount(owner_.stats().sessions);
}

floor::room* floor::find(const std::string& channel) {
  const auto at = rooms_.find(channel);
  return at == rooms_.end() ? nullptr : at->second.get();
}

core::result<void> floor::join(const std::string& channel, member& who) {
  auto* there = find(channel);
  if (there == nullptr) {
    auto where = topic_of(channel);
    if (!where)
      return where.error();
    auto made = std::make_unique<room>(*this, channel, std::move(*where));
    if (auto opened = made->open(); !opened)
      return opened;
    there = rooms_.emplace(channel, std::move(made)).first->second.get();
  }
  there->add(who);
  return {};
}

void floor::leave(const std::string& channel, member& who) {
  if (auto* there = find(channel))
    there->remove(who);
}

core::result<spoken> floor::speak(const std::string& channel, member& who,
                                  std::string data, std::string_view uid,
                                  std::uint64_t number) {
  auto* there = find(channel);
  TROUPE_ASSERT(there != nullptr, "somebody speaks where nobody is");
  core::publication said;
  said.realm = owner_.options().realm;
  said.topic = there->topic;
  said.publisher = who.number();
  said.sender = uid;
  said.content_type = "application/json";
  said.headers.emplace_back(from_header, who.id());
  said.payload = core::shared_bytes::copy_of(data);
  if (auto done = owner_.topics().publish(std::move(said)); !done)
    return done.error();
  core::publication asked;
  asked.realm = owner_.options().realm;
  asked.topic = *question_topic(channel);
  asked.publisher = who.number();
  asked.payload = numbers({index_, who.number(), number});
  spoken outcome;
  outcome.members = owner_.members(channel) - 1;
  // Without an answer nobody is waited for.
  if (auto done = owner_.topics().publish(std::move(asked)))
    outcome.nodes = *done;
  return outcome;
}

void floor::announce(const std::string& channel, member& who, bool came) {
  auto* there = find(channel);
  if (there == nullptr)
    return;
  core::json_writer data;
  data.begin_object()
      .member("event", came ? "joined" : "left")
      .member("session", who.id())
      .end_object();
  core::publication said;
  said.realm = owner_.options().realm;
  said.topic = there->topic;
  said.publisher = who.number();
  said.content_type = "application/json";
  said.payload = core::shared_bytes::copy_of(data.text());
  // It is small, and if nobody hears it nobody misses it.
  static_cast<void>(owner_.topics().publish(std::move(said)));
}

void floor::on_question(std::string_view channel,
                        const core::publication& what) {
  if (what.node == owner_.self())
    return; // known without asking
  const auto read = read_numbers<3>(what.payload.text());
  if (!read)
    return;
  const auto [at, session, number] = *read;
  if (!owner_.take({what.node, at, session, number}))
    return;
  core::publication told;
  told.realm = owner_.options().realm;
  told.topic = answer_topic(what.node, at);
  told.payload = numbers({session, number, owner_.members(channel)});
  count(owner_.stats().answers);
  // Lost or refused, who asks waits no longer than count_time.
  static_cast<void>(owner_.topics().publish(std::move(told)));
}

void floor::on_answer(const core::publication& what) {
  const auto read = read_numbers<3>(what.payload.text());
  if (!read || what.node == owner_.self())
    return;
  const auto at = members_.find((*read)[0]);
  if (at != members_.end())
    at->second->on_counted((*read)[1], what.node, (*read)[2]);
}

void floor::look(core::steady_time now) {
  turn_ = (turn_ + 1) % look_parts;
  std::vector<std::uint64_t> due;
  for (const auto& [number, who] : members_)
    if (number % look_parts == turn_)
      due.push_back(number);
  for (const auto number : due)
    if (const auto at = members_.find(number); at != members_.end())
      at->second->on_look();
  std::erase_if(rooms_, [&](auto& each) {
    auto& [channel, there] = each;
    if (!there->empty())
      return false;
    if (!there->empty_since)
      there->empty_since = now;
    return now - *there->empty_since >= empty_time;
  });
}

} // namespace troupe::net::zenconn
