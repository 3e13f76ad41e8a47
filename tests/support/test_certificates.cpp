// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test_certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace troupe::test_support {

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
using file_ptr = std::unique_ptr<std::FILE, freed_by<std::fclose>>;

void must(bool done) {
  if (!done)
    std::abort(); // a broken test machine
}

key_ptr new_key() {
  key_ptr key{EVP_EC_gen("P-256")};
  must(key != nullptr);
  return key;
}

certificate_ptr sign(EVP_PKEY* key, const std::string& name, X509* issuer,
                     EVP_PKEY* issuer_key) {
  static long serial = 0;
  certificate_ptr made{X509_new()};
  auto* certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
  X509_set_pubkey(certificate, key);
  auto* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(
      certificate, issuer == nullptr ? subject : X509_get_subject_name(issuer));
  if (issuer == nullptr) {
    auto* extension = X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  must(X509_sign(certificate, issuer_key, EVP_sha256()) != 0);
  return made;
}

void write_key(const std::string& path, EVP_PKEY* key) {
  const file_ptr out{std::fopen(path.c_str(), "w")};
  must(out && PEM_write_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
}

void write_certificate(const std::string& path, X509* certificate) {
  const file_ptr out{std::fopen(path.c_str(), "w")};
  must(out && PEM_write_X509(out.get(), certificate) == 1);
}

} // namespace

test_authority::test_authority() {
  const auto key = new_key();
  const auto own = sign(key.get(), "authority", nullptr, key.get());
  write_key(folder_.path() / "ca.key", key.get());
  write_certificate(file(), own.get());
}

std::string test_authority::file() const { return folder_.path() / "ca.pem"; }

test_authority::files test_authority::issue(const std::string& name) {
  const file_ptr key_file{std::fopen((folder_.path() / "ca.key").c_str(), "r")};
  const file_ptr own_file{std::fopen(file().c_str(), "r")};
  must(key_file && own_file);
  const key_ptr authority_key{
      PEM_read_PrivateKey(key_file.get(), nullptr, nullptr, nullptr)};
  const certificate_ptr authority{
      PEM_read_X509(own_file.get(), nullptr, nullptr, nullptr)};
  const auto key = new_key();
  const auto certificate =
      sign(key.get(), name, authority.get(), authority_key.get());
  files made{folder_.path() / (name + ".pem"),
             folder_.path() / (name + ".key")};
  write_certificate(made.certificate, certificate.get());
  write_key(made.key, key.get());
  return made;
}

} // namespace troupe::test_support
