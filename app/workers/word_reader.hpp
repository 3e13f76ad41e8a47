// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/word_contents.hpp"
#include "app/workers/words.hpp"
#include "cluster/field_reader.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// For the decoders of words.
namespace troupe::app::workers {

[[nodiscard]] inline core::error malformed() {
  return {core::errc::malformed, "a worker's frame"};
}

class word_reader : public cluster::field_reader {
public:
  using field_reader::field_reader;

  std::vector<std::string> take_texts() {
    return take_list<std::string>(4, [this] { return take_text(); });
  }
};

/// seat_word_decoder.cpp: what begins with the number of a client or a seat,
/// and that is read. malformed for words of other files.
[[nodiscard]] core::result<word>
take_seat_word(contents what, std::uint64_t number, word_reader& in);

} // namespace troupe::app::workers
