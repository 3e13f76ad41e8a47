// SPDX-License-Identifier: Apache-2.0
#include "app/audit_gateway.hpp"

#include "actors/runtime/loop.hpp"
#include "core/errc.hpp"
#include "net/ip_endpoint.hpp"

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::app {
namespace {

using actors::runtime::loop;
using core::audit_kind;

/// More recipients than fit here are counted and not named.
constexpr std::size_t targets_bytes_max = 4000;

/// What was asked for and is not answered yet.
struct asked {
  audit_kind kind = audit_kind::post;
  std::string_view type;
  std::string user; ///< of a login; else it is the session's
  std::string target;
  std::uint32_t targets = 0;
  std::string detail;
  core::shared_bytes payload;
};

std::string names_of(const std::vector<core::recipient>& all) {
  std::string text;
  for (const auto& each : all) {
    if (text.size() + each.name.size() + 1 > targets_bytes_max)
      break;
    if (!text.empty())
      text += '\n';
    text += each.name;
  }
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& each : names)
    text += (text.empty() ? "" : " ") + each;
  return text;
}

std::string_view name_of(core::list_edit_kind kind) {
  switch (kind) {
  case core::list_edit_kind::add:
    return "add";
  case core::list_edit_kind::invite:
    return "invite";
  case core::list_edit_kind::remove:
    return "remove";
  }
  return "";
}

/// What a command asks for; nothing if it is not recorded. Device names are
/// credentials and do not appear.
struct describe {
  using answer = std::optional<asked>;

  answer operator()(const core::register_user& c) const {
    return asked{audit_kind::account, "register", c.uid, c.uid, 1,
                 joined(c.aliases),   {}};
  }
  answer operator()(const core::change_aliases& c) const {
    return asked{audit_kind::account, "aliases", {}, c.uid, 1,
                 joined(c.aliases),   {}};
  }
  answer operator()(const core::add_device& c) const {
    return asked{audit_kind::account, "add-device", c.uid, c.uid, 1, {}, {}};
  }
  answer operator()(const core::login& c) const {
    return asked{audit_kind::login, "login", c.uid, {}, 0, {}, {}};
  }
  answer operator()(const core::post& c) const {
    return asked{audit_kind::post,
                 "post",
                 {},
                 names_of(c.to),
                 static_cast<std::uint32_t>(c.to.size()),
                 {},
                 c.message.payload};
  }
  answer operator()(const core::post_to_alias& c) const {
    return asked{audit_kind::post, "post-to-alias", {}, c.alias, 1, {},
                 c.message.payload};
  }
  answer operator()(const core::edit_list& c) const {
    return asked{audit_kind::list, name_of(c.kind),     {}, c.list, 1,
                 c.member,         c.invitation.payload};
  }
  answer operator()(const core::acknowledge&) const { return std::nullopt; }
  answer operator()(const core::close_session&) const { return std::nullopt; }
};

/// The answer to a command that is not begun.
struct refuse {
  const core::error why{core::errc::overloaded, "the audit log is full"};

  core::session_event operator()(const core::register_user& c) const {
    return core::user_registered{c.request, why, {}};
  }
  core::session_event operator()(const core::change_aliases& c) const {
    return core::user_registered{c.request, why, {}};
  }
  core::session_event operator()(const core::add_device& c) const {
    return core::device_added{c.request, why, {}};
  }
  core::session_event operator()(const core::login& c) const {
    core::logged_in refused;
    refused.request = c.request;
    refused.failure = why;
    return refused;
  }
  core::session_event operator()(const core::post& c) const {
    return core::posted{c.request, false, {why}, {}};
  }
  core::session_event operator()(const core::post_to_alias& c) const {
    return core::posted{c.request, false, {why}, {}};
  }
  core::session_event operator()(const core::edit_list& c) const {
    return core::list_edited{c.request, why};
  }
  // These are never refused.
  core::session_event operator()(const core::acknowledge&) const { return {}; }
  core::session_event operator()(const core::close_session&) const {
    return {};
  }
};

core::request_number number_of(const core::session_command& command) {
  return std::visit(
      [](const auto& c) -> core::request_number {
        if constexpr (requires { c.request; })
          return c.request;
        else
          return 0;
      },
      command);
}

/// What an answer says of the request it belongs to.
struct outcome {
  core::request_number request = 0;
  bool accepted = false;
  std::string_view reason;
  std::string reference;
};

std::string_view reason_of(const core::error& why) {
  return why.code == core::errc::ok ? std::string_view{}
                                    : core::to_string(why.code);
}

struct judge {
  using answer = std::optional<outcome>;

  answer operator()(const core::posted& e) const {
    // Accepted ones may name recipients who were not reached.
    return outcome{e.request, e.accepted,
                   e.failures.empty() ? std::string_view{}
                                      : reason_of(e.failures.front()),
                   e.id ? core::to_string(*e.id) : std::string{}};
  }
  answer operator()(const core::user_registered& e) const { return plain(e); }
  answer operator()(const core::device_added& e) const { return plain(e); }
  answer operator()(const core::logged_in& e) const { return plain(e); }
  answer operator()(const core::list_edited& e) const { return plain(e); }
  answer operator()(const core::delivery&) const { return std::nullopt; }
  answer operator()(const core::session_ended&) const { return std::nullopt; }

private:
  template <class Event>
  static answer plain(const Event& e) {
    return outcome{
        e.request, e.failure.code == core::errc::ok, reason_of(e.failure), {}};
  }
};

/// Both ways of one connection, on its loop. Lives as long as its port or a
/// call back that is under way.
class audited_line final : public core::session_link,
                           public std::enable_shared_from_this<audited_line> {
public:
  audited_line(core::audit_sink& sink, loop& home, core::session_link& link,
               const net::connection_info& info)
      : sink_(sink), home_(home), link_(&link), session_(info.id.value()),
        address_(net::unmapped(info.peer.address).to_string()),
        protocol_(info.protocol) {}

  /// Remembers what is asked for, and answers what can't be begun.
  void on_commands(std::vector<core::session_command>& commands) {
    std::erase_if(commands, [this](const auto& command) {
      auto what = std::visit(describe{}, command);
      if (!what)
        return false;
      if (!sink_.has_room()) {
        record_refused(*what);
        // To wait for the log that has no room would say it too late.
        take(std::visit(refuse{}, command), 0);
        return true;
      }
      asked_.insert_or_assign(number_of(command), std::move(*what));
      return false;
    });
  }

  void on_event(core::session_event event) override {
    core::audit_ticket ticket = 0;
    if (const auto found = std::visit(judge{}, event))
      ticket = record(*found);
    else if (const auto* end = std::get_if<core::session_ended>(&event))
      ticket = record_logout(reason_of(end->reason));
    take(std::move(event), ticket);
  }

  void on_room() override {
    if (link_ != nullptr)
      link_->on_room();
  }

  /// The connection is gone. What was not answered may have been done.
  void close() {
    link_ = nullptr;
    held_.clear();
    for (auto& [request, what] : asked_)
      record(what, false, "unanswered", {});
    asked_.clear();
    record_logout("");
  }

private:
  struct held_event {
    core::audit_ticket ticket = 0;
    core::session_event event;
  };

  core::audit_ticket record(const asked& what, bool accepted,
                            std::string_view reason,
                            std::string_view reference) {
    core::audit_entry entry;
    entry.kind = what.kind;
    entry.accepted = accepted;
    entry.session = session_;
    entry.realm = "default";
    entry.user = what.user.empty() ? std::string_view{user_} : what.user;
    entry.address = address_;
    entry.target = what.target;
    entry.targets = what.targets;
    entry.type = what.type;
    entry.reason = reason;
    entry.reference = reference;
    entry.detail = what.detail;
    entry.size = what.payload.size();
    entry.payload = what.payload;
    return sink_.record(entry);
  }

  core::audit_ticket record(const outcome& found) {
    const auto at = asked_.find(found.request);
    if (at == asked_.end())
      return 0;
    const auto what = std::move(at->second);
    asked_.erase(at);
    if (what.kind == audit_kind::login && found.accepted)
      user_ = what.user;
    return record(what, found.accepted, found.reason, found.reference);
  }

  void record_refused(const asked& what) {
    record(what, false, core::to_string(core::errc::overloaded), {});
  }

  /// Once, and of somebody who was in.
  core::audit_ticket record_logout(std::string_view reason) {
    if (user_.empty())
      return 0;
    asked what;
    what.kind = audit_kind::logout;
    what.type = protocol_;
    const auto ticket = record(what, true, reason, {});
    user_.clear();
    return ticket;
  }

  /// Passes an event on, now or when its record and those of all events before
  /// it are kept.
  void take(core::session_event event, core::audit_ticket ticket) {
    if (link_ == nullptr)
      return;
    if (held_.empty() && sink_.is_kept(ticket))
      return link_->on_event(std::move(event));
    held_.push_back({ticket, std::move(event)});
    wait();
  }

  void wait() {
    if (std::exchange(waiting_, true))
      return;
    sink_.when_kept(held_.front().ticket,
                    [weak = weak_from_this(), home = &home_] {
                      home->post([weak] {
                        if (const auto alive = weak.lock())
                          alive->release();
                      });
                    });
  }

  void release() {
    waiting_ = false;
    while (!held_.empty() && link_ != nullptr &&
           sink_.is_kept(held_.front().ticket)) {
      auto event = std::move(held_.front().event);
      held_.pop_front();
      link_->on_event(std::move(event)); // may close this
    }
    if (!held_.empty())
      wait();
  }

  core::audit_sink& sink_;
  loop& home_;
  core::session_link* link_;
  const std::uint64_t session_;
  const std::string address_;
  const std::string_view protocol_;
  std::string user_;
  std::unordered_map<core::request_number, asked> asked_; ///< as bounded
  /// No more than the gate lets a client ask before it is answered, and than
  /// the session delivers unasked.
  std::deque<held_event> held_;
  bool waiting_ = false;
};

class audited_port final : public net::session_port {
public:
  explicit audited_port(std::shared_ptr<audited_line> line)
      : line_(std::move(line)) {}

  void set_inner(std::unique_ptr<net::session_port> inner) {
    inner_ = std::move(inner);
  }
  [[nodiscard]] bool opened() const { return inner_ != nullptr; }

  void send(std::vector<core::session_command> commands) override {
    line_->on_commands(commands);
    if (!commands.empty())
      inner_->send(std::move(commands));
  }
  [[nodiscard]] bool full() override { return inner_->full(); }
  void close() override {
    line_->close();
    inner_->close();
  }

private:
  std::shared_ptr<audited_line> line_;
  std::unique_ptr<net::session_port> inner_; ///< first to go
};

} // namespace

std::unique_ptr<net::session_port>
audit_gateway::open(actors::runtime::loop& home, core::session_link& link,
                    const net::connection_info& info) {
  auto line = std::make_shared<audited_line>(sink_, home, link, info);
  auto port = std::make_unique<audited_port>(line);
  port->set_inner(inner_.open(home, *line, info));
  if (!port->opened())
    return nullptr;
  return port;
}

} // namespace troupe::app
