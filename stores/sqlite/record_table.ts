import { type Generated, type Kysely, sql } from "kysely";

/** "Tide" in ASCII, in SQLite's header: tells our files from other programs' databases. */
export const APPLICATION_ID = 0x54696465;
/** The format that this version writes and reads, in SQLite's header too. */
export const FILE_FORMAT = 1;

/** The table of a writer's records, in blocks. */
export interface RecordTable {
  /** A block's number, from 1. */
  readonly seq: Generated<number>;
  /** The block. */
  readonly data: Uint8Array;
}

/** The one row that says what a writer's file holds. */
export interface SealTable {
  /** What its blocks' tags are made from. */
  readonly identity: number;
  /** How many blocks it holds; null while it is written, or when its writer was killed. */
  readonly blocks: number | null;
}

/** The tables of a writer's file. */
export interface Tables {
  readonly record: RecordTable;
  readonly seal: SealTable;
}

/** A connection to a writer's file. */
export type RecordDatabase = Kysely<Tables>;

/** Sets up a new file, whose records will be in a log first. */
export async function createTables(database: RecordDatabase, identity: number): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await sql`pragma application_id = ${sql.lit(APPLICATION_ID)}`.execute(transaction);
    await sql`pragma user_version = ${sql.lit(FILE_FORMAT)}`.execute(transaction);
    await transaction.schema
      .createTable("record")
      .addColumn("seq", "integer", (column) => column.primaryKey())
      .addColumn("data", "blob", (column) => column.notNull())
      .execute();
    await transaction.schema
      .createTable("seal")
      .addColumn("identity", "integer", (column) => column.notNull())
      .addColumn("blocks", "integer")
      .execute();
    await transaction.insertInto("seal").values({ identity, blocks: null }).execute();
  });
  await sql`pragma journal_mode = wal`.execute(database);
}
