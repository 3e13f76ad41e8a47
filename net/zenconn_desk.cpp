// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn_desk.hpp"

#include "actors/runtime/loop.hpp"
#include "net/identity/channel_token.hpp"
#include "net/zenconn/floor.hpp"
#include "net/zenconn/house_guest.hpp"

#include <future>
#include <utility>

namespace troupe::net {
namespace {

using actors::runtime::loop;

constexpr std::string_view gone = "gone before the welcome";

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
class zenconn_desk::powers final : public zenconn::session_powers {
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
class zenconn_desk::storey : public std::enable_shared_from_this<storey> {
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

struct zenconn_desk::opened {
  parts with;
  zenconn::house house;
  std::vector<std::shared_ptr<storey>> storeys; ///< by loop
};

/// A client between his knock and the answer to it. Used on its loop.
struct zenconn_desk::arrival {
  loop& home;
  connection_info from;
  std::optional<std::uint32_t> worker;
  zenconn::spelling how;
  std::function<bool()> waits;
  std::function<void(zenconn::welcome)> then;
  std::string id{};  ///< of the session, once there may be one
  bool came = false; ///< the audit has a login without its end
};

zenconn_desk::zenconn_desk(zenconn::zenconn_options options, std::string secret,
                           zenconn::zenconn_stats& stats)
    : options_(std::move(options)), secret_(std::move(secret)), stats_(stats) {}

zenconn_desk::~zenconn_desk() = default;

core::result<void> zenconn_desk::start(parts with) {
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

void zenconn_desk::stop() {
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

void zenconn_desk::refuse(const arrival& who, zenconn::welcome::kind what,
                          core::deny_reason why) {
  using kind = zenconn::welcome::kind;
  zenconn::count(what == kind::no_login ? stats_.refused_login
                                        : stats_.refused_busy);
  who.then({what, why, {}, nullptr});
}

void zenconn_desk::let_in(const connection_info& from, zenconn::knock who,
                          std::function<bool()> waits,
                          std::function<void(zenconn::welcome)> then) {
  auto& home = *loop::current();
  auto coming = std::make_shared<arrival>(arrival{
      home, from, who.worker, who.how, std::move(waits), std::move(then)});
  if (!opened_)
    return refuse(*coming, zenconn::welcome::kind::not_served);
  if (draining_.load(std::memory_order_relaxed))
    return refuse(*coming, zenconn::welcome::kind::draining);
  core::credentials shown;
  shown.realm = options_.realm;
  shown.bearer = std::move(who.bearer);
  shown.address = from.peer.address.to_string();
  opened_->with.logins.authenticate(
      std::move(shown), [this, &home, coming = std::move(coming)](
                            core::login_outcome found) mutable {
        if (loop::current() == &home)
          return judge(coming, std::move(found));
        // Nothing of it may end on this thread.
        home.post([this, coming = std::move(coming), found = std::move(found)] {
          judge(coming, found);
        });
      });
}

/// Nobody hears of the outcome before it is on record.
void zenconn_desk::judge(const std::shared_ptr<arrival>& who,
                         core::login_outcome found) {
  if (!who->waits())
    return;
  if (!opened_ || !opened_->house.audit().writes())
    return admit(who, std::move(found));
  const auto& pen = opened_->house.audit();
  if (!pen.has_room())
    found.why = core::deny_reason::busy;
  const auto ticket = pen.note(
      who->from,
      {core::audit_kind::login,
       found.who.uid,
       {},
       "zenconn",
       found.why == core::deny_reason::none ? "" : core::to_string(found.why),
       {}});
  who->came = found.why == core::deny_reason::none;
  pen.when_kept(ticket, who->home,
                [this, who, found = std::move(found)] { admit(who, found); });
}

/// Whose login stands in the audit and who gets no session has an end there, as
/// those have who get one.
void zenconn_desk::note_end(arrival& who, const std::string& uid,
                            std::string_view why) {
  if (opened_ && std::exchange(who.came, false))
    opened_->house.audit().note(who.from,
                                {core::audit_kind::logout, uid, {}, why});
}

void zenconn_desk::admit(const std::shared_ptr<arrival>& who,
                         core::login_outcome found) {
  if (!who->waits())
    return note_end(*who, found.who.uid, gone);
  if (found.why != core::deny_reason::none)
    return refuse(*who, zenconn::welcome::kind::no_login, found.why);
  who->id = identity::make_uuid();
  if (!opened_ || who->id.empty()) {
    note_end(*who, found.who.uid, "not served now");
    return refuse(*who, zenconn::welcome::kind::busy);
  }
  if (opened_->with.book == nullptr)
    return welcome(who, std::move(found));
  write_down(who, std::move(found));
}

/// There is no welcome before the session is on record.
void zenconn_desk::write_down(const std::shared_ptr<arrival>& who,
                              core::login_outcome found) {
  zenconn::session_facts facts;
  facts.id = who->id;
  facts.remote = to_string(who->from.peer);
  facts.user = found.who.uid;
  facts.spelling = name_of(who->how);
  facts.tls = who->from.tls;
  facts.worker = who->worker;
  auto* book = opened_->with.book;
  book->open(std::move(facts),
             [this, book, who, found = std::move(found)](bool stands) mutable {
               auto& home = who->home;
               // Never within a call, and nothing of it may end on another
               // thread.
               home.post([this, book, stands, who = std::move(who),
                          found = std::move(found)] {
                 const bool here = who->waits() && opened_;
                 if (stands && !here)
                   book->close(who->id, gone);
                 if (!here)
                   return note_end(*who, found.who.uid, gone);
                 if (stands)
                   return welcome(who, found);
                 note_end(*who, found.who.uid, "could not be recorded");
                 refuse(*who, zenconn::welcome::kind::no_record);
               });
             });
}

void zenconn_desk::welcome(const std::shared_ptr<arrival>& who,
                           core::login_outcome found) {
  zenconn::welcome done;
  done.uid = found.who.uid;
  zenconn::guest_terms terms;
  terms.id = who->id;
  terms.uid = found.who.uid;
  terms.powers = std::make_unique<powers>(opened_->with.judge,
                                          std::move(found.who), secret_);
  if (auto* book = opened_->with.book)
    terms.on_end = [book, id = who->id](std::string_view why) {
      book->close(id, why);
    };
  done.guest = std::make_unique<zenconn::house_guest>(
      opened_->storeys[who->home.index()]->floor, who->from, std::move(terms));
  who->came = false; // the guest notes its end
  who->then(std::move(done));
}

} // namespace troupe::net
