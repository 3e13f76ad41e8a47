// SPDX-License-Identifier: Apache-2.0
// The npm client "mqtt" logs in by SCRAM-SHA-256 (RFC 7677), which MQTT 5
// carries in CONNECT, AUTH and CONNACK.
import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import mqtt from "mqtt";

const URLS = [process.env.TROUPE_MQTT_TCP, process.env.TROUPE_MQTT_WS];
const METHOD = "SCRAM-SHA-256";
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sha = (bytes) => createHash("sha256").update(bytes).digest();

class Scram {
  constructor(user, password) {
    this.password = password;
    this.bare = `n=${user},r=${randomBytes(18).toString("base64")}`;
  }

  first() {
    return Buffer.from("n,," + this.bare);
  }

  final(challenge) {
    const [nonce, salt, count] = challenge.split(",").map((x) => x.slice(2));
    const salted = pbkdf2Sync(
      this.password,
      Buffer.from(salt, "base64"),
      Number(count),
      32,
      "sha256",
    );
    const withoutProof = `c=biws,r=${nonce}`;
    const proven = [this.bare, challenge, withoutProof].join(",");
    const key = hmac(salted, "Client Key");
    const mask = hmac(sha(key), proven);
    const proof = key.map((byte, i) => byte ^ mask[i]);
    const signature = hmac(hmac(salted, "Server Key"), proven);
    this.expected = "v=" + signature.toString("base64");
    return Buffer.from(
      `${withoutProof},p=${Buffer.from(proof).toString("base64")}`,
    );
  }
}

function connect(url, scram) {
  const client = mqtt.connect(url, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    manualConnect: true,
    properties: {
      authenticationMethod: METHOD,
      authenticationData: scram.first(),
    },
  });
  client.handleAuth = (packet, done) => {
    assert.equal(packet.reasonCode, 0x18);
    assert.equal(packet.properties.authenticationMethod, METHOD);
    const challenge = packet.properties.authenticationData.toString();
    done(null, {
      cmd: "auth",
      reasonCode: 0x18,
      properties: {
        authenticationMethod: METHOD,
        authenticationData: scram.final(challenge),
      },
    });
  };
  client.connect();
  return client;
}

for (const url of URLS) {
  test(`${new URL(url).protocol} the right password`, async () => {
    const scram = new Scram("anna", "secret");
    const client = connect(url, scram);
    const [welcome] = await once(client, "connect");
    assert.equal(
      welcome.properties.authenticationData.toString(),
      scram.expected,
    );
    await client.subscribeAsync("scram");
    const message = once(client, "message");
    await client.publishAsync("scram", "hello", { qos: 1 });
    assert.equal((await message)[1].toString(), "hello");
    await client.endAsync();
  });

  test(`${new URL(url).protocol} a wrong one`, async () => {
    const client = connect(url, new Scram("anna", "wrong"));
    const [error] = await once(client, "error");
    assert.equal(error.code, 0x87);
    await client.endAsync(true);
  });
}
