// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn_door.hpp"

#include "actors/runtime/loop.hpp"
#include "net/identity/channel_token.hpp"
#include "net/zenconn/floor.hpp"
#include "net/zenconn/session.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <utility>

namespace troupe::net {
namespace {

using actors::runtime::loop;

constexpr std::string_view bearer = "Bearer ";

/// "" without one, nothing if it is another scheme.
std::optional<std::string> bearer_of(const http_request& request) {
  const auto field = request.header("Authorization");
  if (field.empty())
    return std::string{};
  if (field.size() <= bearer.size() ||
      !equal_ignoring_case(field.substr(0, bearer.size()), bearer))
    return std::nullopt;
  return std::string{field.substr(bearer.size())};
}

http_response refusal(core::deny_reason why) {
  switch (why) {
  case core::deny_reason::user_banned:
  case core::deny_reason::address_banned:
    return http_error(403, "not allowed");
  case core::deny_reason::too_many_attempts:
    return http_error(429, "too many attempts");
  case core::deny_reason::busy:
    return http_error(503, "try again later");
  default:
    break;
  }
  auto answer = http_error(401, "credentials are needed");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

/// The spelling that a client asks for, and the field that says so to it.
struct choice {
  zenconn::spelling how = zenconn::spelling::json;
  std::string_view field{};
};
choice choose(const http_request& request) {
  if (request.header("X-Bin-Protocol") == "1")
    return {zenconn::spelling::binary, "X-Bin-Protocol: 1\r\n"};
  if (request.header("X-JSON-Protocol") == "1")
    return {zenconn::spelling::compact, "X-JSON-Protocol: 1\r\n"};
  return {};
}

const char* name_of(zenconn::spelling how) {
  switch (how) {
  case zenconn::spelling::compact:
    return "compact";
  case zenconn::spelling::binary:
    return "binary";
  case zenconn::spelling::json:
    break;
  }
  return "json";
}

} // namespace

/// What a session may, by the node's rights.
class zenconn_door::powers final : public zenconn::session_powers {
public:
  powers(const core::authorizer& judge, core::principal who,
         const std::string& secret)
      : judge_(judge), rights_(judge, std::move(who)), secret_(secret) {}

  core::deny_reason standing() override { return rights_.standing(); }
  core::deny_reason check(core::right what, const core::topic& on) override {
    return rights_.check(what, on);
  }
  core::deny_reason allow_message() override {
    return judge_.allow_message(rights_.who());
  }
  [[nodiscard]] std::uint64_t epoch() const override { return judge_.epoch(); }
  [[nodiscard]] bool token_fits(std::string_view session,
                                std::string_view channel,
                                std::string_view token) const override {
    return identity::channel_token_fits(secret_, session, channel, token);
  }

private:
  const core::authorizer& judge_;
  core::session_rights rights_;
  const std::string& secret_;
};

/// A floor and the timer that makes it look around.
class zenconn_door::storey : public std::enable_shared_from_this<storey> {
public:
  storey(zenconn::house& owner, loop& home)
      : floor(owner, home.index()), home_(home) {}

  core::result<void> open() {
    floor.on_first = [this] { arm(); };
    return floor.open();
  }
  void close() {
    closed_ = true;
    floor.close();
  }

  zenconn::floor floor;

private:
  void arm() {
    if (std::exchange(armed_, true) || closed_)
      return;
    home_.call_at(home_.clock().now() + zenconn::floor::look_interval,
                  weak_from_this(), [](storey& self) { self.look(); });
  }
  void look() {
    armed_ = false;
    if (closed_)
      return;
    floor.look(home_.clock().now());
    if (!floor.idle())
      arm();
  }

