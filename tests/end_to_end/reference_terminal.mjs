// What a terminal shows after some bytes and sizes, by @xterm/headless: the reference for what the page shows.
// Reads {"modules": folder, "steps": [{"bytes": base64} | {"rows", "cols"} | {"reset": true}]}, writes the screen.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { modules, steps } = JSON.parse(readFileSync(0, "utf8"));
const load = createRequire(path.join(modules, "index.js"));
const { Terminal } = load("@xterm/headless");
// With Node's Buffer the addon reads its own table from the wrong place: a small Buffer is a view of a shared one.
const { Buffer } = globalThis;
delete globalThis.Buffer;
const { UnicodeGraphemesAddon } = load("@xterm/addon-unicode-graphemes");
globalThis.Buffer = Buffer;

const terminal = new Terminal({ allowProposedApi: true, scrollback: 10_000 });
terminal.loadAddon(new UnicodeGraphemesAddon());
const written = (bytes) => new Promise((resolve) => terminal.write(bytes, resolve));
for (const step of steps) {
  if (step.bytes !== undefined) await written(Buffer.from(step.bytes, "base64"));
  else if (step.reset) terminal.reset();
  else terminal.resize(step.cols, step.rows);
}

// The same function runs in the page: see reference.py.
const screenOf = new Function(`return (${process.argv[2]})`)();
process.stdout.write(JSON.stringify(screenOf(terminal)));
