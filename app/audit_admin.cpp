// SPDX-License-Identifier: Apache-2.0
#include "app/audit_admin.hpp"

#include "net/ip_endpoint.hpp"
#include "net/kept_answer.hpp"
#include "net/protocol_host.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::size_t body_bytes_max = std::size_t{64} << 10U;
constexpr std::array<std::string_view, 6> secret_members{
    "password", "token", "bearer", "secret", "device", "previous_device"};
/// Of POST /topics/publish; no secret, but for audit.payload to decide.
constexpr std::string_view payload_member = "data";

bool is_secret(std::string_view name) {
  return std::find(secret_members.begin(), secret_members.end(), name) !=
         secret_members.end();
}

void hide_secrets(json::value& in) {
  if (auto* list = in.if_array()) {
    for (auto& each : *list)
      hide_secrets(each);
    return;
  }
  auto* object = in.if_object();
  if (object == nullptr)
    return;
  for (auto& member : *object) {
    const std::string_view name{member.key().data(), member.key().size()};
    const auto* text = member.value().if_string();
    if (name == payload_member && text != nullptr) {
      member.value() = "(" + std::to_string(text->size()) + " bytes)";
      continue;
    }
    if (is_secret(name)) {
      // That one is taken away is no secret.
      if (!member.value().is_null())
        member.value() = "(secret)";
    } else {
      hide_secrets(member.value());
    }
  }
}

/// Stands for the connection toward a handler. Its ticket keeps it, so it lives
/// as long as anybody may answer; used on the connection's loop.
class audited_exchange final : public net::http_exchange {
public:
  audited_exchange(core::audit_sink& sink, const net::http_request& request,
                   net::responder to)
      : sink_(sink), to_(std::move(to)), method_(request.method),
        path_(request.path), detail_(without_secrets(request.body)),
        size_(request.body.size()) {
    const auto& info = to_.host().info();
    session_ = info.id.value();
    address_ = net::unmapped(info.peer.address).to_string();
    for (const auto& [name, value] : request.query)
      path_ += (path_.find('?') == std::string::npos ? "?" : "&") + name + "=" +
               (is_secret(name) ? std::string{"(secret)"} : value);
  }
  ~audited_exchange() {
    if (ticket_.exchange != nullptr)
      record(false, "no answer");
  }
  audited_exchange(const audited_exchange&) = delete;
  audited_exchange& operator=(const audited_exchange&) = delete;

  static net::responder make(core::audit_sink& sink,
                             const net::http_request& request,
                             net::responder to) {
    auto self =
        std::make_shared<audited_exchange>(sink, request, std::move(to));
    self->ticket_.exchange = self.get();
    self->ticket_.home = &self->to_.home();
    auto* ticket = &self->ticket_;
    return net::responder{
        std::shared_ptr<net::http_ticket>{std::move(self), ticket}};
  }

  void answer(net::http_response response) override {
    const auto status = response.status;
    finish(status,
           [response = std::move(response)](const net::responder& to) mutable {
             to.send(std::move(response));
           });
  }
  void answer_verbatim(std::string bytes, net::http_after after) override {
    finish(200, [bytes = std::move(bytes), after](const net::responder& to) {
      to.send_verbatim(bytes, after);
    });
  }
  void hand_over(std::unique_ptr<net::protocol> successor,
                 std::string head) override {
    ticket_.exchange = nullptr;
    record(true, {});
    to_.hand_over(std::move(successor), std::move(head));
  }
  net::protocol_host& host() override { return to_.host(); }
  void begin_stream(net::http_response head) override {
    record(true, {});
    stream_ = to_.stream(std::move(head.content_type));
  }
  bool stream(std::string_view bytes) override { return stream_.write(bytes); }
  void end_stream() override {
    ticket_.exchange = nullptr;
    stream_.end();
  }

private:
  core::audit_ticket record(bool accepted, std::string_view reason) {
    if (std::exchange(recorded_, true))
      return 0;
    core::audit_entry entry;
    entry.kind = core::audit_kind::admin;
    entry.accepted = accepted;
    entry.session = session_;
    entry.address = address_;
    entry.target = path_;
    entry.targets = 1;
    entry.type = method_;
    entry.reason = reason;
    entry.detail = detail_;
    entry.size = size_;
    return sink_.record(entry);
  }

  void finish(unsigned status,
              std::function<void(const net::responder&)> send) {
    ticket_.exchange = nullptr;
    const bool accepted = status < 400;
    const auto ticket =
        record(accepted, accepted ? std::string{} : std::to_string(status));
    net::answer_when_kept(&sink_, ticket, to_, std::move(send));
  }

  core::audit_sink& sink_;
  net::responder to_;
  net::http_stream stream_;
  net::http_ticket ticket_;
  std::uint64_t session_ = 0;
  std::string address_;
  const std::string method_;
  std::string path_;
  const std::string detail_;
  const std::uint64_t size_;
  bool recorded_ = false;
};

} // namespace

std::string without_secrets(const std::string& body) {
  if (body.empty() || body.size() > body_bytes_max)
    return {};
  boost::system::error_code bad;
  auto parsed = json::parse(body, bad);
  if (bad || !(parsed.is_object() || parsed.is_array()))
    return {};
  hide_secrets(parsed);
  return json::serialize(parsed);
}

admin_handler audited(core::audit_sink& sink, admin_handler inner) {
  return [&sink, inner = std::move(inner)](const net::http_request& request,
                                           net::responder answer) {
    if (!sink.has_room())
      return answer.send(net::http_error(503, "the audit log is full"));
    inner(request, audited_exchange::make(sink, request, std::move(answer)));
  };
}

} // namespace troupe::app
