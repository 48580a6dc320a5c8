/**
 * Writes checkpoints through the real store, copies their files now and then, and either
 * closes them or leaves them open until the process is killed.
 */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type CheckpointStore, openStore } from "../../mod.ts";
import { appendsOf, encoded, type Shape } from "./shapes.ts";
import type { FuzzedStore } from "./templates.ts";

/** One checkpoint to write. */
export interface TemplateJob {
  readonly store: FuzzedStore;
  readonly path: string;
  readonly shape: Shape;
  readonly label: string;
  readonly closed: boolean;
}

/** A store that nobody holds any more is closed by its driver. */
const open: CheckpointStore[] = [];

async function write({ store: name, path, shape, label, closed }: TemplateJob): Promise<void> {
  const directory = join(path, ".tidemark");
  const store = await openStore(`${name}:${path}`);
  const appends = appendsOf(shape, label);
  const copies = [0, Math.floor(appends.length / 2), appends.length - 2];
  for (const [index, records] of appends.entries()) {
    await store.append(encoded(records));
    if (!copies.includes(index) || index === appends.length - 1) continue;
    const older = join(path, `older-${index}`);
    mkdirSync(older);
    for (const file of readdirSync(directory)) {
      copyFileSync(join(directory, file), join(older, file));
    }
  }
  if (closed) await store.close();
  else open.push(store);
}

for (const job of JSON.parse(process.argv[2]!) as TemplateJob[]) await write(job);
process.stdout.write("ready\n");
setInterval(() => open.length, 1000);
