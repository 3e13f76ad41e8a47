// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vite";

// `TROUPE_TEST_ADMIN=http://127.0.0.1:9090 npm run dev` shows a running node.
const node = process.env.TROUPE_TEST_ADMIN ?? "http://127.0.0.1:9090";
const routes = [
  "actors", "interest", "links", "metrics", "nodes", "readyz", "rights",
  "sessions", "shards", "topics", "workers",
];

export default defineConfig({
  base: "./",
  // What is done to JSX; there is no plugin.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env.TROUPE_TEST_DIST ?? "../dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // No hashes in names: the node answers with an ETag instead.
        entryFileNames: "ui/dashboard.js",
        chunkFileNames: "ui/[name].js",
        assetFileNames: "ui/dashboard[extname]",
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      routes.map((route) => [`^/${route}(/|\\?|$)`, node]),
    ),
  },
});
