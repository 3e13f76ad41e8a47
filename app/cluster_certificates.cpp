// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_certificates.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

namespace troupe::app {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using extension_ptr =
    std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

core::error broken(const char* what) {
  return {core::errc::io_error, std::string{"OpenSSL can't "} + what};
}

std::string text_in(BIO* memory) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

bio_ptr reader_of(const std::string& text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

certificate_ptr read_certificate(const std::string& text) {
  return certificate_ptr{
      PEM_read_bio_X509(reader_of(text).get(), nullptr, nullptr, nullptr)};
}

core::result<key_pair> printed(X509* certificate, EVP_PKEY* key) {
  const bio_ptr first{BIO_new(BIO_s_mem())};
  const bio_ptr second{BIO_new(BIO_s_mem())};
  if (!first || !second || PEM_write_bio_X509(first.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(second.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1)
    return broken("write a certificate");
  return key_pair{text_in(first.get()), text_in(second.get())};
}

/// What both kinds of certificate have: a key, a number nobody else has, a
/// name and a time.
bool begin(X509* certificate, EVP_PKEY* key, std::string_view name,
           days valid) {
  const number_ptr serial{BN_new()};
  // 127 bits: a positive number of at most 16 bytes.
  if (!serial ||
      BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) ==
          nullptr)
    return false;
  auto* subject = X509_get_subject_name(certificate);
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
  return X509_set_version(certificate, 2) == 1 &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes,
                                    static_cast<int>(name.size()), -1,
                                    0) == 1 &&
         X509_gmtime_adj(
             X509_getm_notBefore(certificate),
             -std::chrono::seconds{certificate_head_start}.count()) !=
             nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), valid.count(), 0,
                          nullptr) != nullptr;
}

bool add(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension_ptr made{
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

std::string alternative(const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return (no_address ? "DNS:" : "IP:") + host;
}

} // namespace

core::result<key_pair> make_authority(std::string_view name, days valid) {
  const key_ptr key{EVP_EC_gen("P-256")};
  const certificate_ptr made{X509_new()};
  if (!key || !made)
    return broken("make a key");
  auto* own = made.get();
  const bool done =
      begin(own, key.get(), name, valid) &&
      X509_set_issuer_name(own, X509_get_subject_name(own)) == 1 &&
      add(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add(own, own, NID_subject_key_identifier, "hash") &&
      X509_sign(own, key.get(), EVP_sha256()) != 0;
  if (!done)
    return broken("make an authority");
  return printed(own, key.get());
}

core::result<key_pair>
make_node_certificate(const key_pair& authority, const std::string& name,
                      const std::vector<std::string>& hosts, days valid) {
  const auto issuer = read_certificate(authority.certificate);
  const key_ptr issuer_key{PEM_read_bio_PrivateKey(
      reader_of(authority.key).get(), nullptr, nullptr, nullptr)};
  if (!issuer || !issuer_key)
    return core::error{core::errc::invalid_config,
                       "no certificate and key in PEM"};
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1)
    return core::error{core::errc::invalid_config,
                       "key and certificate do not belong together"};
  if (X509_check_ca(issuer.get()) != 1)
    return core::error{core::errc::invalid_config,
                       "the certificate is not that of an authority"};
  if (X509_cmp_current_time(X509_get0_notAfter(issuer.get())) <= 0)
    return core::error{core::errc::invalid_config, "it has expired"};

  const key_ptr key{EVP_EC_gen("P-256")};
  const certificate_ptr made{X509_new()};
  if (!key || !made)
    return broken("make a key");
  std::string names = alternative(name);
  for (const auto& host : hosts)
    if (host != name)
      names += "," + alternative(host);
  auto* own = made.get();
  bool done = begin(own, key.get(), name, valid);
  if (done && ASN1_TIME_compare(X509_get0_notAfter(own),
                                X509_get0_notAfter(issuer.get())) > 0)
    done = X509_set1_notAfter(own, X509_get0_notAfter(issuer.get())) == 1;
  done = done &&
         X509_set_issuer_name(own, X509_get_subject_name(issuer.get())) == 1 &&
         add(own, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
         add(own, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
         add(own, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
         add(own, issuer.get(), NID_subject_key_identifier, "hash") &&
         add(own, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
         add(own, issuer.get(), NID_subject_alt_name, names) &&
         X509_sign(own, issuer_key.get(), EVP_sha256()) != 0;
  if (!done)
    return broken("make a certificate");
  return printed(own, key.get());
}

core::result<std::string> end_of(const std::string& certificate) {
  const auto read = read_certificate(certificate);
  std::tm end{};
  if (!read || ASN1_TIME_to_tm(X509_get0_notAfter(read.get()), &end) != 1)
    return core::error{core::errc::invalid_config, "no certificate in PEM"};
  char text[16] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d", &end);
  return std::string{text};
}

} // namespace troupe::app
