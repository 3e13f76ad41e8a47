// SPDX-License-Identifier: Apache-2.0
#include "net/identity/jwt_key.hpp"

#include "net/identity/base64url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

namespace troupe::net::identity {
namespace {

namespace json = boost::json;

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using builder_ptr =
    std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;
using params_ptr = std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using ecdsa_ptr = std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;

core::error invalid(std::string_view why) {
  return {core::errc::invalid_config, std::string{why}};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* digest_of(int bits) {
  return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512();
}

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

/// A text member, "" if there is none.
std::string text_in(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_string()
             ? std::string{value->get_string()}
             : std::string{};
}

std::optional<std::string> bytes_in(const json::object& from,
                                    std::string_view name) {
  const auto text = text_in(from, name);
  auto bytes = text.empty() ? std::nullopt : from_base64url(text);
  return bytes && !bytes->empty() ? bytes : std::nullopt;
}

std::shared_ptr<EVP_PKEY> build(const char* type, OSSL_PARAM_BLD* builder) {
  const params_ptr params{OSSL_PARAM_BLD_to_param(builder)};
  const key_context context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1)
    return nullptr;
  return shared(key);
}

std::shared_ptr<EVP_PKEY> rsa_of(const json::object& from) {
  const auto n = bytes_in(from, "n");
  const auto e = bytes_in(from, "e");
  if (!n || !e || n->size() > rsa_bits_max / 8 || e->size() > 8)
    return nullptr;
  const number_ptr modulus{
      BN_bin2bn(bytes_of(*n), static_cast<int>(n->size()), nullptr)};
  const number_ptr exponent{
      BN_bin2bn(bytes_of(*e), static_cast<int>(e->size()), nullptr)};
  const builder_ptr builder{OSSL_PARAM_BLD_new()};
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N,
                             modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E,
                             exponent.get()) != 1)
    return nullptr;
  return build("RSA", builder.get());
}

struct curve {
  std::string_view name;    ///< in a JWK
  const char* openssl_name; ///< as a group of OpenSSL is called
  std::size_t bytes;        ///< of a coordinate
  int bits;                 ///< of the SHA-2 that goes with it
};
constexpr std::array curves{curve{"P-256", "prime256v1", 32, 256},
                            curve{"P-384", "secp384r1", 48, 384},
                            curve{"P-521", "secp521r1", 66, 512}};

std::shared_ptr<EVP_PKEY> ec_of(const json::object& from, const curve& on) {
  const auto x = bytes_in(from, "x");
  const auto y = bytes_in(from, "y");
  if (!x || !y || x->size() != on.bytes || y->size() != on.bytes)
    return nullptr;
  const std::string point = '\x04' + *x + *y; // uncompressed
  const builder_ptr builder{OSSL_PARAM_BLD_new()};
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      on.openssl_name, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       point.data(), point.size()) != 1)
    return nullptr;
  return build("EC", builder.get());
}

const curve* curve_of(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1)
    return nullptr;
  for (const auto& each : curves)
    if (std::string_view{name.data(), size} == each.openssl_name)
      return &each;
  return nullptr;
}

bool strong_enough(EVP_PKEY* rsa) {
  const auto bits = EVP_PKEY_get_bits(rsa);
  return bits >= rsa_bits_min && bits <= rsa_bits_max;
}

bool verify_hmac(const std::string& secret, int bits, std::string_view text,
                 std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  return HMAC(digest_of(bits), secret.data(), static_cast<int>(secret.size()),
              bytes_of(text), text.size(), mac.data(), &size) != nullptr &&
         signature.size() == size &&
         CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

/// r and s side by side become what OpenSSL reads.
std::string der_of(std::string_view signature, std::size_t bytes) {
  if (signature.size() != 2 * bytes)
    return {};
  const ecdsa_ptr pair{ECDSA_SIG_new()};
  number_ptr r{
      BN_bin2bn(bytes_of(signature), static_cast<int>(bytes), nullptr)};
  number_ptr s{BN_bin2bn(bytes_of(signature.substr(bytes)),
                         static_cast<int>(bytes), nullptr)};
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1)
    return {};
  static_cast<void>(r.release()); // the pair has them now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const auto size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0)
    return {};
  std::string text{reinterpret_cast<const char*>(der),
                   static_cast<std::size_t>(size)};
  OPENSSL_free(der);
  return text;
}

bool verify_public(EVP_PKEY* key, const jwt_algorithm& algorithm,
                   std::string_view text, std::string_view signature) {
  const digest_context context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* how = nullptr;
  const auto* digest = digest_of(algorithm.bits);
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &how, digest, nullptr, key) != 1)
    return false;
  if (algorithm.family == jwt_family::rsa_pss &&
      (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          bytes_of(text), text.size()) == 1;
}

} // namespace

std::optional<jwt_algorithm> jwt_algorithm::of(std::string_view name) noexcept {
  if (name.size() != 5 || name[1] != 'S')
    return std::nullopt;
  jwt_algorithm made;
  switch (name[0]) {
  case 'H':
    made.family = jwt_family::hmac;
    break;
  case 'R':
    made.family = jwt_family::rsa_pkcs1;
    break;
  case 'P':
    made.family = jwt_family::rsa_pss;
    break;
  case 'E':
    made.family = jwt_family::ecdsa;
    break;
  default:
    return std::nullopt;
  }
  const auto bits = name.substr(2);
  made.bits = bits == "256" ? 256 : bits == "384" ? 384 : 512;
  if (made.bits == 512 && bits != "512")
    return std::nullopt;
  return made;
}

