// SPDX-License-Identifier: Apache-2.0
#include "app/session_records.hpp"

#include "app/json_text.hpp"
#include "storage/named_thread.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds retry_time{1};
/// Of the whole, so that little goes at a time.
constexpr std::uint64_t segments = 16;

void add(std::string& to, std::string_view name, std::string_view text) {
  append_json(to, name);
  to += ':';
  append_json(to, text);
  to += ',';
}

void add(std::string& to, std::string_view name, std::int64_t value) {
  append_json(to, name);
  to += ':';
  to += std::to_string(value);
  to += ',';
}

std::string members_of(const net::zenconn::session_facts& what,
                       const session_records_options& options,
                       core::timestamp now) {
  std::string to;
  add(to, "session", what.id);
  add(to, "server", options.server);
  add(to, "node", static_cast<std::int64_t>(options.node.value()));
  if (what.worker)
    add(to, "worker", std::int64_t{*what.worker});
  else
    to += R"("worker":null,)";
  add(to, "connected_ms", core::to_millis(now));
  add(to, "remote", what.remote);
  add(to, "user", what.user);
  add(to, "protocol", what.spelling);
  to += what.tls ? R"("tls":true)" : R"("tls":false)";
  return to;
}

std::string opening(const std::string& members) {
  return R"({"event":"opened",)" + members + '}';
}

/// What a journal says of the runs before this one.
class past {
public:
  void take(std::string_view line) {
    boost::system::error_code bad;
    const auto value = json::parse(line, bad);
    const auto* of = bad ? nullptr : value.if_object();
    const auto event = of == nullptr ? "" : text(*of, "event");
    if (event == "started")
      server = text(*of, "server");
    else if (event == "stopped" || event == "lost")
      server.clear();
    else if (event == "opened")
      open.insert_or_assign(text(*of, "session"), members(line));
    else if (event == "closed")
      open.erase(text(*of, "session"));
  }

  std::map<std::string, std::string> open; ///< members by session
  std::string server;                      ///< that has not stopped

private:
  static std::string text(const json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    const auto* string = found == nullptr ? nullptr : found->if_string();
    return string == nullptr ? std::string{} : std::string{*string};
  }
  /// Of a line that opening() made.
  static std::string members(std::string_view line) {
    line.remove_prefix(line.find(',') + 1);
    line.remove_suffix(1);
    return std::string{line};
  }
};

} // namespace

core::result<std::unique_ptr<session_records>>
session_records::open(storage::file_system& files,
                      session_records_options options, complaint complain) {
  std::unique_ptr<session_records> self{
      new session_records{std::move(options), std::move(complain)}};
  if (self->options_.folder.empty())
    return self;
  if (auto begun = self->begin(files); !begun)
    return begun.error();
  return self;
}

core::result<void> session_records::begin(storage::file_system& files) {
  storage::line_journal_options to;
  to.folder = options_.folder;
  to.keep_bytes = options_.bytes_max;
  to.segment_bytes = options_.bytes_max / segments;
  past before;
  auto opened = storage::line_journal::open(
      files, to, [&](std::string_view line) { before.take(line); });
  if (!opened)
    return opened.error();
  journal_ = std::move(*opened);
  for (const auto& [id, members] : before.open)
    journal_->append(ending(members, "server lost"));
  if (!before.server.empty())
    journal_->append(mark("lost", before.server));
  journal_->append(mark("started", options_.server));
  if (auto kept = journal_->sync(); !kept)
    return kept;
  stats_.lost = before.open.size();
  stats_.bytes = journal_->bytes();
  if (const auto damaged = journal_->damaged(); damaged > 0)
    complain_(std::to_string(damaged) + " records are damaged");
  if (!before.open.empty())
    complain_(std::to_string(before.open.size()) +
              " sessions of the run before were lost with it");
  thread_ = std::thread{[this] { run(); }};
  return {};
}

session_records::~session_records() { stop(); }

/// A line about a run.
std::string session_records::mark(std::string_view what,
                                  std::string_view server) const {
  std::string to = "{";
  add(to, "event", what);
  add(to, "server", server);
  add(to, "node", static_cast<std::int64_t>(options_.node.value()));
  add(to, "cluster", options_.cluster);
  add(to, "at_ms", core::to_millis(clock_.wall()));
  to.back() = '}';
  return to;
}

