// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** A way to a node that can be cut and mended. */
export class Line {
  #server;
  #port = 0;
  #sockets = new Set();

  constructor(to) {
    this.to = to;
  }

  static async open(to) {
    const self = new Line(to);
    await self.mend();
    return self;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  async mend() {
    this.#server = createServer((near) => {
      const far = connect(Number(this.to.port), this.to.hostname);
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = this.#server.address().port;
  }

  /** Everything under way breaks, and nobody gets through any more. */
  cut() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
