// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/terminal.hpp"
#include "tests/app/scripted_server.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <sstream>
#include <string>
#include <vector>

/// Commands against an admin interface that answers as a test says.
namespace troupe::app::test {

struct answer {
  unsigned status = 200;
  std::string body;
};

/// What a command asked for, and what it made of the answers.
struct outcome {
  std::vector<std::string> requests; ///< "METHOD target body"
  std::string authorization;
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// Runs a command against a node that answers as scripted.
template <class Options>
outcome run_against(const std::vector<answer>& answers, Options options,
                    const std::string& input = {}) {
  outcome seen;
  std::istringstream in{input};
  std::ostringstream out;
  std::ostringstream err;
  std::size_t next = 0;
  {
    scripted_server node{
        static_cast<int>(answers.size()), [&](auto& client) {
          boost::beast::flat_buffer buffer;
          boost::beast::http::request<boost::beast::http::string_body> request;
          boost::beast::http::read(client, buffer, request);
          seen.requests.push_back(std::string{request.method_string()} + ' ' +
                                  std::string{request.target()} + ' ' +
                                  request.body());
          seen.authorization =
              std::string{request[boost::beast::http::field::authorization]};
          boost::beast::http::response<boost::beast::http::string_body>
              response{boost::beast::http::int_to_status(answers[next].status),
                       11, answers[next].body};
          ++next;
          response.prepare_payload();
          boost::beast::http::write(client, response);
        }};
    options.admin.address = node.address();
    terminal screen{in, out, err};
    seen.exit_code = run(options, screen);
  }
  seen.out = out.str();
  seen.err = err.str();
  return seen;
}

using requests = std::vector<std::string>;

} // namespace troupe::app::test
