import { statSync } from "node:fs";
import { Kysely, sql, SqliteDialect } from "kysely";
import type { OpenMode, SqliteBinding } from "./binding.ts";
import type { RecordDatabase, Tables } from "./record_table.ts";

/** What this process does with one file. */
interface FileUse {
  connections: number;
  /** Two copies of SQLite in one process know nothing of each other's locks. */
  binding: SqliteBinding | undefined;
  readonly looks: Set<Promise<unknown>>;
}

/**
 * What this process does with SQLite's files. Locks belong to a process, and closing any
 * descriptor of a file drops all of them, also those that SQLite holds there
 * (sqlite.org/howtocorrupt.html, "POSIX advisory locks canceled"): another process then takes
 * the file for unused and cuts the index of its log, which is mapped into this one's memory.
 * So a file is read by ordinary means only while no connection to it is open here.
 */
const uses = new Map<string, FileUse>();
const releases = new WeakMap<RecordDatabase, () => void>();

function useOf(path: string): { readonly key: string; readonly use: FileUse } {
  // Not by its path, of which a file may have several.
  const { dev, ino } = statSync(path, { bigint: true });
  const key = `${dev}:${ino}`;
  let use = uses.get(key);
  if (use === undefined) {
    use = { connections: 0, binding: undefined, looks: new Set() };
    uses.set(key, use);
  }
  return { key, use };
}

function forgetUnused(key: string, { connections, looks }: FileUse): void {
  if (connections === 0 && looks.size === 0) uses.delete(key);
}

/**
 * Opens a file once nobody in this process looks at it. SQLite reads it with the first query
 * only.
 */
export async function connect(
  binding: SqliteBinding,
  path: string,
  mode: OpenMode,
): Promise<RecordDatabase> {
  let { key, use } = useOf(path);
  while (use.looks.size > 0) {
    await Promise.allSettled(use.looks);
    ({ key, use } = useOf(path));
  }
  use.connections++;
  use.binding ??= binding;
  const release = () => {
    if (--use.connections === 0) use.binding = undefined;
    forgetUnused(key, use);
  };
  try {
    const database = use.binding.open(path, mode);
    const connection = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
    releases.set(connection, release);
    return connection;
  } catch (cause) {
    release();
    throw cause;
  }
}

/** Closes a connection, of which Kysely knows only after a first query. */
export async function disconnect(database: RecordDatabase): Promise<void> {
  await sql`select 1`.execute(database).catch(() => {});
  try {
    await database.destroy();
  } finally {
    releases.get(database)?.();
    releases.delete(database);
  }
}

/**
 * Looks at a file, its log and its index by ordinary reads.
 * @returns undefined, without having looked, while a connection to it is open in this process.
 */
export async function lookAt<T>(path: string, look: () => Promise<T>): Promise<T | undefined> {
  const { key, use } = useOf(path);
  if (use.connections > 0) return undefined;
  const looking = look();
  use.looks.add(looking);
  try {
    return await looking;
  } finally {
    use.looks.delete(looking);
    forgetUnused(key, use);
  }
}
