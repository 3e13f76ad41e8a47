// SPDX-License-Identifier: Apache-2.0
#include "actors/links/name_lookup.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstring>
#include <netdb.h>
#include <string>

namespace troupe::actors::links {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds poll_interval{20};

/// What getaddrinfo_a works on. It may be in use by a thread of the C library
/// when nobody wants the answer any more.
struct query {
  std::string host;
  std::string service;
  addrinfo hints{};
  gaicb request{};

  ~query() {
    if (request.ar_result != nullptr)
      ::freeaddrinfo(request.ar_result);
  }
};

endpoints endpoints_of(const addrinfo* list) {
  endpoints found;
  for (const auto* each = list; each != nullptr; each = each->ai_next) {
    tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity())
      continue;
    endpoint.resize(each->ai_addrlen);
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    found.push_back(endpoint);
  }
  return found;
}

class lookup : public std::enable_shared_from_this<lookup> {
public:
  lookup(asio::io_context& context, host_port where,
         std::function<void(core::result<endpoints>)> done)
      : timer_(context), where_(std::move(where)), done_(std::move(done)) {}
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;
  ~lookup() { give_up(); }

  void start() {
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(where_.host, no_address);
    if (!no_address) {
      finish_soon(endpoints{tcp::endpoint{address, where_.port}});
      return;
    }
    query_ = std::make_unique<query>();
    query_->host = where_.host;
    query_->service = std::to_string(where_.port);
    query_->hints.ai_family = AF_UNSPEC;
    query_->hints.ai_socktype = SOCK_STREAM;
    query_->hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    query_->request.ar_name = query_->host.c_str();
    query_->request.ar_service = query_->service.c_str();
    query_->request.ar_request = &query_->hints;
    auto* list = &query_->request;
    if (const auto failed = ::getaddrinfo_a(GAI_NOWAIT, &list, 1, nullptr)) {
      query_.reset();
      finish_soon(failure(failed));
      return;
    }
    poll();
  }

private:
  void poll() {
    timer_.expires_after(poll_interval);
    timer_.async_wait([weak = weak_from_this()](const auto& cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self)
        return;
      const auto state = ::gai_error(&self->query_->request);
      if (state == EAI_INPROGRESS)
        self->poll();
      else if (state != 0)
        self->done_(self->failure(state));
      else
        self->done_(endpoints_of(self->query_->request.ar_result));
    });
  }

  void finish_soon(core::result<endpoints> answer) {
    asio::post(timer_.get_executor(),
               [weak = weak_from_this(), answer = std::move(answer)]() mutable {
                 if (const auto self = weak.lock())
                   self->done_(std::move(answer));
               });
  }

  [[nodiscard]] core::result<endpoints> failure(int code) const {
    return core::error{core::errc::unavailable,
                       where_.host + ": " + ::gai_strerror(code)};
  }

  void give_up() {
    if (!query_ || ::gai_error(&query_->request) != EAI_INPROGRESS ||
        ::gai_cancel(&query_->request) != EAI_NOTCANCELED)
      return;
    // A thread works on it and can't be stopped: the memory stays its own.
    [[maybe_unused]] auto* left = query_.release();
  }

  asio::steady_timer timer_;
  const host_port where_;
  const std::function<void(core::result<endpoints>)> done_;
  std::unique_ptr<query> query_;
};

} // namespace

std::shared_ptr<void>
look_up(asio::io_context& context, const host_port& where,
        std::function<void(core::result<endpoints>)> done) {
  auto fresh = std::make_shared<lookup>(context, where, std::move(done));
  fresh->start();
  return fresh;
}

} // namespace troupe::actors::links
