// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/reader.hpp"

#include "core/crc32c.hpp"
#include "storage/byte_order.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe::storage::audit {
namespace {

using core::errc;
using core::result;
using step = segment_walker::step;

/// Whether one of the lines is `wanted`.
bool has_line(std::string_view text, std::string_view wanted) {
  for (;;) {
    const auto end = text.find('\n');
    if (text.substr(0, end) == wanted)
      return true;
    if (end == std::string_view::npos)
      return false;
    text.remove_prefix(end + 1);
  }
}

/// Whether the segment can't have what is looked for; `next` is the one behind
/// it, or null.
bool is_beside(const segment_span& span, const segment_span* next,
               const search_terms& terms) {
  if (next != nullptr && next->first_sequence != 0 && terms.after != 0 &&
      next->first_sequence <= terms.after + 1)
    return true;
  // Times do not go back.
  if (terms.until && span.first_sequence != 0 && span.created >= *terms.until)
    return true;
  return terms.from && next != nullptr && next->first_sequence != 0 &&
         next->created < *terms.from;
}

} // namespace

result<log_view> look_at(file_system& files,
                         const std::filesystem::path& folder) {
  const auto numbers = list_segments(files, folder);
  if (!numbers)
    return numbers.error();
  log_view view;
  for (const auto number : *numbers) {
    const auto walker =
        segment_walker::open(files, folder / segment_name(number));
    segment_span span;
    span.number = number;
    if (walker) {
      span.first_sequence = walker->head().head.first_sequence;
      span.created = walker->head().head.created;
      span.bytes = walker->file_bytes();
      view.node = walker->head().head.node;
    } else if (walker.error().code != errc::malformed) {
      return walker.error();
    }
    view.segments.push_back(span);
  }
  return view;
}

bool matches(const record& found, const search_terms& terms) {
  if (found.sequence <= terms.after)
    return false;
  if ((terms.from && found.time < *terms.from) ||
      (terms.until && found.time >= *terms.until))
    return false;
  if (!terms.kinds.empty() && std::find(terms.kinds.begin(), terms.kinds.end(),
                                        found.kind) == terms.kinds.end())
    return false;
  if (terms.accepted && found.accepted != *terms.accepted)
    return false;
  if (terms.session != 0 && found.session != terms.session)
    return false;
  if (!terms.user.empty() && found.user != terms.user)
    return false;
  if (terms.target.empty() || found.target == terms.target)
    return true;
  return found.kind == core::audit_kind::post &&
         has_line(found.target, terms.target);
}

result<search_end>
search(file_system& files, const std::filesystem::path& folder,
       const log_view& view, const search_terms& terms,
       const std::function<bool(const record&, const digest&)>& visit) {
  search_end end;
  std::uint64_t scanned = 0;
  auto seen = terms.after;
  for (std::size_t i = 0; i < view.segments.size(); ++i) {
    const auto& span = view.segments[i];
    const auto* next =
        i + 1 < view.segments.size() ? &view.segments[i + 1] : nullptr;
    if (is_beside(span, next, terms))
      continue;
    auto walker = segment_walker::open(
        files, folder / segment_name(span.number), span.bytes);
    if (!walker) {
      // Retention may have taken it meanwhile.
      if (walker.error().code != errc::not_found)
        ++end.damaged;
      continue;
    }
    for (;;) {
      if (scanned > terms.scan_bytes_max) {
        end.next = seen;
        return end;
      }
      const auto found = walker->next(false);
      if (!found)
        return found.error();
      if (*found != step::frame) {
        if (*found == step::broken)
          ++end.damaged;
        break;
      }
      const auto what = decode_record(walker->body());
      if (!what) {
        ++end.damaged;
        break;
      }
      // What is gone over to get there does not count: else a search might
      // never get behind it.
      if (what->sequence > terms.after)
        scanned += frame_head_bytes + walker->body().size();
      if (matches(*what, terms) && !visit(*what, walker->chain())) {
        end.next = seen;
        return end;
      }
      seen = std::max(seen, what->sequence);
    }
  }
  return end;
}

// --------------------------------------------------------------------- verify

namespace {

class verifier {
public:
  verifier(file_system& files, const std::filesystem::path& folder,
           const verify_terms& terms)
      : files_(files), folder_(folder), terms_(terms) {}

  result<verdict> run() {
    const auto numbers = list_segments(files_, folder_);
    if (!numbers)
      return numbers.error();
    for (std::size_t i = 0; i < numbers->size() && !found_.broken; ++i) {
      const bool last = i + 1 == numbers->size();
      if (auto done = check_segment((*numbers)[i], last); !done)
        return done.error();
    }
    if (!found_.broken && terms_.anchor && !anchored_)
      note_anchor();
    return found_;
  }

private:
  void fail(segment_number number, std::uint64_t offset, std::string why) {
    if (!found_.broken)
      found_.broken = broken_place{segment_name(number), offset, found_.last,
                                   std::move(why)};
  }

