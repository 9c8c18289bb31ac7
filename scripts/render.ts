// Writes manifests/ from code: `node_modules/.bin/bun scripts/render.ts`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderManifests } from "../lib/manifest/render.ts";

for (const [path, text] of Object.entries(renderManifests())) {
  const file = join(import.meta.dir, "../manifests", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
