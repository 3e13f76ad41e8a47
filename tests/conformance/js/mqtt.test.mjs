// SPDX-License-Identifier: Apache-2.0
// The npm client "mqtt" at MQTT's door: 3.1.1 and 5, over TCP and WebSocket.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import mqtt from "mqtt";

const URLS = [process.env.TROUPE_MQTT_TCP, process.env.TROUPE_MQTT_WS];
const PROTOCOLS = [
  { protocolVersion: 3, protocolId: "MQIsdp" },
  { protocolVersion: 4 },
  { protocolVersion: 5 },
];

/** A client whose messages can be waited for, in their order. */
class Client {
  #waiting = [];
  #messages = [];

  constructor(inner) {
    this.inner = inner;
    inner.on("error", () => {});
    inner.on("message", (topic, payload, packet) => {
      const message = { topic, payload: payload.toString(), packet };
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#messages.push(message);
    });
  }

  next() {
    const first = this.#messages.shift();
    if (first) return Promise.resolve(first);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const open = [];

async function connect(url, options) {
  const inner = mqtt.connect(url, { reconnectPeriod: 0, ...options });
  open.push(inner);
  const client = new Client(inner);
  const [welcome] = await once(inner, "connect");
  client.welcome = welcome;
  return client;
}

const name = (() => {
  let count = 0;
  return (text) => `${text}/${count++}`;
})();

for (const url of URLS)
  for (const protocol of PROTOCOLS) {
    const five = protocol.protocolVersion === 5;
    describe(`${new URL(url).protocol} ${protocol.protocolVersion}`, () => {
      for (const qos of [0, 1, 2])
        test(`QoS ${qos} there and back`, async () => {
          const topic = name("there");
          const client = await connect(url, protocol);
          const [granted] = await client.inner.subscribeAsync(topic, { qos });
          assert.equal(granted.qos, qos);
          await client.inner.publishAsync(topic, "hello", { qos });
          const got = await client.next();
          assert.equal(got.topic, topic);
          assert.equal(got.payload, "hello");
          assert.equal(got.packet.qos, qos);
          await client.inner.unsubscribeAsync(topic);
          await client.inner.endAsync();
        });

      test("a hundred of each QoS keep their order", async () => {
        const topic = name("order");
        const [subscriber, publisher] = await Promise.all([
          connect(url, protocol),
          connect(url, protocol),
        ]);
        await subscriber.inner.subscribeAsync(`${topic}/+`, { qos: 2 });
        for (const qos of [0, 1, 2]) {
          const sent = [];
          for (let i = 0; i < 100; i++)
            sent.push(
              publisher.inner.publishAsync(`${topic}/${qos}`, `${i}`, { qos }),
            );
          await Promise.all(sent);
          for (let i = 0; i < 100; i++)
            assert.equal((await subscriber.next()).payload, `${i}`);
        }
      });

      test("large messages", async () => {
        const topic = name("large");
        const client = await connect(url, protocol);
        await client.inner.subscribeAsync(topic, { qos: 1 });
        const payload = "x".repeat(900_000);
        await client.inner.publishAsync(topic, payload, { qos: 1 });
        assert.equal((await client.next()).payload, payload);
      });

      test("a will", async () => {
        const topic = name("will");
        const watcher = await connect(url, protocol);
        await watcher.inner.subscribeAsync(topic);
        const dying = await connect(url, {
          ...protocol,
          will: { topic, payload: "gone", qos: 1, retain: false },
        });
        dying.inner.stream.destroy();
        assert.equal((await watcher.next()).payload, "gone");
      });

      test("the same client again takes over", async () => {
        const clientId = name("same");
        const first = await connect(url, { ...protocol, clientId });
        const ended = once(first.inner, "close");
        const told = five ? once(first.inner, "disconnect") : null;
        await connect(url, { ...protocol, clientId });
        await ended;
        if (told) assert.equal((await told)[0].reasonCode, 0x8e);
      });
    });
  }

for (const url of URLS)
  describe(`${new URL(url).protocol} MQTT 5 alone`, () => {
    const five = { protocolVersion: 5 };

    test("properties", async () => {
      const topic = name("properties");
      const client = await connect(url, five);
      await client.inner.subscribeAsync(topic, {
        qos: 1,
        properties: { subscriptionIdentifier: 321 },
      });
      const properties = {
        payloadFormatIndicator: true,
        messageExpiryInterval: 100,
        contentType: "text/plain",
        responseTopic: "answers",
        correlationData: Buffer.from([0, 255]),
        userProperties: { k: ["1", "2"], other: "3" },
      };
      await client.inner.publishAsync(topic, "x", { qos: 1, properties });
      const got = (await client.next()).packet.properties;
      assert.equal(got.payloadFormatIndicator, true);
      assert.ok(got.messageExpiryInterval <= 100);
      assert.equal(got.contentType, "text/plain");
      assert.equal(got.responseTopic, "answers");
      assert.deepEqual([...got.correlationData], [0, 255]);
      assert.deepEqual({ ...got.userProperties }, properties.userProperties);
      assert.equal(got.subscriptionIdentifier, 321);
    });

    test("aliases both ways", async () => {
      const topic = name("a topic that is long enough for an alias of its own");
      const client = await connect(url, {
        ...five,
        autoUseTopicAlias: true,
        autoAssignTopicAlias: true,
        properties: { topicAliasMaximum: 10 },
      });
      await client.inner.subscribeAsync(topic, { qos: 1 });
      for (let i = 0; i < 3; i++) {
        await client.inner.publishAsync(topic, `${i}`, { qos: 1 });
        const got = await client.next();
        assert.equal(got.topic, topic);
        assert.equal(got.payload, `${i}`);
      }
    });

    test("a small receive maximum", async () => {
      const topic = name("window");
      const client = await connect(url, {
        ...five,
        properties: { receiveMaximum: 2 },
      });
      await client.inner.subscribeAsync(topic, { qos: 2 });
      const publisher = await connect(url, five);
      const sent = [];
      for (let i = 0; i < 50; i++)
        sent.push(publisher.inner.publishAsync(topic, `${i}`, { qos: 2 }));
      await Promise.all(sent);
      for (let i = 0; i < 50; i++)
        assert.equal((await client.next()).payload, `${i}`);
    });

    test("retained messages", async () => {
      const topic = name("kept");
      const writer = await connect(url, five);
      const options = { qos: 1, retain: true };
      await writer.inner.publishAsync(topic, "first", options);
      await writer.inner.publishAsync(topic, "last", {
        ...options,
        properties: { contentType: "text/plain", messageExpiryInterval: 100 },
      });
      const reader = await connect(url, five);
      await reader.inner.subscribeAsync(topic, { qos: 2 });
      const got = await reader.next();
      assert.equal(got.payload, "last");
      assert.equal(got.packet.retain, true);
      assert.equal(got.packet.qos, 1);
      assert.equal(got.packet.properties.contentType, "text/plain");
      await reader.inner.subscribeAsync(topic, { qos: 1, rh: 1 });
      await reader.inner.subscribeAsync(topic, { qos: 1, rh: 2 });
      await writer.inner.publishAsync(topic, "live", options);
      const live = await reader.next();
      assert.equal(live.payload, "live");
      assert.equal(live.packet.retain, false);
      await writer.inner.publishAsync(topic, "", options);
      assert.equal((await reader.next()).payload, "");
      const later = await connect(url, five);
      await later.inner.subscribeAsync(topic, { qos: 1 });
      await writer.inner.publishAsync(topic, "marker", { qos: 1 });
      assert.equal((await later.next()).payload, "marker");
    });

    test("a session that stays has what was published meanwhile", async () => {
      const topic = name("stays");
      const options = {
        ...five,
        clientId: topic,
        clean: false,
        properties: { sessionExpiryInterval: 100 },
      };
      const first = await connect(url, options);
      assert.equal(first.welcome.sessionPresent, false);
      // Granted as it was asked for.
      assert.equal(
        first.welcome.properties.sessionExpiryInterval ?? 100,
        100,
      );
      await first.inner.subscribeAsync(topic, { qos: 2 });
      await first.inner.endAsync();
      const writer = await connect(url, five);
      await writer.inner.publishAsync(topic, "waits", { qos: 2 });
      const second = await connect(url, options);
      assert.equal(second.welcome.sessionPresent, true);
      const got = await second.next();
      assert.equal(got.payload, "waits");
      assert.equal(got.packet.qos, 2);
    });
  });

test.after(() => Promise.all(open.map((each) => each.endAsync(true))));
