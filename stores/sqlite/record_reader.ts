import { sql } from "kysely";
import { messageOf } from "../../core/errors.ts";
import { errnoOf } from "../file_error.ts";
import { recordsOf } from "../record_block.ts";
import { READ_BATCH_BYTES, READ_BATCH_RECORDS } from "../read_limits.ts";
import type { OpenMode, SqliteBinding } from "./binding.ts";
import { readHeader } from "./header.ts";
import { faultOfLog } from "./log_check.ts";
import { connect, disconnect, lookAt } from "./connections.ts";
import type { RecordDatabase, SealTable } from "./record_table.ts";
import { SalvageCopy } from "./salvage_copy.ts";

const MODE: OpenMode = { readOnly: true, timeout: 2000 };
/** How many damaged places of a file are jumped over. */
const MOST_GAPS = 1000;
/** More missing rows than this are rather a wrong number. */
const PLAUSIBLE_GAP = 1 << 20;
/** What is wrong with a file that is not sealed and has no log. */
const NOT_LOGGED = "its header contradicts its content";
/** The first batch is small, because records may be large. */
const FIRST_BATCH = 64;

/** How far a file was read. */
export interface ReadPosition {
  /** The last row that was yielded. */
  seq: number;
}

interface Row {
  readonly seq: number;
  /** A blob, unless the file is damaged. */
  readonly data: unknown;
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
    for (let gaps = 0;;) {
      const before = this.#position.seq;
      const rows = await this.#damageAware(() => after(database, before, limit));
      if (rows?.length === 0) return;
      if (rows !== undefined) {
        const records = this.#checked(rows, identity);
        if (records.length > 0) yield records;
        if (this.#position.seq === before) return;
        limit = nextLimit(this.#position.seq - before, records, limit);
      } else if (limit > 1) {
        // Fewer rows at a time come closer to the damaged page.
        limit = Math.max(1, limit >> 2);
      } else if (++gaps > MOST_GAPS || !(await this.#jump(database))) {
        return;
      }
    }
  }

  /** The rows' records. In a whole file the rows are numbered without gaps. */
  #checked(rows: readonly Row[], identity: number | undefined): Uint8Array[] {
    const before = this.#position.seq;
    const records: Uint8Array[] = [];
    let sound = before;
    let taken = 0;
    // Rows hold few records or many; what is left of them comes with the next query.
    for (; taken < rows.length && records.length < READ_BATCH_RECORDS; taken++) {
      const { seq, data } = rows[taken]!;
      const found = data instanceof Uint8Array ? recordsOf(data, identity, seq) : undefined;
      if (found === undefined || seq !== before + 1 + taken) {
        this.#damaged("rows are missing or altered");
      }
      if (found === undefined) continue;
      for (const record of found) records.push(record);
      sound = Math.max(sound, seq);
    }
    this.#position.seq = identity !== undefined && sound > before
      ? sound
      : positionAfter(rows.slice(0, taken), before);
    return records;
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
      ((await this.#damageAware(() => after(database, seq + distance, 1)))?.length ?? 0) > 0;
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

async function after(
  database: RecordDatabase,
  seq: number,
  limit: number,
): Promise<readonly Row[]> {
  return await database
    .selectFrom("record")
    .select(["seq", "data"])
    .where("seq", ">", seq)
    .orderBy("seq")
    .limit(limit)
    .execute();
}

/**
 * The position after rows whose numbers may be altered, which must not make all that is
 * added later look old; it is the same when they cannot be passed.
 */
function positionAfter(rows: readonly Row[], before: number): number {
  const last = rows.at(-1)!.seq;
  const ascend = rows.every((row, index) => row.seq > (rows[index - 1]?.seq ?? before));
  if (ascend) return last - before - rows.length < PLAUSIBLE_GAP ? last : before;
  return before + rows.length;
}

/** As many rows as are likely to stay within the limits of a batch. */
function nextLimit(rows: number, records: readonly Uint8Array[], limit: number): number {
  const bytes = records.reduce((sum, record) => sum + record.length, 0);
  const fitting = rows *
    Math.min(READ_BATCH_BYTES / (bytes + 1), READ_BATCH_RECORDS / (records.length + 1));
  return Math.max(1, Math.min(Math.floor(fitting), limit * 4));
}
