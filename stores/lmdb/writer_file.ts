import { Buffer } from "node:buffer";
import { type FileHandle, open, truncate, unlink, writeFile } from "node:fs/promises";
import type { CheckpointDirectory } from "../directory.ts";
import { publishFile } from "../durable_file.ts";
import type { OwnFile } from "../file_store.ts";
import type { LmdbDatabase, LmdbDriver } from "./driver.ts";
import { blocksOf, newIdentity } from "../record_block.ts";
import { lockOf } from "./lock_file.ts";
import { encodeMarker, FIRST_KEY, LAST_KEY, MARKER_KEY } from "./marker.ts";
import { writeSeal } from "./seal.ts";
import { SpareRoom } from "./spare_room.ts";

const PARTS_TRIED = 1000;
const APPEND = { append: true } as const;
/** More than LMDB's lock file takes up. */
const LOCK_LENGTH = 1 << 14;
/** Far more than LMDB writes into a new file, since others may be after the same space. */
const SPACE_FOR_NEW_FILE = 1 << 20;

/** The file, its meta pages, its lock, and one to spare. */
const HANDLES_NEEDED = 4;

/** Fails where LMDB would, which crashes the process when it can open only some of its files. */
async function tryHandles(path: string): Promise<void> {
  const handles: FileHandle[] = [];
  try {
    while (handles.length < HANDLES_NEEDED) handles.push(await open(path, "r+"));
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/**
 * Opens a file through LMDB. Its lock is written out in full before, because LMDB maps it
 * into memory, where a full disk is not an error but the end of the process.
 */
async function openDatabase(driver: LmdbDriver, path: string): Promise<LmdbDatabase> {
  await writeFile(lockOf(path), Buffer.alloc(LOCK_LENGTH));
  await tryHandles(path);
  return driver.open({
    path,
    encoding: "binary",
    keyEncoding: "uint32",
    // A transaction is then reported when it is on disk, not when it is visible.
    overlappingSync: false,
    // A transaction that fails is otherwise also reported to a promise that nobody can reach.
    eventTurnBatching: false,
    cache: false,
    maxDbs: 1,
  });
}

async function removeLock(path: string): Promise<void> {
  // Nobody else ever opens this file through LMDB, so nobody holds its lock.
  await unlink(lockOf(path)).catch(() => {});
}

/** Commits entries as one transaction, in the driver's thread. */
async function commit(
  database: LmdbDatabase,
  firstKey: number,
  values: readonly Uint8Array[],
): Promise<void> {
  try {
    const puts: Promise<boolean>[] = [];
    const batch = database.batch(() => {
      values.forEach((value, index) => puts.push(database.put(firstKey + index, value, APPEND)));
    });
    // Of a transaction that fails, each of these promises is rejected.
    const done = await Promise.all([batch, ...puts]);
    if (!done.every(Boolean)) throw new Error("the transaction was refused");
  } catch (thrown) {
    throw await commitError(thrown);
  }
}

/** The reason that lmdb-js hides behind "Commit failed". */
async function commitError(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !("commitError" in thrown)) return thrown;
  const known = Promise.resolve(thrown.commitError).then(() => thrown, (cause: unknown) => cause);
  const unknown = new Promise<unknown>((done) => setTimeout(done, 100, thrown));
  return await Promise.race([known, unknown]);
}

/**
 * The file that this process writes. lmdb-js crashes the process on a file that is not as it
 * left it, so it is only ever given one that this object has created.
 */
export class WriterFile implements OwnFile {
  readonly path: string;
  readonly #database: LmdbDatabase;
  readonly #room: SpareRoom;
  readonly #identity: number;
  #nextKey = FIRST_KEY;
  #failed = false;

  private constructor(path: string, database: LmdbDatabase, room: SpareRoom, identity: number) {
    this.path = path;
    this.#database = database;
    this.#room = room;
    this.#identity = identity;
  }

  /**
   * Creates a writer's file under the first of its names that is free. It appears under that
   * name complete with its marker, so a file that is empty or has none was never ours.
   * @param part The first of the writer's parts to try.
   */
  static async create(
    driver: LmdbDriver,
    directory: CheckpointDirectory,
    writer: string,
    part: number,
  ): Promise<WriterFile> {
    for (let tried = 0; tried < PARTS_TRIED; tried++) {
      const path = directory.writerFile(writer, part + tried);
      const temporary = directory.temporaryFile();
      const identity = newIdentity();
      await writeMarked(driver, temporary, identity);
      if (await publishFile(temporary, path)) {
        return await WriterFile.#open(driver, path, identity);
      }
    }
    throw new Error(`all names of the writer ${writer} are taken`);
  }

  static async #open(driver: LmdbDriver, path: string, identity: number): Promise<WriterFile> {
    const room = await SpareRoom.open(path);
    try {
      return new WriterFile(path, await openDatabase(driver, path), room, identity);
    } catch (cause) {
      await room.close();
      await removeLock(path);
      await unlink(path).catch(() => {});
      throw cause;
    }
  }

  hasRoom(count: number): boolean {
    return this.#nextKey + count - 1 <= LAST_KEY;
  }

  async reserve(records: readonly Uint8Array[]): Promise<void> {
    await this.#room.ensure(records);
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    try {
      // The driver reads the bytes in a thread of its own and marks their buffers, so it gets
      // copies that nobody else has.
      const blocks = blocksOf(records, this.#identity, this.#nextKey);
      await commit(this.#database, this.#nextKey, blocks);
      this.#nextKey += blocks.length;
    } catch (cause) {
      this.#failed = true;
      throw cause;
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    // What a commit that failed has left is not known, so nothing can be said of the end.
    const blocks = this.#failed ? undefined : this.#nextKey - FIRST_KEY;
    await this.#room.close();
    // Without it the file is as good as that of a writer that was killed.
    await writeSeal(this.path, this.#room.pageSize, { identity: this.#identity, blocks })
      .catch(() => {});
    await removeLock(this.path);
  }
}

async function writeMarked(driver: LmdbDriver, path: string, identity: number): Promise<void> {
  const marker = [encodeMarker()];
  await (await open(path, "wx")).close();
  try {
    // When LMDB cannot set up a file, lmdb-js crashes; so there must be space for that.
    await writeFile(path, Buffer.alloc(SPACE_FOR_NEW_FILE));
    await truncate(path, 0);
    const database = await openDatabase(driver, path);
    let room: SpareRoom | undefined;
    try {
      room = await SpareRoom.open(path);
      await room.ensure(marker);
      await commit(database, MARKER_KEY, marker);
    } finally {
      await database.close();
      await room?.close();
    }
    await writeSeal(path, room.pageSize, { identity, blocks: undefined });
  } catch (cause) {
    await unlink(path).catch(() => {});
    throw cause;
  } finally {
    await removeLock(path);
  }
}
