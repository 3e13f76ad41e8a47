// SPDX-License-Identifier: Apache-2.0
#include "tests/support/jwt_signer.hpp"

#include "core/assert.hpp"
#include "net/identity/base64url.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <vector>

namespace troupe::test_support {
namespace {

using net::identity::to_base64url;

const EVP_MD* digest_of(std::string_view algorithm) {
  const auto bits = algorithm.substr(2);
  return bits == "256"   ? EVP_sha256()
         : bits == "384" ? EVP_sha384()
                         : EVP_sha512();
}

std::string header_of(std::string_view algorithm, std::string_view more) {
  return R"({"typ":"JWT","alg":")" + std::string{algorithm} + '"' +
         std::string{more} + '}';
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string fixed(const BIGNUM* number, std::size_t bytes) {
  std::string text(bytes, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()),
               static_cast<int>(bytes));
  return text;
}

std::size_t coordinate_bytes(const std::string& curve) {
  return curve == "P-256" ? 32 : curve == "P-384" ? 48 : 66;
}

std::string number_of(EVP_PKEY* key, const char* name, std::size_t bytes = 0) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  auto text = fixed(
      number,
      bytes != 0 ? bytes : static_cast<std::size_t>(BN_num_bytes(number)));
  BN_free(number);
  return to_base64url(text);
}

} // namespace

jwt_signer::jwt_signer(const std::string& kind)
    : kind_(kind),
      key_(kind == "RSA" ? EVP_RSA_gen(2048) : EVP_EC_gen(kind.c_str()),
           EVP_PKEY_free) {
  TROUPE_ASSERT(key_ != nullptr, "no key for the test");
}

std::string unsigned_token(std::string_view header, std::string_view claims) {
  return to_base64url(header) + '.' + to_base64url(claims);
}

std::string sign_hmac(std::string_view algorithm, std::string_view secret,
                      std::string_view claims, std::string_view more_header) {
  const auto text = unsigned_token(header_of(algorithm, more_header), claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()),
       bytes_of(text), text.size(), mac.data(), &size);
  return text + '.' +
         to_base64url({reinterpret_cast<const char*>(mac.data()), size});
}

std::string jwt_signer::sign(std::string_view algorithm,
                             std::string_view claims,
                             std::string_view more_header) const {
  const auto text = unsigned_token(header_of(algorithm, more_header), claims);
  auto* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* how = nullptr;
  EVP_DigestSignInit(context, &how, digest_of(algorithm), nullptr, key_.get());
  if (algorithm.front() == 'P') {
    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, bytes_of(text), text.size());
  std::vector<unsigned char> made(size);
  EVP_DigestSign(context, made.data(), &size, bytes_of(text), text.size());
  EVP_MD_CTX_free(context);
  std::string signature{reinterpret_cast<const char*>(made.data()), size};
  if (kind_ != "RSA") { // r and s side by side
    const auto* at = made.data();
    auto* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    const auto bytes = coordinate_bytes(kind_);
    signature = fixed(ECDSA_SIG_get0_r(pair), bytes) +
                fixed(ECDSA_SIG_get0_s(pair), bytes);
    ECDSA_SIG_free(pair);
  }
  return text + '.' + to_base64url(signature);
}

std::string jwt_signer::pem() const {
  auto* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key_.get());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out, &data);
  std::string text{data, static_cast<std::size_t>(size)};
  BIO_free_all(out);
  return text;
}

std::string jwt_signer::jwk(std::string_view id, std::string_view more) const {
  auto text = R"({"kid":")" + std::string{id} + '"' + std::string{more};
  if (kind_ == "RSA")
    return text + R"(,"kty":"RSA","n":")" +
           number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
           number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E) + R"("})";
  const auto bytes = coordinate_bytes(kind_);
  return text + R"(,"kty":"EC","crv":")" + kind_ + R"(","x":")" +
         number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, bytes) + R"(","y":")" +
         number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, bytes) + R"("})";
}

} // namespace troupe::test_support
