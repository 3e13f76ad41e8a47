// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/cluster_certificates.hpp"
#include "app/commands.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <sys/stat.h>

namespace troupe::app {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using check_ptr =
    std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;

certificate_ptr read(const std::string& text) {
  const bio_ptr in{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  return certificate_ptr{
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
}

/// X509_V_OK, or what is wrong with a certificate for that purpose.
int verdict(const std::string& authority, const std::string& certificate,
            int purpose) {
  const auto trusted = read(authority);
  const auto shown = read(certificate);
  const store_ptr store{X509_STORE_new()};
  X509_STORE_add_cert(store.get(), trusted.get());
  const check_ptr check{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(check.get(), store.get(), shown.get(), nullptr);
  X509_STORE_CTX_set_purpose(check.get(), purpose);
  X509_verify_cert(check.get());
  return X509_STORE_CTX_get_error(check.get());
}

struct issued {
  key_pair authority = make_authority("test authority", days{30}).value();
  key_pair node = make_node_certificate(authority, "n1",
                                        {"10.0.0.1", "n1.lan", "::1"}, days{20})
                      .value();
};

TEST(ClusterCertificates, AreVerifiedByTheirAuthorityForBothDirections) {
  const issued made;
  for (const auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    EXPECT_EQ(
        verdict(made.authority.certificate, made.node.certificate, purpose),
        X509_V_OK);
}

TEST(ClusterCertificates, AreNotThoseOfAnotherAuthorityOfTheSameName) {
  const issued made;
  const auto other = make_authority("test authority", days{30}).value();
  EXPECT_NE(verdict(other.certificate, made.node.certificate,
                    X509_PURPOSE_SSL_SERVER),
            X509_V_OK);
}

TEST(ClusterCertificates, NameTheNodeAndItsHosts) {
  const issued made;
  const auto certificate = read(made.node.certificate);
  for (const auto* name : {"n1", "n1.lan"})
    EXPECT_EQ(X509_check_host(certificate.get(), name, 0, 0, nullptr), 1)
        << name;
  for (const auto* address : {"10.0.0.1", "::1"})
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), address, 0), 1) << address;
  EXPECT_EQ(X509_check_host(certificate.get(), "n2", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "10.0.0.2", 0), 0);
}

TEST(ClusterCertificates, MaySignOnlyIfTheyAreTheAuthority) {
  const issued made;
  const auto node = read(made.node.certificate);
  const auto authority = read(made.authority.certificate);
  EXPECT_EQ(X509_check_ca(node.get()), 0);
  EXPECT_EQ(X509_check_ca(authority.get()), 1);
  EXPECT_EQ(X509_get_key_usage(node.get()),
            std::uint32_t{KU_DIGITAL_SIGNATURE});
  EXPECT_EQ(X509_get_key_usage(authority.get()),
            std::uint32_t{KU_KEY_CERT_SIGN | KU_CRL_SIGN});
  EXPECT_EQ(X509_get_extended_key_usage(node.get()),
            std::uint32_t{XKU_SSL_SERVER | XKU_SSL_CLIENT});
  EXPECT_EQ(X509_get_pathlen(authority.get()), 0);
  // A node can't make members.
  EXPECT_EQ(make_node_certificate(made.node, "n2", {}, days{1}).error().code,
            core::errc::invalid_config);
}

TEST(ClusterCertificates, EndInTimeButNotAfterTheirAuthority) {
  const issued made;
  const auto authority = read(made.authority.certificate);
  const auto end_in_days = [](const std::string& text) {
    int whole = 0;
    int seconds = 0;
    const auto certificate = read(text);
    ASN1_TIME_diff(&whole, &seconds, nullptr,
                   X509_get0_notAfter(certificate.get()));
    return whole + (seconds > 43'200 ? 1 : 0);
  };
  EXPECT_EQ(end_in_days(made.authority.certificate), 30);
  EXPECT_EQ(end_in_days(made.node.certificate), 20);
  const auto late = make_node_certificate(made.authority, "n2", {}, days{99});
  EXPECT_EQ(end_in_days(late->certificate), 30);
  EXPECT_LT(X509_cmp_current_time(
                X509_get0_notBefore(read(made.node.certificate).get())),
            0);
}

TEST(ClusterCertificates, NeedTheKeyThatBelongsToTheAuthority) {
  const issued made;
  const auto other = make_authority("another", days{30}).value();
  const auto refused = make_node_certificate(
      {made.authority.certificate, other.key}, "n2", {}, days{1});
  EXPECT_EQ(refused.error().code, core::errc::invalid_config);
  EXPECT_FALSE(make_node_certificate({"", ""}, "n2", {}, days{1}));
}

// ---------------------------------------------------------------- the command

class CertsCommand : public testing::Test {
protected:
  int certs(std::vector<certificate_holder> nodes, bool force = false) {
    cluster_certs_options options;
    options.out = folder_.path() / "certs";
    options.nodes = std::move(nodes);
    options.force = force;
    std::istringstream in;
    out_.str("");
    err_.str("");
    terminal screen{in, out_, err_};
    return run(options, screen);
  }
  std::string text(const std::string& name) const {
    std::ifstream in{folder_.path() / "certs" / name};
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  mode_t mode(const std::string& name) const {
    struct stat about {};
    ::stat((folder_.path() / "certs" / name).c_str(), &about);
    return about.st_mode & 07777;
  }

  test::temporary_folder folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CertsCommand, MakesAnAuthorityOnceAndNodesWhenTheyCome) {
  ASSERT_EQ(certs({{"a", {"127.0.0.1"}}, {"b", {}}}), exit_ok) << err_.str();
  EXPECT_EQ(mode("ca.key"), 0600);
  EXPECT_EQ(mode("a.key"), 0600);
  EXPECT_EQ(mode("a.pem"), 0644);
  EXPECT_NE(out_.str().find("tls_certificate"), std::string::npos);
  const auto authority = text("ca.pem");
  const auto authority_key = text("ca.key");
  ASSERT_EQ(certs({{"c", {}}}), exit_ok) << err_.str();
  EXPECT_EQ(text("ca.pem"), authority);
  for (const auto* name : {"a.pem", "b.pem", "c.pem"})
    EXPECT_EQ(verdict(authority, text(name), X509_PURPOSE_SSL_CLIENT),
              X509_V_OK)
        << name;

  // Nothing is written over unless told to, and the authority never.
  const auto first = text("a.pem");
  EXPECT_EQ(certs({{"d", {}}, {"a", {}}}), exit_failed);
  EXPECT_NE(err_.str().find("--force"), std::string::npos) << err_.str();
  EXPECT_EQ(text("a.pem"), first);
  EXPECT_EQ(text("d.pem"), "");
  EXPECT_EQ(certs({{"a", {}}}, true), exit_ok) << err_.str();
  EXPECT_NE(text("a.pem"), first);
  EXPECT_EQ(mode("a.key"), 0600);
  EXPECT_EQ(text("ca.key"), authority_key);
}

TEST_F(CertsCommand, DoesNotReplaceHalfAnAuthority) {
  ASSERT_EQ(certs({{"a", {}}}), exit_ok) << err_.str();
  std::filesystem::remove(folder_.path() / "certs" / "ca.key");
  EXPECT_EQ(certs({{"b", {}}}), exit_failed);
  EXPECT_NE(err_.str().find("another folder"), std::string::npos) << err_.str();
  EXPECT_EQ(text("b.pem"), "");
}

TEST_F(CertsCommand, RefusesANodeThatIsThereTwice) {
  EXPECT_EQ(certs({{"a", {}}, {"a", {}}}), exit_failed);
  EXPECT_EQ(text("ca.pem"), "");
}

} // namespace
} // namespace troupe::app
