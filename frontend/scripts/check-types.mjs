// Fails when schema.ts is not what schema.json generates: then somebody forgot `npm run types`.
import { readFileSync } from "node:fs";
import path from "node:path";
import openapiTS, { astToString } from "openapi-typescript";

const folder = path.resolve(import.meta.dirname, "../src/lib/api");
const description = JSON.parse(readFileSync(path.join(folder, "schema.json"), "utf8"));
const body = (text) => text.slice(text.indexOf("export interface paths")).trim();
const wanted = body(astToString(await openapiTS(description)));
const present = body(readFileSync(path.join(folder, "schema.ts"), "utf8"));
if (wanted !== present) {
  process.stderr.write("src/lib/api/schema.ts is out of date: run `npm run types`\n");
  process.exit(1);
}
process.stdout.write("types: schema.ts is what schema.json says\n");
