// The page's fold, for the replay test: reads {"events": [...]} line by line, answers each with its conversation.
// Vite bundles it into memory as the build does; argument 1 is the folder of the frontend.
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

const [, , frontend] = process.argv;
const { build } = await import(createRequire(path.join(frontend, "package.json")).resolve("vite"));
const entry = path.join(frontend, "src/protocol/fold.ts");
const lib = { entry, formats: ["es"] };
const options = { root: frontend, configFile: false, logLevel: "error", build: { write: false, lib } };
const [{ output }] = await build(options);
const code = Buffer.from(output[0].code).toString("base64");
const { foldAll } = await import(`data:text/javascript;base64,${code}`);

function answered(line) {
  try {
    return { conversation: foldAll(JSON.parse(line).events) };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answered(line))}\n`);
}
