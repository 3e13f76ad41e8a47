// SPDX-License-Identifier: Apache-2.0
#include "app/joining.hpp"

#include "actors/links/join_client.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

namespace troupe::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause_first{200};
constexpr milliseconds pause_longest{5'000};
/// A line of progress this often, or whenever the reason is another.
constexpr std::chrono::seconds say_every{5};
/// For one question of a node that returns, and for all of them.
constexpr milliseconds return_patience{2'000};
constexpr milliseconds return_patience_all{4'000};

actors::links::join_options question_to(const cluster_options& options,
                                        const std::string& address) {
  actors::links::join_options ask;
  ask.addresses = {address};
  ask.secret = options.secret;
  ask.advertise = options.advertise;
  ask.tls = options.tls;
  return ask;
}

struct heard {
  storage::cluster_id cluster;
  actors::join_answer answer;
};

core::result<heard> ask(const actors::links::join_options& options,
                        const actors::join_request& request) {
  const auto words = encode(request);
  const auto reply = actors::links::ask_to_join(options, words.view());
  if (!reply)
    return reply.error();
  auto answer = actors::decode_join_answer(reply->answer.view());
  if (!answer)
    return answer.error();
  heard all;
  static_assert(sizeof all.cluster.bytes == sizeof reply->cluster);
  std::memcpy(all.cluster.bytes.data(), reply->cluster.data(),
              all.cluster.bytes.size());
  all.answer = std::move(*answer);
  return all;
}

/// Says why a node waits, not more often than people want to read it.
class progress {
public:
  explicit progress(const log_line& log) : log_(log) {}

  void waits(const std::string& address, const std::string& why) {
    const auto now = std::chrono::steady_clock::now();
    if (why == last_ && now - said_ < say_every)
      return;
    last_ = why;
    said_ = now;
    log_("info", "cluster",
         "waiting to join the cluster; " + address + ": " + why);
  }

private:
  const log_line& log_;
  std::string last_;
  std::chrono::steady_clock::time_point said_{};
};

std::string reason_of(const core::error& why) {
  return why.detail.empty() ? core::to_string(why) : why.detail;
}

/// A name like this one that nobody else has.
std::string distinct(const std::string& name, const std::string& token) {
  return name + "-" + token.substr(0, 6);
}

} // namespace

core::result<admission> join_cluster(const cluster_options& options,
                                     actors::join_request request,
                                     const log_line& log,
                                     const pause_function& pause) {
  progress said{log};
  auto wait = pause_first;
  bool renamed = false;
  for (;;) {
    for (const auto& address : options.join) {
      const auto got = ask(question_to(options, address), request);
      if (!got) {
        const auto code = got.error().code;
        if (code != core::errc::unavailable && code != core::errc::timed_out)
          return core::error{
              code, "the node at " + address +
                        " does not let this one in: " + reason_of(got.error())};
        said.waits(address, code == core::errc::timed_out
                                ? "it does not answer in time"
                                : "nobody answers there (" +
                                      reason_of(got.error()) + ")");
        continue;
      }
      const auto& answer = got->answer;
      switch (answer.verdict) {
      case actors::join_verdict::admitted:
        log("info", "cluster",
            "admitted by the node at " + address + " as node " +
                std::to_string(answer.node.value()) + " of cluster " +
                storage::to_string(got->cluster));
        return admission{got->cluster, answer};
      case actors::join_verdict::try_again:
        said.waits(address, answer.reason);
        break;
      case actors::join_verdict::name_taken:
        if (options.name_is_default && !std::exchange(renamed, true)) {
          request.name = distinct(request.name, request.token);
          wait = milliseconds{0};
          break;
        }
        return core::error{core::errc::not_permitted,
                           answer.reason + "; set node.name to another one"};
      case actors::join_verdict::refused:
        return core::error{core::errc::not_permitted,
                           "the node at " + address +
                               " says: " + answer.reason};
      }
    }
    if (pause(wait))
      return core::error{core::errc::shutting_down,
                         "told to stop before it had joined the cluster"};
    wait = std::clamp(wait * 2, pause_first, pause_longest);
  }
}

core::result<confirmation> ask_to_return(const cluster_options& options,
                                         const returning_node& node,
                                         const log_line& log) {
  const auto end = std::chrono::steady_clock::now() + return_patience_all;
  std::vector<std::pair<std::string, bool>> places; // and if they were given
  for (const auto& address : options.join)
    places.emplace_back(address, true);
  for (const auto& address : node.addresses)
    if (std::find(options.join.begin(), options.join.end(), address) ==
        options.join.end())
      places.emplace_back(address, false);
  for (const auto& [address, given] : places) {
    const auto left = std::chrono::duration_cast<milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left <= milliseconds{0})
      break;
    auto question = question_to(options, address);
    std::memcpy(question.cluster.data(), node.cluster.bytes.data(),
                question.cluster.size());
    question.self = node.request.node;
    question.connect_timeout = std::min(left, return_patience);
    question.timeout = std::min(left, return_patience);
    const auto got = ask(question, node.request);
    if (!got) {
      // Who took over the address of an old peer has nothing to say here.
      if (given && got.error().code == core::errc::not_permitted)
        return core::error{core::errc::not_permitted,
                           "the node at " + address +
                               " (cluster.join): " + reason_of(got.error()) +
                               "; this data folder belongs to cluster " +
                               storage::to_string(node.cluster)};
      log("debug", "cluster",
          "asked the node at " + address + ": " + reason_of(got.error()));
      continue;
    }
    if (got->answer.verdict == actors::join_verdict::refused)
      return core::error{core::errc::not_permitted, got->answer.reason};
    if (got->answer.verdict == actors::join_verdict::admitted)
      return confirmation{true, got->answer.peers};
  }
  return confirmation{};
}

} // namespace troupe::app
