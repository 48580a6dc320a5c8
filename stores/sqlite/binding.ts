import type { SqliteDatabase } from "kysely";
import { driverMissing } from "../driver_missing.ts";
import { loadBetterSqlite3 } from "./better_sqlite3.ts";
import type { SqliteDriverName } from "./driver_name.ts";
import { loadNodeSqlite } from "./node_sqlite.ts";

/** How a database file is opened. */
export interface OpenMode {
  readonly readOnly: boolean;
  /** How long to wait for another process's lock, in milliseconds. */
  readonly timeout: number;
}

/** A way to reach SQLite: opens a file as the database that Kysely's dialect expects. */
export interface SqliteBinding {
  readonly name: SqliteDriverName;
  open(path: string, mode: OpenMode): SqliteDatabase;
}

const LOADERS: Readonly<Record<SqliteDriverName, () => Promise<SqliteBinding>>> = {
  "better-sqlite3": loadBetterSqlite3,
  "node:sqlite": loadNodeSqlite,
};

/**
 * Loads the named binding; without a name better-sqlite3, or the runtime's own where that
 * one cannot be loaded.
 * @throws {TidemarkError} `DRIVER_MISSING`.
 */
export async function loadBinding(
  name?: SqliteDriverName,
  loaders: Readonly<Record<SqliteDriverName, () => Promise<SqliteBinding>>> = LOADERS,
): Promise<SqliteBinding> {
  try {
    return await loaders[name ?? "better-sqlite3"]();
  } catch (cause) {
    if (name === undefined) return await loaders["node:sqlite"]().catch(() => missing(cause));
    return missing(cause, name);
  }
}

function missing(cause: unknown, name: SqliteDriverName = "better-sqlite3"): never {
  throw driverMissing("sqlite", name, cause);
}
