// SPDX-License-Identifier: Apache-2.0
#include "net/output_queue.hpp"

#include "core/assert.hpp"

namespace troupe::net {

void output_queue::append(core::bytes_view bytes) {
  if (bytes.empty())
    return;
  if (pieces_.size() == first_ || !pieces_.back().shared.empty())
    pieces_.emplace_back();
  pieces_.back().copied.append(core::as_text(bytes));
  bytes_ += bytes.size();
}

void output_queue::append(const core::shared_bytes& bytes) {
  if (bytes.size() < reference_bytes_min)
    return append(bytes.view());
  pieces_.push_back({{}, bytes});
  bytes_ += bytes.size();
}

std::size_t output_queue::gather(iovec* out, std::size_t capacity) const {
  std::size_t count = 0;
  std::size_t skip = offset_;
  for (std::size_t i = first_; i < pieces_.size() && count < capacity; ++i) {
    auto view = pieces_[i].view().subspan(skip);
    skip = 0;
    out[count++] = {const_cast<std::byte*>(view.data()), view.size()};
  }
  return count;
}

void output_queue::consume(std::size_t count) {
  TROUPE_ASSERT(count <= bytes_, "more written than queued");
  bytes_ -= count;
  if (bytes_ == 0)
    return clear();
  while (count > 0) {
    auto left = pieces_[first_].view().size() - offset_;
    if (count < left) {
      offset_ += count;
      return;
    }
    count -= left;
    pieces_[first_] = {};
    ++first_;
    offset_ = 0;
  }
}

void output_queue::clear() noexcept {
  std::vector<piece>{}.swap(pieces_);
  first_ = offset_ = bytes_ = 0;
}

} // namespace troupe::net
