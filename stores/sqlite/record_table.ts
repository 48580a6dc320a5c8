import { type Generated, Kysely, sql, SqliteDialect } from "kysely";
import type { OpenMode, SqliteBinding } from "./binding.ts";

/** "Tide" in ASCII, in SQLite's header: tells our files from other programs' databases. */
export const APPLICATION_ID = 0x54696465;
/** The format that this version writes and reads, in SQLite's header too. */
export const FILE_FORMAT = 1;

/** The one table of a writer's file. */
export interface RecordTable {
  /** A row's place among the writer's records, from 1. */
  readonly seq: Generated<number>;
  readonly data: Uint8Array;
}

/** The tables of a writer's file. */
export interface Tables {
  readonly record: RecordTable;
}

/** A connection to a writer's file. */
export type RecordDatabase = Kysely<Tables>;

/** Opens a file. SQLite looks into it with the first query only. */
export function connect(binding: SqliteBinding, path: string, mode: OpenMode): RecordDatabase {
  const database = binding.open(path, mode);
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
}

/** Closes a connection, of which Kysely knows only after a first query. */
export async function disconnect(database: RecordDatabase): Promise<void> {
  await sql`select 1`.execute(database).catch(() => {});
  await database.destroy();
}

/** Sets up a new file. */
export async function createTables(database: RecordDatabase): Promise<void> {
  await sql`pragma application_id = ${sql.lit(APPLICATION_ID)}`.execute(database);
  await sql`pragma user_version = ${sql.lit(FILE_FORMAT)}`.execute(database);
  await database.schema
    .createTable("record")
    .addColumn("seq", "integer", (column) => column.primaryKey())
    .addColumn("data", "blob", (column) => column.notNull())
    .execute();
}
