// SPDX-License-Identifier: Apache-2.0
// Tries credentials and rights, as a door would.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/rights_json.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

core::credentials credentials_in(const json::object& body) {
  core::credentials shown;
  shown.realm = std::string{admin_realm};
  shown.uid = text_in(body, "uid");
  shown.password = text_in(body, "password");
  shown.bearer = text_in(body, "bearer");
  shown.client = text_in(body, "client");
  shown.address = text_in(body, "address");
  return shown;
}

std::optional<core::right> right_of(std::string_view name) {
  for (const auto each : core::rights_all)
    if (core::to_string(each) == name)
      return each;
  return std::nullopt;
}

template <class Topics>
net::http_response verdict(const core::authorizer& judge, core::principal who,
                           core::right what, const Topics& topics) {
  core::session_rights rights{judge, std::move(who)};
  const auto why = rights.check(what, topics);
  const auto* by = why == core::deny_reason::none
                       ? rights.permitted_by(what, topics)
                       : nullptr;
  return json_response(
      {{"permitted", why == core::deny_reason::none},
       {"reason", core::to_string(why)},
       {"by", by == nullptr ? json::value{} : json::value(*by)}});
}

} // namespace

void admin::add_login_routes() {
  route("POST", "/rights/login",
        [this](const net::http_request& r, net::responder a) {
          const auto body = object_of(r.body);
          if (!body)
            return a.send(error_response(body.error()));
          parts_.logins.authenticate(
              credentials_in(*body), [a](const core::login_outcome& outcome) {
                const bool in = outcome.why == core::deny_reason::none;
                json::object answer{{"admitted", in},
                                    {"reason", core::to_string(outcome.why)}};
                if (in)
                  answer["principal"] = view_of(outcome.who);
                respond(a, json_response(answer));
              });
        });
  route("POST", "/rights/check",
        [this](const net::http_request& r, net::responder a) {
          check_right(r, std::move(a));
        });
}

/// Of a user as the directory knows him, or of whoever shows a bearer.
void admin::check_right(const net::http_request& request,
                        net::responder answer) {
  const auto body = object_of(request.body);
  if (!body)
    return answer.send(error_response(body.error()));
  const auto what = right_of(text_in(*body, "right"));
  const auto name = core::topic::parse(text_in(*body, "topic"));
  const auto filter = core::topic_filter::parse(text_in(*body, "filter"));
  const bool wants_filter = body->contains("filter");
  if (!what || wants_filter == body->contains("topic") ||
      !(wants_filter ? filter.has_value() : name.has_value()))
    return answer.send(net::http_error(
        400, "wanted is a right, and either a topic or a filter"));
  const auto judge = [this, what, name, filter,
                      wants_filter](core::principal who) {
    const auto& rights = parts_.engine.authorizer();
    return wants_filter ? verdict(rights, std::move(who), *what, *filter)
                        : verdict(rights, std::move(who), *what, *name);
  };
  auto shown = credentials_in(*body);
  if (shown.bearer.empty()) {
    core::principal who;
    who.uid = shown.uid;
    who.client = shown.client;
    who.address = shown.address;
    who.by = shown.uid.empty() ? core::credential_kind::none
                               : core::credential_kind::device;
    return answer.send(judge(std::move(who)));
  }
  parts_.logins.authenticate(
      std::move(shown), [answer, judge](core::login_outcome outcome) {
        if (outcome.why != core::deny_reason::none)
          return respond(
              answer, json_response({{"permitted", false},
                                     {"reason", core::to_string(outcome.why)},
                                     {"by", nullptr}}));
        respond(answer, judge(std::move(outcome.who)));
      });
}

} // namespace troupe::app
