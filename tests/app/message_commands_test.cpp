// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/message_text.hpp"
#include "net/mq/client_codec.hpp"
#include "net/mq/frame_codec.hpp"
#include "net/mq/message_decoder.hpp"
#include "tests/app/scripted_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <sstream>

namespace troupe::app {
namespace {

namespace mq = net::mq;
using socket = scripted_server::tcp::socket;

/// A node that says what a test tells it and keeps what it heard.
class scripted_node {
public:
  explicit scripted_node(socket& client) : client_(client) {}

  /// The header of the next message of the client and what is behind it, ""
  /// after the end.
  std::string hear() {
    for (;;) {
      const auto found = mq::decode_frame(core::as_bytes(received_), 1U << 20);
      if (found.what == mq::frame::status::message) {
        std::string text{core::as_text(found.payload)};
        received_.erase(0, found.bytes);
        return text.substr(4);
      }
      char bytes[4096];
      boost::system::error_code ended;
      const auto count = client_.read_some(boost::asio::buffer(bytes), ended);
      if (ended)
        return {};
      received_.append(bytes, count);
    }
  }

  void say(const mq::server_packet& packet) {
    std::string frame;
    EXPECT_TRUE(mq::append_frame(frame, packet));
    say_bytes(frame);
  }
  void say_bytes(std::string_view bytes) {
    boost::system::error_code ended;
    boost::asio::write(client_, boost::asio::buffer(bytes.data(), bytes.size()),
                       ended);
  }
  void accept_login() {
    hear();
    say(mq::info_packet{"ok login"});
  }

private:
  socket& client_;
  std::string received_;
};

struct outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// Runs a command as alice against a node that plays `part`.
template <class Options, class Part>
outcome run_against(Options options, Part part, const std::string& input = {}) {
  std::istringstream in{input};
  std::ostringstream out;
  std::ostringstream err;
  int exit_code = 0;
  {
    scripted_server server{1, [&part](socket& client) {
                             scripted_node node{client};
                             part(node);
                           }};
    options.client.server = server.address();
    options.client.uid = "alice";
    options.client.device = "n0";
    terminal screen{in, out, err};
    exit_code = run(options, screen);
  }
  return {exit_code, out.str(), err.str()};
}

TEST(PostCommand, LogsInPostsAndWaitsForTheAck) {
  post_options options;
  options.to = {"bob"};
  options.one = {"carol"};
  options.lists = {"team"};
  options.lists_with_sender = {"all"};
  options.meta = R"({"subject":"hi"})";
  options.text = "hello";
  std::string login;
  std::string post;
  const auto seen = run_against(options, [&](scripted_node& node) {
    login = node.hear();
    node.say(mq::info_packet{"ok login"});
    post = node.hear();
    // What waits in the inbox of the sender may come first.
    node.say(mq::deliver_packet{"5-0", "bob"});
    node.say(mq::ack_packet{"1", "ok"});
  });
  EXPECT_EQ(login, R"({"op":"login","userId":"alice","nodeId":"n0"})");
  EXPECT_NE(post.find(R"("to":{"bob":1,"carol":0,"team":2,"all":3})"),
            std::string::npos)
      << post;
  EXPECT_NE(post.find(R"({"subject":"hi"}hello)"), std::string::npos) << post;
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  EXPECT_EQ(seen.out, "ok\n");
}

TEST(PostCommand, SendsStandardInput) {
  post_options options;
  options.to = {"bob"};
  std::string post;
  run_against(
      options,
      [&](scripted_node& node) {
        node.accept_login();
        post = node.hear();
        node.say(mq::ack_packet{"1", "ok"});
      },
      "from a pipe");
  EXPECT_NE(post.find("from a pipe"), std::string::npos);
}

TEST(PostCommand, RegistersFirstIfAskedTo) {
  for (const std::string_view answer : {"", "user exists"}) {
    post_options options;
    options.client.create = true;
    options.text = "x";
    std::string first;
    const auto seen = run_against(options, [&](scripted_node& node) {
      first = node.hear();
      mq::registered_packet registered;
      registered.error = answer;
      node.say(registered);
      node.accept_login();
      node.hear();
      node.say(mq::ack_packet{"1", "ok"});
    });
    EXPECT_NE(first.find(R"("op":"register","userId":"alice")"),
              std::string::npos);
    EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  }
}

TEST(PostCommand, FailsWithTheNodesWords) {
  post_options options;
  options.text = "x";
  const auto refused = run_against(options, [](scripted_node& node) {
    node.hear();
    node.say(mq::quit_packet{"userId unknown"});
  });
  EXPECT_EQ(refused.exit_code, exit_failed);
  EXPECT_EQ(refused.err, "troupe post: unavailable: userId unknown\n");

  const auto partial = run_against(options, [](scripted_node& node) {
    node.accept_login();
    node.hear();
    node.say(mq::ack_packet{"1", "ok", "userId unknown"});
  });
  EXPECT_EQ(partial.exit_code, exit_failed);
  EXPECT_EQ(partial.err, "troupe post: userId unknown\n");

  const auto failed = run_against(options, [](scripted_node& node) {
    node.accept_login();
    node.hear();
    node.say(mq::ack_packet{"1", "error", "inbox full"});
  });
  EXPECT_EQ(failed.err, "troupe post: unavailable: inbox full\n");
}

TEST(PostCommand, FailsOnGoodbyeGarbageAndSilence) {
  post_options options;
  options.text = "x";
  for (const std::string_view bytes :
       {std::string_view{"\x81\x00", 2}, std::string_view{"\x85\x00", 2},
        std::string_view{"\x85\x04zzzz", 6}, std::string_view{}}) {
    const auto seen = run_against(options, [bytes](scripted_node& node) {
      node.hear();
      node.say_bytes(bytes);
    });
    EXPECT_EQ(seen.exit_code, exit_failed);
    EXPECT_NE(seen.err, "");
  }
}

TEST(PingCommand, NamesTheAlias) {
  ping_options options;
  options.alias = "bobby";
  options.text = "short";
  std::string ping;
  const auto seen = run_against(options, [&](scripted_node& node) {
    node.accept_login();
    ping = node.hear();
    node.say(mq::ack_packet{"1", "error", "alias not defined"});
  });
  EXPECT_NE(ping.find(R"("op":"ping")"), std::string::npos);
  EXPECT_NE(ping.find(R"("alias":"bobby"})"), std::string::npos) << ping;
  EXPECT_EQ(seen.err, "troupe ping: unavailable: alias not defined\n");
}

TEST(InboxTail, PrintsAndAcknowledgesInOrder) {
  inbox_tail_options options;
  options.count = 2;
  options.window = 8;
  std::string login;
  std::vector<std::string> acks;
  const auto seen = run_against(options, [&](scripted_node& node) {
    login = node.hear();
    node.say(mq::info_packet{"ok login"});
    mq::deliver_packet message{"7-0", "bob"};
    message.body.data = core::as_bytes("one");
    node.say(message);
    mq::list_edited_packet edited{"8-0", "bob"};
    edited.etc = core::as_bytes(R"({"list":"l"})");
    node.say(edited);
    acks.push_back(node.hear());
    acks.push_back(node.hear());
  });
  EXPECT_NE(login.find(R"("window":8)"), std::string::npos) << login;
  EXPECT_EQ(seen.out, "7-0 bob: one\n"
                      "8-0 bob: list changed  etc={\"list\":\"l\"}\n");
  EXPECT_EQ(seen.exit_code, exit_ok);
  ASSERT_EQ(acks.size(), 2U);
  EXPECT_EQ(acks[0], R"({"op":"ack","id":"7-0","type":"ok"})");
  EXPECT_EQ(acks[1], R"({"op":"ack","id":"8-0","type":"ok"})");
}

TEST(InboxTail, WithoutAcksShowsARepeatOnce) {
  inbox_tail_options options;
  options.count = 2;
  options.acknowledge = false;
  options.json = true;
  std::string heard = "nothing";
  const auto seen = run_against(options, [&](scripted_node& node) {
    node.accept_login();
    mq::deliver_packet message{"7-0", "bob"};
    node.say(message);
    node.say(message);
    message.id = "8-0";
    node.say(message);
    heard = node.hear();
  });
  EXPECT_EQ(heard, "");
  EXPECT_EQ(seen.out, R"({"id":"7-0","kind":"message","from":"bob","data":""})"
                      "\n"
                      R"({"id":"8-0","kind":"message","from":"bob","data":""})"
                      "\n");
}

TEST(InboxTail, EndsWhenTheNodeSaysGoodbye) {
  const auto seen = run_against(inbox_tail_options{}, [](scripted_node& node) {
    node.accept_login();
    node.say_bytes(mq::close_frame);
  });
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_EQ(seen.err,
            "troupe inbox tail: unavailable: the node said goodbye\n");
}

TEST(MessageText, MakesControlCharactersVisible) {
  EXPECT_EQ(text_line({"1-0", "message", "b", "", "a\x1b[2J\tb\x7f"}),
            "1-0 b: a\\x1b[2J\tb\\x7f");
  EXPECT_EQ(text_line({"1-0", "message", "b", "",
                       "\xC2\x9B"
                       "2J \xC3\xA4"}),
            "1-0 b: \\xc2\\x9b2J \xC3\xA4");
}

TEST(MessageText, WritesWhatIsNotUtf8AsBase64) {
  EXPECT_EQ(json_line({"1-0", "message", "b", "{}", "\xFF\x01"}),
            R"({"id":"1-0","kind":"message","from":"b","etc":"{}",)"
            R"("data_base64":"/wE="})");
}

} // namespace
} // namespace troupe::app
