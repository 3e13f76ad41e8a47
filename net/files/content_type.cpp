// SPDX-License-Identifier: Apache-2.0
#include "net/files/content_type.hpp"

#include "net/http_message.hpp"

#include <array>
#include <utility>

namespace troupe::net::files {
namespace {

constexpr std::string_view unknown = "application/octet-stream";

constexpr std::array<std::pair<std::string_view, std::string_view>, 42> table{{
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"xml", "application/xml"},
    {"xhtml", "application/xhtml+xml"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/x-icon"},
    {"bmp", "image/bmp"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"wasm", "application/wasm"},
    {"pdf", "application/pdf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"m4a", "audio/mp4"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"mov", "video/quicktime"},
    {"ics", "text/calendar; charset=utf-8"},
    {"yaml", "application/yaml"},
}};

} // namespace

std::string_view content_type_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  const auto name =
      slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0)
    return unknown;
  for (const auto& [extension, type] : table)
    if (equal_ignoring_case(name.substr(dot + 1), extension))
      return type;
  return unknown;
}

bool is_compressible(std::string_view content_type) noexcept {
  return content_type.starts_with("text/") ||
         content_type.starts_with("application/json") ||
         content_type.find("+xml") != std::string_view::npos ||
         content_type.find("+json") != std::string_view::npos ||
         content_type == "application/xml" ||
         content_type == "application/wasm" ||
         content_type == "application/yaml" || content_type == "font/ttf" ||
         content_type == "font/otf";
}

} // namespace troupe::net::files
