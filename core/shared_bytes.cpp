// SPDX-License-Identifier: Apache-2.0
#include "core/shared_bytes.hpp"

#include "core/assert.hpp"

#include <cstring>
#include <new>

namespace troupe::core {

shared_bytes shared_bytes::allocate(std::size_t size) {
  shared_bytes fresh;
  if (size == 0)
    return fresh;
  void* memory = ::operator new(sizeof(block) + size);
  fresh.block_ = new (memory) block{{1}, size};
  fresh.data_ = static_cast<const std::byte*>(memory) + sizeof(block);
  fresh.size_ = size;
  return fresh;
}

shared_bytes shared_bytes::copy_of(bytes_view bytes) {
  return build(bytes.size(), [&](std::byte* to) {
    std::memcpy(to, bytes.data(), bytes.size());
  });
}

shared_bytes shared_bytes::slice(std::size_t offset, std::size_t count) const {
  TROUPE_ASSERT(offset <= size_ && count <= size_ - offset,
                "slice outside of its buffer");
  if (count == 0)
    return {};
  shared_bytes part{*this};
  part.data_ += offset;
  part.size_ = count;
  return part;
}

void shared_bytes::release() noexcept {
  if (block_ == nullptr)
    return;
  if (block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block_->~block();
    ::operator delete(block_);
  }
  block_ = nullptr;
}

} // namespace troupe::core
