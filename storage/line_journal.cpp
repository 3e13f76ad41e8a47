// SPDX-License-Identifier: Apache-2.0
#include "storage/line_journal.hpp"

#include "core/assert.hpp"
#include "core/crc32c.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::storage {
namespace {

constexpr std::string_view suffix = ".lines";
constexpr std::size_t number_digits = 12;
constexpr std::size_t sum_digits = 8;
constexpr std::size_t piece_bytes = std::size_t{256} << 10U;

core::bytes_view bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string padded(std::uint64_t value, std::size_t digits, int base) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.begin(), text.end(), value, base).ptr;
  const std::string found{text.data(), end};
  return std::string(digits - std::min(digits, found.size()), '0') + found;
}

template <class T>
std::optional<T> whole_number(std::string_view text, int base = 10) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [at, bad] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || bad != std::errc{} || at != end)
    return std::nullopt;
  return value;
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != number_digits + suffix.size() || !name.ends_with(suffix))
    return std::nullopt;
  return whole_number<std::uint64_t>(name.substr(0, number_digits));
}

std::string name_of(std::uint64_t number) {
  return padded(number, number_digits, 10) + std::string{suffix};
}

/// What stands in a framed line without its line feed.
std::optional<std::string_view> content(std::string_view framed) {
  if (framed.size() < sum_digits + 1 || framed[sum_digits] != ' ')
    return std::nullopt;
  const auto sum =
      whole_number<std::uint32_t>(framed.substr(0, sum_digits), 16);
  const auto line = framed.substr(sum_digits + 1);
  if (!sum || *sum != core::crc32c(bytes_of(line)))
    return std::nullopt;
  return line;
}

/// Calls `each(framed line, offset behind it)` until it says false; answers
/// where the last whole line ends.
template <class Each>
core::result<std::uint64_t> walk(const file& of, std::uint64_t from,
                                 const Each& each) {
  std::string held;
  std::vector<std::byte> piece(piece_bytes);
  auto at = from; // of held's first byte
  for (;;) {
    auto got = of.read_at(piece, at + held.size());
    if (!got)
      return got.error();
    if (*got == 0)
      return at;
    held.append(reinterpret_cast<const char*>(piece.data()), *got);
    std::size_t used = 0;
    for (auto end = held.find('\n'); end != std::string::npos;
         end = held.find('\n', used)) {
      const auto line = std::string_view{held}.substr(used, end - used);
      used = end + 1;
      if (!each(line, at + used))
        return at + used;
    }
    held.erase(0, used);
    at += used;
  }
}

core::result<std::vector<std::uint64_t>>
numbers_in(file_system& files, const std::filesystem::path& folder) {
  auto names = files.list(folder);
  if (!names)
    return names.error();
  std::vector<std::uint64_t> numbers;
  for (const auto& name : *names)
    if (const auto number = segment_number(name))
      numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

} // namespace

core::result<std::unique_ptr<line_journal>>
line_journal::open(file_system& files, line_journal_options options,
                   const visitor& each) {
  if (auto made = files.create_folder(options.folder); !made)
    return made.error();
  std::unique_ptr<line_journal> self{
      new line_journal{files, std::move(options)}};
  if (auto done = self->recover(each); !done)
    return done.error();
  return self;
}

std::filesystem::path line_journal::path_of(std::uint64_t number) const {
  return options_.folder / name_of(number);
}

core::result<void> line_journal::recover(const visitor& each) {
  auto numbers = numbers_in(files_, options_.folder);
  if (!numbers)
    return numbers.error();
  for (const auto number : *numbers) {
    segments_.push_back({number, 0});
    auto done = recover_one(segments_.back(), number == numbers->back(), each);
    if (!done)
      return done;
  }
  if (segments_.empty()) {
    auto made = make_segment(1);
    if (!made)
      return made.error();
    begin(1, std::move(*made));
    return {};
  }
  written_ = segments_.back().bytes;
  return {};
}

