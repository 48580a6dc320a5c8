import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import { type NamedStoreConfig, openStore } from "../../stores/open_store.ts";
import { readNumbers } from "../conformance/records.ts";

/** One file-based store in the tests' tables. */
export interface TestedStore {
  readonly name: string;
  readonly extension: string;
  readonly config: (path: string) => NamedStoreConfig;
}

/** Every file-based store, by each of its drivers. */
export const FILE_STORES: readonly TestedStore[] = [
  { name: "lmdb", extension: ".mdb", config: (path) => ({ store: "lmdb", path }) },
  {
    name: "sqlite (better-sqlite3)",
    extension: ".sqlite",
    config: (path) => ({ store: "sqlite", path, driver: "better-sqlite3" }),
  },
  {
    name: "sqlite (node:sqlite)",
    extension: ".sqlite",
    config: (path) => ({ store: "sqlite", path, driver: "node:sqlite" }),
  },
];

/** Appends the batches through a store that is closed afterwards. */
export async function writeCheckpoint(
  config: NamedStoreConfig,
  batches: readonly (readonly Uint8Array[])[],
): Promise<void> {
  const store: CheckpointStore = await openStore(config);
  for (const batch of batches) await store.append(batch);
  await store.close();
}

/** The paths of a checkpoint's files with an extension. */
export function filesOf(path: string, extension: string): string[] {
  const directory = join(path, ".tidemark");
  return readdirSync(directory)
    .filter((name) => name.endsWith(extension))
    .map((name) => join(directory, name));
}

/** What a new store reads of a checkpoint, and what it warns about. */
export async function readCheckpoint(
  config: NamedStoreConfig,
): Promise<{ numbers: number[]; warnings: StoreWarning[] }> {
  const warnings: StoreWarning[] = [];
  const store = await openStore(config, (warning) => void warnings.push(warning));
  try {
    return { numbers: await readNumbers(store), warnings };
  } finally {
    await store.close();
  }
}
