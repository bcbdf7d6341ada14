// Fails when an import goes upwards or sideways: app > features > components > lib > protocol.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../src");
const layers = ["protocol", "lib", "components", "features", "app"];

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(full);
    else if (/\.tsx?$/.test(entry.name)) yield full;
  }
}

/** Where a file stands: its layer, and within features its feature. */
function place(file) {
  const [layer, feature] = path.relative(root, file).split(path.sep);
  return { rank: layers.indexOf(layer), layer, feature: layer === "features" ? feature : "" };
}

function target(file, specifier) {
  if (specifier.startsWith("@/")) return path.join(root, specifier.slice(2));
  if (specifier.startsWith(".")) return path.resolve(path.dirname(file), specifier);
  return null;
}

const faults = [];
let checked = 0;
for (const file of sources(root)) {
  const from = place(file);
  if (from.rank < 0) continue;
  for (const match of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    const resolved = target(file, match[1]);
    if (!resolved) continue;
    const to = place(resolved);
    checked += 1;
    const fault = `${path.relative(root, file)} imports ${match[1]}`;
    if (to.rank > from.rank) faults.push(`${fault}: ${from.layer} may not know ${to.layer}`);
    if (from.feature && to.feature && from.feature !== to.feature)
      faults.push(`${fault}: features are strangers`);
  }
}

for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`imports: ${checked} checked, ${faults.length} faults\n`);
process.exit(faults.length ? 1 : 0);