core::result<void> line_journal::recover_one(segment& of, bool last,
                                             const visitor& each) {
  auto opened = files_.open(path_of(of.number), open_mode::read_write);
  if (!opened)
    return opened.error();
  const auto end =
      walk(**opened, 0, [&](std::string_view framed, std::uint64_t) {
        if (const auto line = content(framed))
          each(*line);
        else
          ++damaged_;
        return true;
      });
  if (!end)
    return end.error();
  const auto size = (*opened)->size();
  if (!size)
    return size.error();
  of.bytes = *end;
  if (*size > *end) {
    // Nobody was told of it: the answer comes after the flush.
    cut_bytes_ += *size - *end;
    if (auto cut = (*opened)->truncate(*end); !cut)
      return cut;
  }
  if (last)
    file_ = std::move(*opened);
  return {};
}

core::result<std::unique_ptr<file>>
line_journal::make_segment(std::uint64_t number) {
  auto opened = files_.open(path_of(number), open_mode::create_or_empty);
  if (!opened)
    return opened.error();
  if (auto kept = files_.sync_folder(options_.folder); !kept)
    return kept.error();
  return opened;
}

/// Answers the file that was written to before.
std::unique_ptr<file> line_journal::begin(std::uint64_t number,
                                          std::unique_ptr<file> in) {
  segments_.push_back({number, 0});
  written_ = 0;
  began_ = 0;
  return std::exchange(file_, std::move(in));
}

void line_journal::append(std::string_view line) {
  TROUPE_ASSERT(line.size() <= line_bytes_max &&
                    line.find('\n') == std::string_view::npos,
                "one line");
  waiting_ += padded(core::crc32c(bytes_of(line)), sum_digits, 16);
  waiting_ += ' ';
  waiting_ += line;
  waiting_ += '\n';
}

core::result<void> line_journal::sync() {
  if (waiting_.empty())
    return {};
  if (auto put = file_->write_at(bytes_of(waiting_), written_); !put)
    return put;
  if (auto kept = file_->sync(); !kept)
    return kept;
  written_ += waiting_.size();
  segments_.back().bytes = written_;
  waiting_.clear();
  return {};
}

core::result<void> line_journal::roll(const std::function<void()>& carry) {
  TROUPE_ASSERT(waiting_.empty(), "nothing waits");
  const auto next = segments_.back().number + 1;
  auto fresh = make_segment(next);
  if (!fresh) {
    static_cast<void>(files_.remove(path_of(next)));
    return fresh.error();
  }
  const auto written = written_;
  const auto began = began_;
  auto old = begin(next, std::move(*fresh));
  carry();
  if (auto done = sync(); !done) {
    // What was begun repeats what the old one says, and would be read after
    // what comes into that one from here on.
    static_cast<void>(files_.remove(path_of(next)));
    segments_.pop_back();
    waiting_.clear();
    file_ = std::move(old);
    written_ = written;
    began_ = began;
    return done;
  }
  began_ = written_;
  while (segments_.size() > 1 && bytes() > options_.keep_bytes) {
    if (!files_.remove(path_of(segments_.front().number)))
      break; // the next time, then
    segments_.pop_front();
  }
  return {};
}

std::uint64_t line_journal::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& each : segments_)
    sum += each.bytes;
  return sum;
}

core::result<std::string>
read_lines(file_system& files, const std::filesystem::path& folder,
           std::string_view after,
           const std::function<bool(std::string_view line)>& each) {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  if (!after.empty()) {
    const auto dot = after.find('.');
    const auto first = whole_number<std::uint64_t>(after.substr(0, dot));
    const auto second =
        dot == std::string_view::npos
            ? std::nullopt
            : whole_number<std::uint64_t>(after.substr(dot + 1));
    if (!first || !second)
      return core::error{core::errc::malformed, "after is what next gave"};
    number = *first;
    offset = *second;
  }
  auto numbers = numbers_in(files, folder);
  if (!numbers)
    return numbers.error();
  bool more = true;
  for (const auto next : *numbers) {
    if (next < number || !more)
      continue;
    if (next > number)
      offset = 0;
    number = next;
    auto opened = files.open(folder / name_of(next), open_mode::read_only);
    if (!opened)
      continue; // removed meanwhile
    const auto end =
        walk(**opened, offset, [&](std::string_view framed, std::uint64_t) {
          if (const auto line = content(framed))
            more = each(*line);
          return more;
        });
    if (!end)
      return end.error();
    offset = *end;
  }
  return std::to_string(number) + "." + std::to_string(offset);
}

} // namespace troupe::storage
