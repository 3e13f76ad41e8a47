// SPDX-License-Identifier: Apache-2.0
#include "net/files/file_site.hpp"

#include "actors/runtime/loop.hpp"
#include "net/files/content_type.hpp"
#include "net/files/file_root.hpp"
#include "net/files/file_stream.hpp"
#include "net/files/file_terms.hpp"
#include "net/protocol_host.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <utility>

namespace troupe::net::files {
namespace {

/// Below this gzip's own bytes eat up what it saves.
constexpr std::uint64_t gzip_bytes_min = 512;

std::string hex(std::uint64_t value) {
  std::array<char, 16> text{};
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr};
}

/// What a request is answered with; `rest` is read as the client takes it.
struct outcome {
  http_response response;
  std::optional<open_file> rest;
  byte_range range;
};

http_response page(unsigned status, std::string_view phrase) {
  return {status,
          "text/html; charset=ISO-8859-1",
          "<h1>" + std::string{phrase} + "</h1>",
          {}};
}

class site final : public file_site, public std::enable_shared_from_this<site> {
public:
  site(site_options options, file_root root)
      : options_(std::move(options)), root_(std::move(root)) {}
  ~site() override { readers_.join(); }

  void handle(const http_request& request, responder answer) override {
    if (request.method != "GET" && request.method != "HEAD") {
      auto refused = page(405, "Method Not Allowed");
      refused.headers.emplace_back("Allow", "GET, HEAD");
      return send(answer, std::move(refused));
    }
    if (waiting_.fetch_add(1) >= options_.waiting_max) {
      waiting_.fetch_sub(1);
      return send(answer, page(503, "Service Unavailable"));
    }
    auto kept = std::make_shared<http_request>(request);
    auto& home = answer.home();
    boost::asio::post(readers_, [self = this, kept, &home, answer]() mutable {
      auto found = std::make_shared<outcome>(self->look(*kept));
      self->waiting_.fetch_sub(1);
      home.post([self, kept, found, answer = std::move(answer)] {
        self->give(*kept, *found, answer);
      });
    });
  }

private:
  void send(const responder& answer, http_response response) const {
    response.headers.emplace_back("Server", options_.server);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    answer.send(std::move(response));
  }

  void give(const http_request& request, outcome& found,
            const responder& answer) {
    if (!found.rest || !answer.open())
      return send(answer, std::move(found.response));
    found.response.headers.emplace_back("Server", options_.server);
    found.response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    auto head = serialize_head(found.response, found.range.size);
    if (request.method == "HEAD")
      return answer.send_verbatim(std::move(head), http_after::close);
    answer.hand_over(make_file_stream(answer.host(), readers_.get_executor(),
                                      std::move(*found.rest), found.range),
                     std::move(head));
  }

  /// On the thread of the files.
  [[nodiscard]] outcome look(const http_request& request) const {
    std::string name;
    auto file = root_.find(request.path, name);
    if (!file)
      return {page(404, "Not Found"), std::nullopt, {}};
    const auto type = content_type_of(name);
    outcome found;
    auto& response = found.response;
    response.content_type = type;
    bool packed = false;
    const bool may_pack = is_compressible(type);
    if (may_pack)
      response.headers.emplace_back("Vary", "Accept-Encoding");
    const bool wants_range = !request.header("Range").empty();
    if (may_pack && !wants_range && accepts_gzip(request)) {
      std::string packed_name;
      if (auto beside = root_.find("/" + name + ".gz", packed_name);
          beside && beside->modified >= file->modified) {
        file = std::move(beside);
        response.headers.emplace_back("Content-Encoding", "gzip");
      } else {
        packed = file->size >= gzip_bytes_min &&
                 file->size <= options_.whole_bytes_max;
      }
    }
    const version now{tag_of(*file, packed), file->modified};
    response.headers.emplace_back("ETag", now.tag);
    response.headers.emplace_back("Last-Modified", date_text(now.modified));
    if (is_fresh(request, now)) {
      response.status = 304;
      return found;
    }
    if (packed) {
      response.body = gzip(file->read(0, file->size));
      response.headers.emplace_back("Content-Encoding", "gzip");
      return found;
    }
    response.headers.emplace_back("Accept-Ranges", "bytes");
    choose(request, now, *file, found);
    return found;
  }

  /// All of it or a part; at once or bit by bit.
  void choose(const http_request& request, const version& now, open_file& file,
              outcome& found) const {
    auto& response = found.response;
    range_found range;
    if (request.method == "GET" && range_holds(request, now))
      range = parse_range(request.header("Range"), file.size);
    found.range = {0, file.size};
    if (range.kind == range_kind::unsatisfiable) {
      response = page(416, "Range Not Satisfiable");
      response.headers.emplace_back("Content-Range",
                                    "bytes */" + std::to_string(file.size));
      return;
    }
    if (range.kind == range_kind::part) {
      found.range = range.range;
      response.status = 206;
      const auto last = range.range.first + range.range.size - 1;
      response.headers.emplace_back(
          "Content-Range", "bytes " + std::to_string(range.range.first) + "-" +
                               std::to_string(last) + "/" +
                               std::to_string(file.size));
    }
    if (found.range.size <= options_.whole_bytes_max)
      response.body = file.read(found.range.first, found.range.size);
    else
      found.rest = std::move(file);
  }

  static std::string tag_of(const open_file& file, bool packed) {
    const auto nanoseconds =
        static_cast<std::uint64_t>(file.modified) * 1'000'000'000U +
        file.modified_nanoseconds;
    return "\"" + hex(nanoseconds) + "-" + hex(file.size) +
           (packed ? "-gz\"" : "\"");
  }

  const site_options options_;
  const file_root root_;
  std::atomic<std::size_t> waiting_{0};
  boost::asio::thread_pool readers_{1};
};

} // namespace

core::result<std::shared_ptr<file_site>> file_site::open(site_options options) {
  auto root = file_root::open(options.root);
  if (!root)
    return root.error();
  return std::shared_ptr<file_site>{
      std::make_shared<site>(std::move(options), std::move(*root))};
}

} // namespace troupe::net::files
