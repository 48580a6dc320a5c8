import { open, unlink } from "node:fs/promises";
import { sql } from "kysely";
import type { CheckpointDirectory } from "../directory.ts";
import { publishFile } from "../durable_file.ts";
import type { OwnFile } from "../file_store.ts";
import { blocksOf, newIdentity } from "../record_block.ts";
import type { OpenMode, SqliteBinding } from "./binding.ts";
import { connect, disconnect } from "./connections.ts";
import { createTables, type RecordDatabase } from "./record_table.ts";

const PARTS_TRIED = 1000;
/** Below SQLite's limit of variables in all builds, and short to compile. */
const ROWS_PER_INSERT = 500;
const MODE: OpenMode = { readOnly: false, timeout: 5000 };

/** The file that this process writes, and nobody else. */
export class WriterFile implements OwnFile {
  readonly path: string;
  readonly #database: RecordDatabase;
  readonly #identity: number;
  #blocks = 0;

  private constructor(path: string, database: RecordDatabase, identity: number) {
    this.path = path;
    this.#database = database;
    this.#identity = identity;
  }

  /**
   * Creates a writer's file under the first of its names that is free. It appears under that
   * name complete with its table, so a file that is empty or has none was never ours.
   */
  static async create(
    binding: SqliteBinding,
    directory: CheckpointDirectory,
    writer: string,
    part: number,
  ): Promise<WriterFile> {
    for (let tried = 0; tried < PARTS_TRIED; tried++) {
      const path = directory.writerFile(writer, part + tried);
      const temporary = directory.temporaryFile();
      const identity = newIdentity();
      await writeEmpty(binding, temporary, identity);
      if (await publishFile(temporary, path)) {
        return new WriterFile(path, await openForAppending(binding, path), identity);
      }
    }
    throw new Error(`all names of the writer ${writer} are taken`);
  }

  hasRoom(): boolean {
    return true;
  }

  async reserve(): Promise<void> {
    // SQLite takes back a transaction that does not fit on the disk.
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    const blocks = blocksOf(records, this.#identity, this.#blocks + 1);
    await this.#database.connection().execute(async (connection) => {
      try {
        await sql`begin immediate`.execute(connection);
        for (let start = 0; start < blocks.length; start += ROWS_PER_INSERT) {
          const rows = blocks.slice(start, start + ROWS_PER_INSERT).map((data) => ({ data }));
          await connection.insertInto("record").values(rows).execute();
        }
        await sql`commit`.execute(connection);
      } catch (cause) {
        // SQLite may have rolled back by itself, and says so; the first error is the reason.
        await sql`rollback`.execute(connection).catch(() => {});
        throw cause;
      }
    });
    this.#blocks += blocks.length;
  }

  async close(): Promise<void> {
    const sealed = await this.#seal();
    // Without its log a file is complete in itself: it can be copied, and read where nothing
    // can be written. While somebody reads it, the log stays, and that is as good.
    if (sealed) await sql`pragma journal_mode = delete`.execute(this.#database).catch(() => {});
    await disconnect(this.#database);
  }

  /** Says how many blocks there are. A file on a full disk stays as a kill would leave it. */
  async #seal(): Promise<boolean> {
    const blocks = sql<number>`(select coalesce(max(seq), 0) from record)`;
    const seal = this.#database.updateTable("seal").set({ blocks });
    return await seal.execute().then(() => true, () => false);
  }
}

async function openForAppending(binding: SqliteBinding, path: string): Promise<RecordDatabase> {
  const database = await connect(binding, path, MODE);
  try {
    // A log lets others read while this process commits, with one sync per commit.
    await sql`pragma journal_mode = wal`.execute(database);
    await sql`pragma synchronous = full`.execute(database);
    return database;
  } catch (cause) {
    await disconnect(database);
    throw cause;
  }
}

async function writeEmpty(
  binding: SqliteBinding,
  path: string,
  identity: number,
): Promise<void> {
  await (await open(path, "wx")).close();
  try {
    const database = await connect(binding, path, MODE);
    try {
      await sql`pragma synchronous = full`.execute(database);
      await createTables(database, identity);
    } finally {
      await disconnect(database);
    }
  } catch (cause) {
    await unlink(path).catch(() => {});
    throw cause;
  }
}
