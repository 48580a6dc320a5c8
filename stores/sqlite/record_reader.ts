import { sql } from "kysely";
import { messageOf } from "../../core/errors.ts";
import { errnoOf } from "../file_error.ts";
import { READ_BATCH_RECORDS } from "../read_limits.ts";
import type { OpenMode, SqliteBinding } from "./binding.ts";
import { readHeader } from "./header.ts";
import { faultOfLog } from "./log_check.ts";
import { connect, disconnect, lookAt } from "./connections.ts";
import type { RecordDatabase, SealTable } from "./record_table.ts";
import { blockIn, checkRows, nextLimit, rowsAfter, rowsFrom } from "./record_rows.ts";
import { SalvageCopy } from "./salvage_copy.ts";

const MODE: OpenMode = { readOnly: true, timeout: 2000 };
/** How many damaged places of a file are jumped over. */
const MOST_GAPS = 1000;
/** What is wrong with a file that is not sealed and has no log. */
const NOT_LOGGED = "its header contradicts its content";
/** The first batch is small, because records may be large. */
const FIRST_BATCH = 64;

/** How far a file was read. */
export interface ReadPosition {
  /** The last row that was yielded. */
  seq: number;
}

/** The errors that mean that the file's content is wrong, in words that both bindings use. */
function isDamage(cause: unknown): boolean {
  const said = `${errnoOf(cause) ?? ""} ${messageOf(cause)}`;
  return /SQLITE_CORRUPT|SQLITE_NOTADB|malformed|not a database|no such (table|column)|too large/
    .test(said);
}

/** Reads the rows of another writer's file after a position. */
export class RecordReader {
  readonly #binding: SqliteBinding;
  readonly #path: string;
  readonly #position: ReadPosition;
  readonly #onDamage: (what: string) => void;
  #isDamaged = false;

  constructor(
    binding: SqliteBinding,
    path: string,
    position: ReadPosition,
    onDamage: (what: string) => void,
  ) {
    this.#binding = binding;
    this.#path = path;
    this.#position = position;
    this.#onDamage = onDamage;
  }

  /** The records after the position, which moves with them. */
  async *batches(): AsyncGenerator<readonly Uint8Array[]> {
    const seen = await lookAt(this.#path, async () => {
      const header = await readHeader(this.#path);
      const isRead = header.refusal === undefined;
      return {
        header,
        fault: isRead && header.isLogged ? await faultOfLog(this.#path) : NOT_LOGGED,
      };
    });
    if (seen?.header.refusal !== undefined) {
      this.#onDamage(seen.header.refusal);
      return;
    }
    const faultIfOpen = seen?.fault;
    // SQLite would make the index of the log anew, which is what tells that a part is lost.
    const inPlace = faultIfOpen === undefined || faultIfOpen === NOT_LOGGED;
    const direct = inPlace ? await this.#tryOpen(this.#path) : undefined;
    if (direct !== undefined) {
      yield* this.#rows(direct, faultIfOpen);
    } else {
      const copied = await lookAt(
        this.#path,
        () => SalvageCopy.of(this.#path, seen?.header.length ?? 0),
      );
      if (copied === undefined) throw new Error("this process has just begun to read it");
      await using copy = copied;
      const database = await connect(this.#binding, copy.path, { ...MODE, readOnly: false });
      // Closing it copies the log back, which nobody needs on disk.
      await this.#damageAware(() => sql`pragma synchronous = off`.execute(database));
      yield* this.#rows(database, faultIfOpen);
    }
  }

  /** Said at once, since whoever reads may stop at any record; and once, which is enough. */
  #damaged(how: string): void {
    if (this.#isDamaged) return;
    this.#isDamaged = true;
    this.#onDamage(`is damaged: ${how}; what is readable of it was read`);
  }

  /** A connection, or undefined where SQLite does not read the file in its place. */
  async #tryOpen(path: string): Promise<RecordDatabase | undefined> {
    let database: RecordDatabase | undefined;
    try {
      database = await connect(this.#binding, path, MODE);
      await sql`select count(*) from sqlite_master`.execute(database);
      return database;
    } catch (cause) {
      if (database !== undefined) await disconnect(database);
      if (isDamage(cause)) this.#damaged(messageOf(cause));
      return undefined;
    }
  }

  async *#rows(
    database: RecordDatabase,
    faultIfOpen: string | undefined,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const isFirst = this.#position.seq === 0;
    try {
      // Before the rows: once there is a seal, no more of them come.
      const seal = await this.#seal(database);
      const isOpen = seal?.blocks === null;
      if (isOpen && faultIfOpen !== undefined) this.#damaged(faultIfOpen);
      yield* this.#allRows(database, seal?.identity);
      if (seal !== undefined && (seal.blocks ?? this.#position.seq) !== this.#position.seq) {
        this.#damaged("its last rows are missing");
      }
      if (isOpen && isFirst) await this.#checkPages(database);
    } finally {
      await disconnect(database);
    }
  }

  async #seal(database: RecordDatabase): Promise<SealTable | undefined> {
    const rows = await this.#damageAware(() => database.selectFrom("seal").selectAll().execute());
    const [seal] = rows ?? [];
    const known = typeof seal?.identity === "number" && rows!.length === 1 &&
      (seal.blocks === null || typeof seal.blocks === "number");
    if (known) return seal;
    this.#damaged("what it says of itself is missing");
    return undefined;
  }

  /** In a file without a seal only its pages can tell that rows are missing at its end. */
  async #checkPages(database: RecordDatabase): Promise<void> {
    const found = await this.#damageAware(() =>
      sql<{ quick_check: string }>`pragma quick_check(1)`.execute(database)
    );
    const [first] = found?.rows ?? [];
    if (first?.quick_check !== "ok") this.#damaged("its pages contradict each other");
  }