core::result<jwt_key> jwt_key::of_secret(std::string secret) {
  if (secret.empty())
    return invalid("an empty secret for tokens");
  jwt_key key;
  key.secret_ = std::move(secret);
  return key;
}

core::result<jwt_key> jwt_key::of_pem(const std::string& pem) {
  const auto open = [&] {
    return bio_ptr{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  };
  jwt_key key;
  key.public_ =
      shared(PEM_read_bio_PUBKEY(open().get(), nullptr, nullptr, nullptr));
  if (!key.public_) {
    const certificate_ptr certificate{
        PEM_read_bio_X509(open().get(), nullptr, nullptr, nullptr)};
    if (certificate)
      key.public_ = shared(X509_get_pubkey(certificate.get()));
  }
  if (!key.public_)
    return invalid("neither a public key nor a certificate in PEM");
  if (EVP_PKEY_is_a(key.public_.get(), "RSA") == 1) {
    key.kind_ = kind::rsa;
    if (!strong_enough(key.public_.get()))
      return invalid("an RSA key needs 2048 to 8192 bits");
    return key;
  }
  const auto* on = curve_of(key.public_.get());
  if (on == nullptr)
    return invalid("a key for tokens is RSA, P-256, P-384 or P-521");
  key.kind_ = kind::ec;
  key.curve_bits_ = on->bits;
  return key;
}

bool jwt_key::serves(const jwt_algorithm& algorithm,
                     std::string_view id) const noexcept {
  if (!id_.empty() && !id.empty() && id_ != id)
    return false;
  if (!algorithm_.empty()) {
    const auto only = jwt_algorithm::of(algorithm_);
    if (!only || only->family != algorithm.family ||
        only->bits != algorithm.bits)
      return false;
  }
  switch (algorithm.family) {
  case jwt_family::hmac:
    return kind_ == kind::secret;
  case jwt_family::rsa_pkcs1:
  case jwt_family::rsa_pss:
    return kind_ == kind::rsa;
  case jwt_family::ecdsa:
    return kind_ == kind::ec && curve_bits_ == algorithm.bits;
  }
  return false;
}

bool jwt_key::verify(const jwt_algorithm& algorithm, std::string_view text,
                     std::string_view signature) const {
  if (algorithm.family == jwt_family::hmac)
    return verify_hmac(secret_, algorithm.bits, text, signature);
  if (algorithm.family != jwt_family::ecdsa)
    return verify_public(public_.get(), algorithm, text, signature);
  for (const auto& each : curves)
    if (each.bits == curve_bits_) {
      const auto der = der_of(signature, each.bytes);
      return !der.empty() && verify_public(public_.get(), algorithm, text, der);
    }
  return false;
}

core::result<jwt_keys> parse_jwks(std::string_view document) {
  boost::system::error_code bad;
  json::parse_options strict;
  strict.max_depth = 8;
  const auto parsed = json::parse(document, bad, {}, strict);
  const auto* root = bad ? nullptr : parsed.if_object();
  const auto* list = root == nullptr ? nullptr : root->if_contains("keys");
  if (list == nullptr || !list->is_array())
    return invalid(R"(a set of keys is {"keys": [ … ]})");
  if (list->get_array().size() > jwt_keys_max)
    return invalid("too many keys");
  jwt_keys keys;
  for (const auto& each : list->get_array()) {
    const auto* from = each.if_object();
    if (from == nullptr)
      return invalid("a key that is no object");
    const auto use = text_in(*from, "use");
    if (!use.empty() && use != "sig")
      continue;
    jwt_key key;
    key.id_ = text_in(*from, "kid");
    key.algorithm_ = text_in(*from, "alg");
    const auto type = text_in(*from, "kty");
    if (type == "oct") {
      auto secret = bytes_in(*from, "k");
      if (!secret)
        return invalid("key '" + key.id_ + "' has no secret");
      key.secret_ = std::move(*secret);
    } else if (type == "RSA") {
      key.kind_ = jwt_key::kind::rsa;
      key.public_ = rsa_of(*from);
      if (!key.public_ || !strong_enough(key.public_.get()))
        return invalid("key '" + key.id_ +
                       "' is no RSA key of 2048 to 8192 bits");
    } else if (type == "EC") {
      const auto name = text_in(*from, "crv");
      const curve* on = nullptr;
      for (const auto& one : curves)
        if (one.name == name)
          on = &one;
      if (on == nullptr)
        continue;
      key.kind_ = jwt_key::kind::ec;
      key.curve_bits_ = on->bits;
      key.public_ = ec_of(*from, *on);
      if (!key.public_)
        return invalid("key '" + key.id_ + "' is no point of its curve");
    } else {
      continue;
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty())
    return invalid("no key that signatures can be checked with");
  return keys;
}

} // namespace troupe::net::identity
