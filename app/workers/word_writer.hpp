// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/seat_words.hpp"
#include "app/workers/word_codec.hpp"
#include "app/workers/word_contents.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/shared_bytes.hpp"
#include "net/output_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// For the encoders of words.
namespace troupe::app::workers {

/// One frame: what is small in one row of bytes, with the places where large
/// ones go in between.
class word_writer {
public:
  template <class Integer>
  void put(Integer value) {
    small_.put(value);
  }
  void put_flag(bool value) { put(static_cast<std::uint8_t>(value)); }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    small_.put(core::as_bytes(text));
  }
  void put_bytes(const core::shared_bytes& bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    if (bytes.size() < net::output_queue::reference_bytes_min)
      return small_.put(bytes.view());
    large_bytes_ += bytes.size();
    large_.emplace_back(small_.view().size(), bytes);
  }
  void put_maybe(const std::optional<std::uint64_t>& value) {
    put_flag(value.has_value());
    put(value.value_or(0));
  }
  void put_error(const core::error& e) {
    put(static_cast<std::uint16_t>(e.code));
    put_text(e.detail);
  }

  void append_to(net::output_queue& out) const {
    const auto rest = small_.view();
    cluster::byte_writer head{length_bytes};
    head.put(static_cast<std::uint32_t>(rest.size() + large_bytes_));
    out.append(head.view());
    std::size_t done = 0;
    for (const auto& [place, bytes] : large_) {
      out.append(rest.subspan(done, place - done));
      out.append(bytes);
      done = place;
    }
    out.append(rest.subspan(done));
  }

private:
  cluster::byte_writer small_{128};
  std::vector<std::pair<std::size_t, core::shared_bytes>> large_;
  std::size_t large_bytes_ = 0;
};

inline void put(word_writer& out, contents what) {
  out.put(static_cast<std::uint8_t>(what));
}
template <class Enum>
void put_enum(word_writer& out, Enum value) {
  out.put(static_cast<std::uint8_t>(value));
}

// seat_word_encoder.cpp
void put(word_writer& out, const words::bus_wish& w);
void put(word_writer& out, const words::knock& w);
void put(word_writer& out, const words::request& w);
void put(word_writer& out, const words::seat_left& w);
void put(word_writer& out, const words::bus_ruling& w);
void put(word_writer& out, const words::welcome& w);
void put(word_writer& out, const words::answer& w);
void put(word_writer& out, const words::published& w);
void put(word_writer& out, const words::channel_event& w);
void put(word_writer& out, const words::seat_over& w);
/// About how many bytes it takes; 0 for words of other files.
[[nodiscard]] std::size_t weight_of_seat_word(const word& what);

} // namespace troupe::app::workers
