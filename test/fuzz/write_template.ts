/**
 * Writes one checkpoint through the real store, copies its files now and then, and ends as it
 * is told: by closing, or by waiting to be killed.
 */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { openStore } from "../../mod.ts";
import { appendsOf, encoded, type Shape } from "./shapes.ts";

const [config, path, shape, label, end] = process.argv.slice(2) as [
  string,
  string,
  Shape,
  string,
  string,
];
const directory = join(path, ".tidemark");
const store = await openStore(config);
const appends = appendsOf(shape, label);
const copies = new Set([0, Math.floor(appends.length / 2), appends.length - 2]);
for (const [index, records] of appends.entries()) {
  await store.append(encoded(records));
  if (!copies.has(index) || index === appends.length - 1) continue;
  const older = join(path, `older-${index}`);
  mkdirSync(older);
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(older, name));
}
if (end === "close") {
  await store.close();
} else {
  process.stdout.write("ready\n");
  setInterval(() => {}, 1000);
}