  async *#allRows(
    database: RecordDatabase,
    identity: number | undefined,
  ): AsyncGenerator<readonly Uint8Array[]> {
    let limit = FIRST_BATCH;
    for (let gaps = 0, isScanned = identity === undefined;;) {
      const before = this.#position.seq;
      const rows = await this.#damageAware(() => rowsAfter(database, before, limit));
      if (rows?.length === 0) return;
      if (rows !== undefined) {
        const { records, last, taken, isWhole } = checkRows(rows, identity, before);
        if (!isWhole) this.#damaged("rows are missing or altered");
        if (!isWhole && !isScanned) {
          isScanned = true;
          if (yield* this.#scan(database, identity)) return;
          continue;
        }
        this.#position.seq = last;
        if (records.length > 0) yield records;
        if (last === before) return;
        limit = nextLimit(taken, records, limit);
      } else if (limit > 1) {
        // Fewer rows at a time come closer to the damaged page.
        limit = Math.max(1, limit >> 2);
      } else if (++gaps > MOST_GAPS || !(await this.#jump(database))) {
        return;
      }
    }
  }

  /**
   * Goes through all rows in the order in which they lie. A page in another's place makes the
   * order by number one in which the rows between are passed over.
   * @returns whether it came to the end; otherwise the position stays where it was.
   */
  async *#scan(
    database: RecordDatabase,
    identity: number | undefined,
  ): AsyncGenerator<readonly Uint8Array[], boolean> {
    const known = new Set<number>();
    const from = this.#position.seq;
    let sound = from;
    for (let offset = 0, limit = FIRST_BATCH;;) {
      const rows = await this.#damageAware(() => rowsFrom(database, offset, limit));
      if (rows === undefined) return false;
      if (rows.length === 0) break;
      offset += rows.length;
      const records: Uint8Array[] = [];
      for (const { seq, data } of rows) {
        const found = seq > from && !known.has(seq) ? blockIn(data, identity, seq) : undefined;
        if (found === undefined) continue;
        known.add(seq);
        sound = Math.max(sound, seq);
        for (const record of found) records.push(record);
      }
      limit = nextLimit(rows.length, records, limit);
      // The limit is a guess, and a row may hold a thousand of the smallest records.
      while (records.length > 0) yield records.splice(0, READ_BATCH_RECORDS);
    }
    this.#position.seq = sound;
    return true;
  }

  async #damageAware<T>(query: () => Promise<T>): Promise<T | undefined> {
    try {
      return await query();
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      this.#damaged(messageOf(cause));
      return undefined;
    }
  }

  /** Moves the position to shortly before the next row that can be read. */
  async #jump(database: RecordDatabase): Promise<boolean> {
    const { seq } = this.#position;
    const readable = async (distance: number) =>
      ((await this.#damageAware(() => rowsAfter(database, seq + distance, 1)))?.length ?? 0) > 0;
    let distance = 1;
    while (!(await readable(distance))) {
      distance *= 2;
      if (!Number.isSafeInteger(seq + distance)) return false;
    }
    let lost = distance / 2;
    while (distance - lost > 1) {
      const middle = Math.floor((distance + lost) / 2);
      if (await readable(middle)) distance = middle;
      else lost = middle;
    }
    this.#position.seq = seq + distance;
    return true;
  }
}
