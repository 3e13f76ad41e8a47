// SPDX-License-Identifier: Apache-2.0
#include "net/input_buffer.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::net {

void input_buffer::assign(core::bytes_view bytes, std::size_t capacity) {
  if (bytes.empty())
    return clear();
  std::byte* data = nullptr;
  auto fresh = core::shared_bytes::build(
      std::max(capacity, bytes.size()), [&](std::byte* to) {
        std::memcpy(to, bytes.data(), bytes.size());
        data = to;
      });
  // `bytes` may lie in the old block, which goes only now.
  block_ = std::move(fresh);
  data_ = data;
  filled_ = bytes.size();
}

void input_buffer::reserve(std::size_t capacity) {
  if (capacity > block_.size())
    assign(view(), capacity);
}

std::span<std::byte> input_buffer::space(std::size_t count) {
  return {data_ + filled_, std::min(count, block_.size() - filled_)};
}

void input_buffer::drop_front(std::size_t count) {
  TROUPE_ASSERT(count <= filled_, "more used than offered");
  if (count == 0)
    return;
  auto rest = view().subspan(count);
  assign(rest, rest.size());
}

void input_buffer::clear() noexcept {
  block_ = {};
  data_ = nullptr;
  filled_ = 0;
}

} // namespace troupe::net
