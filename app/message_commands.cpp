// SPDX-License-Identifier: Apache-2.0
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/message_text.hpp"
#include "app/mq_client.hpp"

#include <iostream>
#include <sstream>
#include <unordered_set>

namespace troupe::app {
namespace {

namespace mq = net::mq;

/// Ids a `tail --no-ack` remembers, so that it shows repeats once.
constexpr std::size_t shown_ids_max = 65'536;

std::string body_text(const std::optional<std::string>& text,
                      terminal& screen) {
  if (text)
    return *text;
  std::ostringstream all;
  all << screen.in.rdbuf();
  return all.str();
}

mq::packet_body body_of(const std::string& meta, const std::string& data) {
  return {core::as_bytes(meta), core::as_bytes(data)};
}

/// Shows how a request ended. A recipient that was not reached counts as
/// failed, although the others got the message.
int conclude(const char* name, const core::result<std::string>& remark,
             terminal& screen) {
  if (!remark)
    return fail(name, remark.error(), screen);
  if (!remark->empty()) {
    screen.err << "troupe " << name << ": " << *remark << '\n';
    return exit_failed;
  }
  screen.out << "ok\n";
  return exit_ok;
}

void add_recipients(std::vector<core::recipient>& to,
                    const std::vector<std::string>& names,
                    core::recipient_kind kind) {
  for (const auto& name : names)
    to.push_back({name, kind});
}

/// Prints messages as they come.
class tail {
public:
  tail(const inbox_tail_options& options, mq_client& client, terminal& screen)
      : options_(options), client_(client), screen_(screen) {}

  core::result<void> run() {
    while (options_.count == 0 || shown_ < options_.count) {
      const auto packet = client_.receive(std::nullopt);
      if (!packet)
        return packet.error();
      const auto arrived = inbox_message_of(*packet);
      if (!arrived)
        continue;
      if (auto taken = take(*arrived); !taken)
        return taken;
    }
    return {};
  }

private:
  core::result<void> take(const inbox_message& arrived) {
    if (!options_.acknowledge) {
      if (ids_.size() >= shown_ids_max)
        ids_.clear();
      if (!ids_.insert(arrived.id).second)
        return {};
    }
    screen_.out << (options_.json ? json_line(arrived) : text_line(arrived))
                << '\n'
                << std::flush;
    ++shown_;
    if (!screen_.out)
      return core::error{core::errc::io_error, "the output is closed"};
    // Only now: what was not shown stays in the inbox.
    if (options_.acknowledge)
      return client_.send(mq::ack_packet{arrived.id, "ok"});
    return {};
  }

  const inbox_tail_options& options_;
  mq_client& client_;
  terminal& screen_;
  std::uint64_t shown_ = 0;
  std::unordered_set<std::string> ids_;
};

} // namespace

int run(const post_options& options, terminal& screen) {
  const auto data = body_text(options.text, screen);
  mq_client client{options.client};
  if (auto opened = client.open(1); !opened)
    return fail("post", opened.error(), screen);
  mq::post_request request{"1"};
  add_recipients(request.to, options.to, core::recipient_kind::all_devices);
  add_recipients(request.to, options.one, core::recipient_kind::one_device);
  add_recipients(request.to, options.lists,
                 core::recipient_kind::list_without_sender);
  add_recipients(request.to, options.lists_with_sender,
                 core::recipient_kind::list_with_sender);
  request.body = body_of(options.meta, data);
  request.no_nodes = !options.copy_to_own_devices;
  request.time_to_live = options.ttl;
  return conclude("post", client.request(request, request.id), screen);
}

int run(const ping_options& options, terminal& screen) {
  const auto data = body_text(options.text, screen);
  mq_client client{options.client};
  if (auto opened = client.open(1); !opened)
    return fail("ping", opened.error(), screen);
  mq::ping_request request{"1", options.alias};
  request.body = body_of(options.meta, data);
  return conclude("ping", client.request(request, request.id), screen);
}

int run(const inbox_tail_options& options, terminal& screen) {
  mq_client client{options.client};
  if (auto opened = client.open(options.window); !opened)
    return fail("inbox tail", opened.error(), screen);
  if (auto ended = tail{options, client, screen}.run(); !ended)
    return fail("inbox tail", ended.error(), screen);
  return exit_ok;
}

} // namespace troupe::app