  result<void> check_segment(segment_number number, bool last) {
    auto walker = segment_walker::open(files_, folder_ / segment_name(number));
    if (!walker) {
      // A node that writes has just removed it, as the oldest.
      if (walker.error().code == errc::not_found && found_.segments == 0)
        return {};
      if (walker.error().code != errc::malformed)
        return walker.error();
      return judge_headless(number, last);
    }
    ++found_.segments;
    check_head(*walker, number);
    while (!found_.broken) {
      const auto next = walker->next(true);
      if (!next)
        return next.error();
      if (*next == step::end)
        break;
      if (*next != step::frame) {
        if (auto done = judge_end(*walker, *next, number, last); !done)
          return done;
        break;
      }
      check_record(*walker, number);
    }
    found_.last_hash = walker->chain();
    return {};
  }

  /// The newest segment may be about to get its head.
  result<void> judge_headless(segment_number number, bool last) {
    const auto opened =
        files_.open(folder_ / segment_name(number), open_mode::read_only);
    if (!opened)
      return opened.error();
    const auto size = (*opened)->size();
    if (!size)
      return size.error();
    if (last && *size < head_bytes)
      found_.torn_bytes = *size;
    else
      fail(number, 0, "there is no whole head of a segment");
    return {};
  }

  void check_head(const segment_walker& walker, segment_number number) {
    const auto& head = walker.head().head;
    if (walker.head().sealed)
      ++found_.sealed;
    if (head.number != number)
      return fail(number, 0, "the head is that of another segment");
    if (found_.segments > 1) {
      if (number != last_number_ + 1)
        return fail(number, 0, "a segment before this one is missing");
      if (!same(head.previous, found_.last_hash))
        return fail(number, 0,
                    "the head does not go on from the segment before");
      if (head.first_sequence != next_)
        return fail(number, 0, "records before this segment are missing");
    }
    if (!terms_.key.empty() &&
        !is_sealed_by(walker.head_as_written(), terms_.key))
      return fail(number, 0, "the head is not sealed by this key");
    last_number_ = number;
    next_ = head.first_sequence;
  }

  void check_record(const segment_walker& walker, segment_number number) {
    const auto what = decode_record(walker.body());
    if (!what)
      return fail(number, walker.offset(), "a record that can't be read");
    if (what->sequence != next_)
      return fail(number, walker.offset(),
                  "record " + std::to_string(what->sequence) + " where " +
                      std::to_string(next_) + " should be");
    if (terms_.anchor && terms_.anchor->sequence == what->sequence) {
      anchored_ = true;
      if (!same(terms_.anchor->hash, walker.chain()))
        return fail(number, walker.offset(),
                    "the record is not the one of the anchor");
    }
    if (found_.first == 0)
      found_.first = what->sequence;
    found_.last = what->sequence;
    ++next_;
    ++found_.records;
  }

  /// What is torn at the very end is no damage, unless something whole comes
  /// behind it.
  result<void> judge_end(const segment_walker& walker, step how,
                         segment_number number, bool last) {
    const bool torn = how == step::torn && last;
    if (torn) {
      const auto behind =
          frame_behind(number, walker.offset(), walker.file_bytes());
      if (!behind)
        return behind.error();
      if (!*behind) {
        found_.torn_bytes = walker.file_bytes() - walker.offset();
        return {};
      }
    }
    fail(number, walker.offset(), walker.why());
    return {};
  }

  /// Whether a whole frame begins anywhere behind `from`.
  result<bool> frame_behind(segment_number number, std::uint64_t from,
                            std::uint64_t to) {
    constexpr std::uint64_t looked_at_max = std::uint64_t{32} << 20U;
    auto opened =
        files_.open(folder_ / segment_name(number), open_mode::read_only);
    if (!opened)
      return opened.error();
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min(to - from, looked_at_max)));
    const auto got = (*opened)->read_at(bytes, from);
    if (!got)
      return got.error();
    bytes.resize(*got);
    for (std::size_t at = 1; at + frame_head_bytes < bytes.size(); ++at) {
      const auto length = load_little<std::uint32_t>(bytes.data() + at);
      if (length == 0 || length > body_bytes_max ||
          length > bytes.size() - at - frame_head_bytes)
        continue;
      const core::bytes_view body{bytes.data() + at + frame_head_bytes, length};
      if (decode_record(body) &&
          load_little<std::uint32_t>(bytes.data() + at + 4) ==
              core::crc32c(body))
        return true;
    }
    return false;
  }

  void note_anchor() {
    const auto& anchor = *terms_.anchor;
    if (found_.first != 0 && anchor.sequence < found_.first)
      return; // retention has taken it: it says nothing of what is left
    found_.broken = broken_place{{},
                                 0,
                                 found_.last,
                                 "record " + std::to_string(anchor.sequence) +
                                     " of the anchor is missing"};
  }

  file_system& files_;
  const std::filesystem::path& folder_;
  const verify_terms& terms_;
  verdict found_;
  segment_number last_number_ = 0;
  sequence_number next_ = 0;
  bool anchored_ = false;
};

} // namespace

result<verdict> verify(file_system& files, const std::filesystem::path& folder,
                       const verify_terms& terms) {
  return verifier{files, folder, terms}.run();
}

} // namespace troupe::storage::audit
