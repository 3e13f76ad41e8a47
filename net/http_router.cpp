// SPDX-License-Identifier: Apache-2.0
#include "net/http_router.hpp"

#include <utility>

namespace troupe::net {

namespace {

class function_handler final : public http_handler {
public:
  explicit function_handler(
      std::function<void(const http_request&, responder)> function)
      : function_(std::move(function)) {}
  void handle(const http_request& request, responder answer) override {
    function_(request, std::move(answer));
  }

private:
  std::function<void(const http_request&, responder)> function_;
};

/// How specific `pattern` is for `path`, the path itself before all below it;
/// 0: no match.
std::size_t match(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with("/*"))
    return pattern == path ? pattern.size() * 2 + 2 : 0;
  auto base = pattern.substr(0, pattern.size() - 2);
  if (!path.starts_with(base))
    return 0;
  if (path.size() != base.size() && path[base.size()] != '/')
    return 0;
  return base.size() * 2 + 1;
}

} // namespace

std::shared_ptr<http_handler>
make_handler(std::function<void(const http_request&, responder)> function) {
  return std::make_shared<function_handler>(std::move(function));
}

void http_router::add(std::string method, std::string path,
                      std::shared_ptr<http_handler> handler) {
  routes_.push_back({std::move(method), std::move(path), std::move(handler)});
}

void http_router::add_websocket(std::string path, websocket_options options,
                                websocket_factory factory) {
  websockets_.push_back(
      {std::move(path), std::move(options), std::move(factory), nullptr});
}

void http_router::add_websocket(std::string path, websocket_options options,
                                websocket_starter starter) {
  websockets_.push_back(
      {std::move(path), std::move(options), nullptr, std::move(starter)});
}

http_router::found http_router::find(const http_request& request) const {
  found best;
  std::size_t best_match = 0;
  for (const auto& r : routes_) {
    auto score = match(r.path, request.path);
    if (score == 0 || score < best_match)
      continue;
    if (score > best_match) {
      best_match = score;
      best.handler = nullptr;
      best.allowed.clear();
    }
    auto fits = r.method.empty() || r.method == request.method ||
                (r.method == "GET" && request.method == "HEAD");
    if (fits && best.handler == nullptr)
      best.handler = r.handler.get();
    if (!best.allowed.empty())
      best.allowed += ", ";
    best.allowed += r.method == "GET" ? "GET, HEAD" : r.method;
  }
  auto wants_websocket =
      request.method == "GET" && request.header_has("Upgrade", "websocket");
  for (const auto& w : websockets_) {
    const auto score = match(w.path, request.path);
    if (score == 0)
      continue;
    if (wants_websocket) {
      best.websockets.push_back(&w);
    } else if (score > best_match &&
               !(w.options.beside_others && best.handler != nullptr)) {
      best.handler = nullptr; // of a path that is less to the point
      best.allowed.clear();
      best.upgrade_only = true;
    }
  }
  return best;
}

} // namespace troupe::net
