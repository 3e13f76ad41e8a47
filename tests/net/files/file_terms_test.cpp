// SPDX-License-Identifier: Apache-2.0
#include "net/files/content_type.hpp"
#include "net/files/file_terms.hpp"

#include <gtest/gtest.h>

#include <string>
#include <zlib.h>

namespace troupe::net::files {
namespace {

TEST(ContentType, IsSaidByTheEndOfTheName) {
  EXPECT_EQ(content_type_of("a/b.html"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("PICTURE.JPG"), "image/jpeg");
  EXPECT_EQ(content_type_of("a.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("x.js"), "text/javascript; charset=utf-8");
  for (const auto* path :
       {"README", "a.b/README", ".html", "x.", "x.unknown", ""})
    EXPECT_EQ(content_type_of(path), "application/octet-stream") << path;
}

TEST(ContentType, TextIsCompressed) {
  EXPECT_TRUE(is_compressible("text/html; charset=utf-8"));
  EXPECT_TRUE(is_compressible("image/svg+xml"));
  EXPECT_TRUE(is_compressible("application/manifest+json"));
  EXPECT_FALSE(is_compressible("image/png"));
  EXPECT_FALSE(is_compressible("application/gzip"));
}

range_found part(std::uint64_t first, std::uint64_t size) {
  return {range_kind::part, {first, size}};
}
bool same(const range_found& a, const range_found& b) {
  return a.kind == b.kind && a.range == b.range;
}

TEST(ByteRange, IsCutToTheFile) {
  EXPECT_TRUE(same(parse_range("bytes=0-4", 10), part(0, 5)));
  EXPECT_TRUE(same(parse_range("bytes=5-", 10), part(5, 5)));
  EXPECT_TRUE(same(parse_range("bytes=-3", 10), part(7, 3)));
  EXPECT_TRUE(same(parse_range("bytes=-30", 10), part(0, 10)));
  EXPECT_TRUE(same(parse_range("BYTES=9-99", 10), part(9, 1)));
}

TEST(ByteRange, BehindTheFileIsNoRange) {
  for (const auto* field : {"bytes=10-", "bytes=10-20", "bytes=-0"})
    EXPECT_EQ(parse_range(field, 10).kind, range_kind::unsatisfiable) << field;
  EXPECT_EQ(parse_range("bytes=-1", 0).kind, range_kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, range_kind::unsatisfiable);
}

TEST(ByteRange, WhatIsNotUnderstoodIsTheWhole) {
  for (const auto* field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=4-2",
        "bytes=0-1,3-4", "lines=1-2", "bytes=1-2-3", "bytes=+1-2",
        "bytes=99999999999999999999-"})
    EXPECT_EQ(parse_range(field, 10).kind, range_kind::whole) << field;
}

http_request with(std::string name, std::string value) {
  http_request request;
  request.headers.emplace_back(std::move(name), std::move(value));
  return request;
}

TEST(FileVersion, IsFreshByItsTagOrItsDate) {
  const version now{"\"abc\"", 784111777};
  EXPECT_TRUE(is_fresh(with("If-None-Match", "\"x\", W/\"abc\""), now));
  EXPECT_TRUE(is_fresh(with("If-None-Match", "*"), now));
  EXPECT_FALSE(is_fresh(with("If-None-Match", "\"x\""), now));
  EXPECT_TRUE(is_fresh(
      with("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), now));
  EXPECT_FALSE(is_fresh(
      with("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"), now));
  EXPECT_FALSE(is_fresh(with("If-Modified-Since", "yesterday"), now));
  auto both = with("If-None-Match", "\"x\"");
  both.headers.emplace_back("If-Modified-Since",
                            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(is_fresh(both, now));
}

TEST(FileVersion, ARangeHoldsForTheSameVersion) {
  const version now{"\"abc\"", 784111777};
  EXPECT_TRUE(range_holds({}, now));
  EXPECT_TRUE(range_holds(with("If-Range", "\"abc\""), now));
  EXPECT_FALSE(range_holds(with("If-Range", "W/\"abc\""), now));
  EXPECT_FALSE(range_holds(with("If-Range", "\"x\""), now));
  EXPECT_TRUE(
      range_holds(with("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"), now));
}

TEST(FileTerms, GzipIsTakenIfItIsSaid) {
  EXPECT_TRUE(accepts_gzip(with("Accept-Encoding", "deflate, gzip")));
  EXPECT_TRUE(accepts_gzip(with("Accept-Encoding", "GZIP;q=0.5")));
  EXPECT_TRUE(accepts_gzip(with("Accept-Encoding", "*")));
  EXPECT_FALSE(accepts_gzip(with("Accept-Encoding", "gzip;q=0")));
  EXPECT_FALSE(accepts_gzip(with("Accept-Encoding", "gzip; q=0.000")));
  EXPECT_FALSE(accepts_gzip(with("Accept-Encoding", "br")));
  EXPECT_FALSE(accepts_gzip({}));
}

TEST(FileTerms, DatesComeBack) {
  EXPECT_EQ(date_text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  for (const auto* text :
       {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nop 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT"})
    EXPECT_FALSE(parse_date(text)) << text;
}

TEST(FileTerms, GzipCanBeUndone) {
  const std::string text(10'000, 'x');
  const auto packed = gzip(text);
  EXPECT_LT(packed.size(), 200U);
  z_stream stream{};
  ASSERT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  std::string back(20'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  back.resize(stream.total_out);
  ::inflateEnd(&stream);
  EXPECT_EQ(back, text);
}

} // namespace
} // namespace troupe::net::files
