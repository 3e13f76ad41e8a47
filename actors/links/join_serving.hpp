// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/frame_stream.hpp"
#include "actors/links/hello_codec.hpp"
#include "core/result.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace troupe::actors::links {

class inbound;
class mesh;

/// One join call at the node that was asked: request, handler, answer, end.
/// Owned by the mesh until then. On the mesh's loop.
class join_serving : public std::enable_shared_from_this<join_serving> {
public:
  join_serving(mesh& owner, std::shared_ptr<inbound> conversation);

  void start();
  void close();

private:
  void on_accepted(std::shared_ptr<frame_stream> stream);
  void on_request(const frame& got);
  void answer(core::result<core::shared_bytes> text);
  void finish();

  mesh& owner_; // finish() and close() come before its end
  std::shared_ptr<inbound> conversation_;
  std::shared_ptr<frame_stream> stream_;
  boost::asio::steady_timer deadline_;
  bool answered_ = false;
};

} // namespace troupe::actors::links
