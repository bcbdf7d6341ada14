// How the single page is built and, in development, served beside a running platform.
import path from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const platform = process.env.OPENAGENT_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": path.resolve(import.meta.dirname, "src") } },
  build: {
    target: "es2023",
    sourcemap: false,
    // Inlined assets would be data: URLs, which the content security policy allows for images and fonts only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/_allauth", "/ws", "/admin", "/static/admin", "/healthz", "/readyz"].map((prefix) => [
        prefix,
        // The Origin check of the platform compares with its own address, so the proxy presents that one.
        { target: platform, ws: prefix === "/ws", changeOrigin: true, headers: { origin: platform } },
      ]),
    ),
  },
});
