/**
 * Opens the store that a configuration names. No driver is loaded before a store of its
 * kind is opened.
 * @module
 */

import { printable } from "../core/errors.ts";
import type { StoreWarning } from "../core/host.ts";
import type { CheckpointStore } from "../core/store.ts";
import { parseStoreConfig, type StoreConfig } from "./store_config.ts";

export {
  type LmdbStoreConfig,
  type MemoryStoreConfig,
  type NamedStoreConfig,
  parseStoreConfig,
  type SqliteStoreConfig,
  STORE_NAMES,
  type StoreConfig,
  type StoreName,
} from "./store_config.ts";
export { SQLITE_DRIVERS, type SqliteDriverName } from "./sqlite/driver_name.ts";

/**
 * Opens a checkpoint store and creates its directory where that is missing. No file is
 * written before the first append or manifest.
 * @param onWarning Told of each file that cannot be read, once per file and cause.
 * @throws {TidemarkError} `STORE_UNKNOWN` for a name that is no store's; `OPTION_INVALID`
 * for a configuration that is wrong otherwise; `DRIVER_MISSING` when the package it needs is
 * not installed; `CHECKPOINT_OPEN` when there can be no such directory;
 * `CHECKPOINT_MISMATCH` when another kind of store wrote the checkpoint.
 */
export async function openStore(
  config: StoreConfig,
  onWarning: (warning: StoreWarning) => void = () => {},
): Promise<CheckpointStore> {
  const parsed = parseStoreConfig(config);
  if (!("store" in parsed)) return parsed;
  switch (parsed.store) {
    case "memory": {
      const { memoryCheckpoint, MemoryStore } = await import("./memory.ts");
      const name = parsed.path ?? "";
      return new MemoryStore(memoryCheckpoint(name), `memory:${printable(name)}`);
    }
    case "lmdb": {
      const { openLmdbStore } = await import("./lmdb/lmdb_store.ts");
      return await openLmdbStore({ path: parsed.path, onWarning });
    }
    case "sqlite": {
      const { openSqliteStore } = await import("./sqlite/sqlite_store.ts");
      const { path, driver } = parsed;
      return await openSqliteStore({ path, onWarning, ...(driver && { driver }) });
    }
  }
}