std::string session_records::ending(const std::string& members,
                                    std::string_view why) const {
  std::string to = R"({"event":"closed",)" + members + ',';
  add(to, "disconnected_ms", core::to_millis(clock_.wall()));
  add(to, "reason", why);
  to.back() = '}';
  return to;
}

void session_records::open(net::zenconn::session_facts what,
                           std::function<void(bool)> done) {
  auto members = members_of(what, options_, clock_.wall());
  bool stands = true;
  {
    const std::lock_guard lock{mutex_};
    stands = !failing_ && !stopping_;
    if (stands) {
      if (thread_.joinable()) {
        push({opening(members), what.id, std::move(done)});
        done = nullptr;
      }
      live_.emplace(std::move(what.id), std::move(members));
    }
  }
  (stands ? stats_.opened : stats_.refused)
      .fetch_add(1, std::memory_order_relaxed);
  if (done)
    done(stands);
}

void session_records::close(const std::string& id, std::string_view why) {
  const std::lock_guard lock{mutex_};
  const auto at = live_.find(id);
  if (at == live_.end())
    return; // it is off the record
  if (thread_.joinable())
    push({ending(at->second, why), {}, nullptr});
  live_.erase(at);
  stats_.closed.fetch_add(1, std::memory_order_relaxed);
}

/// With the lock.
void session_records::push(entry what) {
  waiting_.push_back(std::move(what));
  if (waiting_.size() == 1)
    changed_.notify_one();
}

void session_records::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopping_, true) || !thread_.joinable())
      return;
    push({mark("stopped", options_.server), {}, nullptr});
  }
  changed_.notify_one();
  thread_.join();
}

void session_records::run() {
  storage::name_this_thread("troupe-records");
  std::unique_lock lock{mutex_};
  for (;;) {
    const auto due = [this] { return stopping_ || !waiting_.empty(); };
    if (journal_->waits())
      changed_.wait_for(lock, retry_time, due);
    else
      changed_.wait(lock, due);
    const bool last = stopping_;
    auto batch = std::exchange(waiting_, {});
    lock.unlock();
    settle(std::move(batch));
    lock.lock();
    if (last && waiting_.empty())
      return;
  }
}

void session_records::settle(std::vector<entry> batch) {
  for (const auto& each : batch)
    journal_->append(each.line);
  const auto kept = journal_->sync();
  {
    const std::lock_guard lock{mutex_};
    failing_ = !kept;
  }
  if (!kept) {
    stats_.errors.fetch_add(1, std::memory_order_relaxed);
    complain_("sessions can't be recorded: " + kept.error().detail);
    return fail(batch);
  }
  for (auto& each : batch)
    if (each.done)
      each.done(true);
  if (journal_->is_full())
    roll();
  stats_.bytes.store(journal_->bytes(), std::memory_order_relaxed);
}

/// Their lines stand in memory, and perhaps on the disk: so do their ends.
void session_records::fail(std::vector<entry>& batch) {
  for (auto& each : batch) {
    if (!each.done)
      continue;
    close(each.id, "could not be recorded");
    stats_.refused.fetch_add(1, std::memory_order_relaxed);
    each.done(false);
  }
}

void session_records::roll() {
  const auto done = journal_->roll([this] {
    journal_->append(mark("started", options_.server));
    const std::lock_guard lock{mutex_};
    // What waits comes behind this, as it should.
    for (const auto& [id, members] : live_)
      journal_->append(opening(members));
  });
  if (done)
    return;
  stats_.errors.fetch_add(1, std::memory_order_relaxed);
  complain_("no new file for records: " + done.error().detail);
}

std::vector<std::string> session_records::live(std::string_view after,
                                               std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> found;
  for (auto at = live_.upper_bound(after);
       at != live_.end() && found.size() < limit; ++at)
    found.push_back('{' + at->second + '}');
  return found;
}

std::size_t session_records::live_count() const {
  const std::lock_guard lock{mutex_};
  return live_.size();
}

} // namespace troupe::app
