// SPDX-License-Identifier: Apache-2.0
#include "schema/flat_wire.hpp"

#include "core/assert.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <kj/io.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

namespace troupe::schema {
namespace {

constexpr std::size_t word_bytes = sizeof(capnp::word);

/// First segment of every message built on this thread: 8 KiB hold all but
/// imports and posts to more than a hundred inboxes. The builder wants zeroes
/// and leaves zeroes.
alignas(capnp::word) thread_local std::array<std::byte, 8192> scratch{};

/// Copies of messages that do not lie on a word boundary.
alignas(capnp::word) thread_local std::array<std::byte, 2048> aligned{};

kj::ArrayPtr<const capnp::word> as_words(const std::byte* bytes,
                                         std::size_t words) {
  return {reinterpret_cast<const capnp::word*>(bytes), words};
}

core::errc
read_words(kj::ArrayPtr<const capnp::word> words, core::errc damaged,
           function_ref<core::errc(capnp::MessageReader&, std::size_t)> read) {
  capnp::ReaderOptions limits;
  // Every part is read once, so a message that is read at more than twice its
  // size points at the same part many times.
  limits.traversalLimitInWords = 2 * words.size() + 16;
  limits.nestingLimit = 16;
  try {
    capnp::FlatArrayMessageReader message{words, limits};
    if (message.getEnd() != words.end())
      return damaged;
    return read(message, words.size());
  } catch (const kj::Exception&) {
    return damaged;
  }
}

} // namespace

core::shared_bytes
write_flat(std::size_t before, std::size_t behind,
           function_ref<void(capnp::MessageBuilder&)> fill,
           function_ref<void(std::byte*, std::size_t)> finish) {
  try {
    capnp::MallocMessageBuilder message{
        {reinterpret_cast<capnp::word*>(scratch.data()),
         scratch.size() / word_bytes}};
    fill(message);
    const auto segments = message.getSegmentsForOutput();
    const auto flat_bytes =
        capnp::computeSerializedSizeInWords(segments) * word_bytes;
    return core::shared_bytes::build(
        before + flat_bytes + behind, [&](std::byte* to) {
          kj::ArrayOutputStream stream{
              {reinterpret_cast<kj::byte*>(to + before), flat_bytes}};
          capnp::writeMessage(stream, segments);
          finish(to, flat_bytes);
        });
  } catch (const kj::Exception&) {
    TROUPE_ASSERT(false, "too large for a Cap'n Proto message");
  }
  return {};
}

core::errc read_flat(
    core::bytes_view flat, core::errc damaged,
    function_ref<core::errc(capnp::MessageReader&, std::size_t words)> read) {
  const auto words = flat.size() / word_bytes;
  if (words == 0 || flat.size() % word_bytes != 0)
    return damaged;
  const auto address = reinterpret_cast<std::uintptr_t>(flat.data());
  if (address % alignof(capnp::word) == 0)
    return read_words(as_words(flat.data(), words), damaged, read);
  if (flat.size() <= aligned.size()) {
    std::memcpy(aligned.data(), flat.data(), flat.size());
    return read_words(as_words(aligned.data(), words), damaged, read);
  }
  // operator new aligns for every fundamental type.
  const auto copy = std::make_unique<std::byte[]>(flat.size());
  std::memcpy(copy.get(), flat.data(), flat.size());
  return read_words(as_words(copy.get(), words), damaged, read);
}

} // namespace troupe::schema