  loop& home_;
  bool armed_ = false;
  bool closed_ = false;
};

struct zenconn_door::opened {
  parts with;
  zenconn::house house;
  std::vector<std::shared_ptr<storey>> storeys; ///< by loop
};

/// A client between its request and the answer to it. Used on its loop.
struct zenconn_door::arrival {
  responder answer;
  std::string head;
  choice chosen;
  std::string id{}; ///< of the session, once there may be one
};

zenconn_door::zenconn_door(zenconn::zenconn_options options, std::string secret)
    : options_(std::move(options)), secret_(std::move(secret)) {}

zenconn_door::~zenconn_door() = default;

core::result<void> zenconn_door::start(parts with) {
  auto made = std::unique_ptr<opened>{new opened{
      with,
      {options_, with.topics, with.self, stats_, {with.audit, options_.realm}},
      {}}};
  for (auto* home : with.loops) {
    std::promise<core::result<void>> begun;
    auto fresh = std::make_shared<storey>(made->house, *home);
    made->storeys.push_back(fresh);
    home->post([&] { begun.set_value(fresh->open()); });
    if (auto done = begun.get_future().get(); !done) {
      opened_ = std::move(made);
      stop();
      return done;
    }
  }
  opened_ = std::move(made);
  return {};
}

void zenconn_door::stop() {
  if (!opened_)
    return;
  for (std::size_t i = 0; i < opened_->storeys.size(); ++i) {
    std::promise<void> ended;
    opened_->with.loops[i]->post([&] {
      opened_->storeys[i]->close();
      ended.set_value();
    });
    ended.get_future().wait();
  }
  opened_.reset();
}

void zenconn_door::upgrade(const websocket_terms& terms, std::string head,
                           responder answer) {
  if (!opened_) {
    zenconn::count(stats_.refused_busy);
    return answer.send(http_error(503, "channels are not served here"));
  }
  if (draining_.load(std::memory_order_relaxed)) {
    zenconn::count(stats_.refused_busy);
    return answer.send(http_error(503, "the node drains, go to another one"));
  }
  auto token = bearer_of(*terms.request);
  if (!token) {
    zenconn::count(stats_.refused_login);
    return answer.send(refusal(core::deny_reason::wrong_credentials));
  }
  core::credentials shown;
  shown.realm = options_.realm;
  shown.bearer = std::move(*token);
  shown.address = answer.host().info().peer.address.to_string();
  auto& home = answer.home();
  auto who = std::make_shared<arrival>(
      arrival{std::move(answer), std::move(head), choose(*terms.request)});
  opened_->with.logins.authenticate(
      std::move(shown),
      [this, &home, who = std::move(who)](core::login_outcome found) mutable {
        if (loop::current() == &home)
          return judge(who, std::move(found));
        // Nothing of it may end on this thread.
        home.post([this, who = std::move(who), found = std::move(found)] {
          judge(who, found);
        });
      });
}

/// Nobody hears of the outcome before it is on record.
void zenconn_door::judge(const std::shared_ptr<arrival>& who,
                         core::login_outcome found) {
  if (!who->answer.open())
    return;
  if (!opened_ || !opened_->house.audit().writes())
    return admit(who, std::move(found));
  const auto& pen = opened_->house.audit();
  if (!pen.has_room())
    found.why = core::deny_reason::busy;
  const auto ticket = pen.note(
      who->answer.host().info(),
      {core::audit_kind::login,
       found.who.uid,
       {},
       "zenconn",
       found.why == core::deny_reason::none ? "" : core::to_string(found.why),
       {}});
  pen.when_kept(ticket, who->answer.home(),
                [this, who, found = std::move(found)] { admit(who, found); });
}

void zenconn_door::admit(const std::shared_ptr<arrival>& who,
                         core::login_outcome found) {
  if (!who->answer.open())
    return;
  if (found.why != core::deny_reason::none) {
    zenconn::count(stats_.refused_login);
    return who->answer.send(refusal(found.why));
  }
  who->id = identity::make_uuid();
  if (!opened_ || who->id.empty()) {
    zenconn::count(stats_.refused_busy);
    return who->answer.send(http_error(503, "not served now"));
  }
  who->answer.name_user(found.who.uid);
  if (opened_->with.book == nullptr)
    return let_in(who, std::move(found));
  write_down(who, std::move(found));
}

/// There is no welcome before the session is on record.
void zenconn_door::write_down(const std::shared_ptr<arrival>& who,
                              core::login_outcome found) {
  const auto& info = who->answer.host().info();
  zenconn::session_facts facts;
  facts.id = who->id;
  facts.remote = to_string(info.peer);
  facts.user = found.who.uid;
  facts.spelling = name_of(who->chosen.how);
  facts.tls = info.tls;
  auto& home = who->answer.home();
  auto* book = opened_->with.book;
  book->open(std::move(facts), [this, book, &home, who,
                                found = std::move(found)](bool stands) mutable {
    // Never within a call, and nothing of it may end on another thread.
    home.post(
        [this, book, stands, who = std::move(who), found = std::move(found)] {
          if (stands && (!who->answer.open() || !opened_))
            return book->close(who->id, "gone before the welcome");
          if (!who->answer.open())
            return;
          if (stands)
            return let_in(who, found);
          zenconn::count(stats_.refused_busy);
          who->answer.send(http_error(503, "sessions can't be recorded now"));
        });
  });
}

void zenconn_door::let_in(const std::shared_ptr<arrival>& who,
                          core::login_outcome found) {
  zenconn::session_terms terms;
  terms.id = who->id;
  terms.uid = found.who.uid;
  terms.how = who->chosen.how;
  terms.powers = std::make_unique<powers>(opened_->with.judge,
                                          std::move(found.who), secret_);
  if (auto* book = opened_->with.book)
    terms.on_end = [book, id = who->id](std::string_view why) {
      book->close(id, why);
    };
  auto& floor = opened_->storeys[who->answer.home().index()]->floor;
  auto head = who->head;
  head.insert(head.size() - 2, who->chosen.field);
  auto fresh = std::make_unique<zenconn::session>(floor, who->answer.host(),
                                                  std::move(terms));
  who->answer.hand_over(std::move(fresh), std::move(head));
}

} // namespace troupe::net
