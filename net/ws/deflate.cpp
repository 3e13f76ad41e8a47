// SPDX-License-Identifier: Apache-2.0
#include "net/ws/deflate.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <zlib.h>

namespace troupe::net::ws {

namespace {

constexpr int bits_min = 9;
constexpr int bits_max = 15;
/// Fast, and small enough to stay in the second-level cache.
constexpr int level = 3;
constexpr int memory_level = 8;
/// What a sender leaves out at the end of each message (RFC 7692 7.2.1).
constexpr std::array<unsigned char, 4> tail{0x00, 0x00, 0xff, 0xff};

class deflater {
public:
  explicit deflater(int window_bits) {
    TROUPE_ASSERT(deflateInit2(&stream_, level, Z_DEFLATED, -window_bits,
                               memory_level, Z_DEFAULT_STRATEGY) == Z_OK,
                  "zlib has no memory");
  }
  deflater(const deflater&) = delete;
  deflater& operator=(const deflater&) = delete;
  ~deflater() { deflateEnd(&stream_); }
  z_stream& fresh() {
    deflateReset(&stream_);
    return stream_;
  }

private:
  z_stream stream_{};
};

class inflater {
public:
  inflater() {
    TROUPE_ASSERT(inflateInit2(&stream_, -bits_max) == Z_OK,
                  "zlib has no memory");
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  ~inflater() { inflateEnd(&stream_); }
  z_stream& fresh() {
    inflateReset(&stream_);
    return stream_;
  }

private:
  z_stream stream_{};
};

z_stream& fresh_deflater(int window_bits) {
  TROUPE_ASSERT(window_bits >= bits_min && window_bits <= bits_max,
                "window bits outside of 9..15");
  thread_local std::array<std::unique_ptr<deflater>, bits_max + 1> engines;
  auto& engine = engines[static_cast<std::size_t>(window_bits)];
  if (engine == nullptr)
    engine = std::make_unique<deflater>(window_bits);
  return engine->fresh();
}

z_stream& fresh_inflater() {
  thread_local inflater engine;
  return engine.fresh();
}

Bytef* writable(const void* at) {
  // zlib reads next_in only; its type is older than const.
  return static_cast<Bytef*>(const_cast<void*>(at));
}

uInt clamp_size(std::size_t size) {
  return static_cast<uInt>(
      std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

/// Feeds all of `in`; `flush` applies to its end.
void deflate_piece(z_stream& stream, core::bytes_view in, int flush,
                   std::string& out) {
  char buffer[8192];
  stream.next_in = writable(in.data());
  std::size_t left = in.size();
  do {
    const auto step = clamp_size(left);
    stream.avail_in = step;
    left -= step;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      deflate(&stream, left == 0 ? flush : Z_NO_FLUSH);
      out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (left > 0);
}

/// Expands one part of the input. A final block may be followed by others
/// (RFC 7692 7.2.3.4); `ended` notes that there was one.
inflate_outcome inflate_piece(z_stream& stream, core::bytes_view in,
                              std::size_t bytes_max, std::string& out,
                              bool& ended) {
  char buffer[8192];
  stream.next_in = writable(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    const int status = inflate(&stream, Z_SYNC_FLUSH);
    const auto made = sizeof buffer - stream.avail_out;
    if (made > bytes_max - out.size())
      return inflate_outcome::too_large;
    out.append(buffer, made);
    if (status == Z_STREAM_END) {
      ended = true;
      inflateReset(&stream);
      if (stream.avail_in == 0)
        return inflate_outcome::ok;
    } else if (status == Z_BUF_ERROR ||
               (status == Z_OK && stream.avail_in == 0 &&
                stream.avail_out != 0)) {
      return inflate_outcome::ok; // all is read
    } else if (status != Z_OK) {
      return inflate_outcome::corrupt;
    }
  }
}

} // namespace

std::string deflate_message(std::span<const core::bytes_view> in,
                            int window_bits) {
  auto& stream = fresh_deflater(window_bits);
  std::string out;
  for (const auto& piece : in)
    if (!piece.empty())
      deflate_piece(stream, piece, Z_NO_FLUSH, out);
  deflate_piece(stream, {}, Z_SYNC_FLUSH, out);
  // An empty message has nothing to flush: one empty block (7.2.3.6).
  if (out.size() < tail.size())
    return std::string(1, '\0');
  out.resize(out.size() - tail.size());
  return out;
}

inflate_outcome inflate_message(core::bytes_view in, std::size_t bytes_max,
                                std::string& out) {
  out.clear();
  if (in.size() > std::numeric_limits<uInt>::max())
    return inflate_outcome::too_large;
  auto& stream = fresh_inflater();
  bool ended = false;
  auto outcome = inflate_piece(stream, in, bytes_max, out, ended);
  if (outcome == inflate_outcome::ok)
    outcome = inflate_piece(stream, std::as_bytes(std::span{tail}), bytes_max,
                            out, ended);
  // Cut short inside of a block.
  constexpr int at_block_end = 128;
  if (outcome == inflate_outcome::ok && !ended &&
      (stream.data_type & at_block_end) == 0)
    return inflate_outcome::corrupt;
  return outcome;
}

} // namespace troupe::net::ws
