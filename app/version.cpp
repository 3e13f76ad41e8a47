// SPDX-License-Identifier: Apache-2.0
#include "app/version.hpp"

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <caf/config.hpp>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <toml++/impl/version.h>

#include <zlib.h>

namespace troupe::app {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + '.' + std::to_string(minor) + '.' +
         std::to_string(patch);
}

constexpr std::string_view compiler =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

constexpr std::string_view sanitizers =
#if defined(__SANITIZE_ADDRESS__)
    "AddressSanitizer";
#elif defined(__SANITIZE_THREAD__)
    "ThreadSanitizer";
#else
        "none";
#endif

} // namespace

std::string_view version() { return TROUPE_VERSION; }

std::string_view commit() {
  return
#include "troupe_commit.inc"
      ;
}

std::string version_text() {
  std::string out = "troupe " + std::string{version()} + '\n';
  const auto line = [&out](std::string label, std::string_view value) {
    label.resize(12, ' ');
    out += label + std::string{value} + '\n';
  };
  line("commit", commit());
  line("compiler", compiler);
  line("build", TROUPE_BUILD_TYPE);
  line("sanitizers", sanitizers);
  line("CAF", dotted(CAF_MAJOR_VERSION, CAF_MINOR_VERSION, CAF_PATCH_VERSION));
  line("Boost", dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                       BOOST_VERSION % 100));
  line("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
  line("zlib", zlibVersion());
  line("spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH));
  line("fmt", dotted(FMT_VERSION / 10'000, FMT_VERSION / 100 % 100,
                     FMT_VERSION % 100));
  line("toml++", dotted(TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH));
  line("CLI11", CLI11_VERSION);
  return out;
}

} // namespace troupe::app
