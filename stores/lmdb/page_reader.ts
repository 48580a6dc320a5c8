import { READ_BATCH_BYTES, READ_BATCH_RECORDS } from "../read_limits.ts";
import { decodeMarker, FILE_FORMAT, FIRST_KEY, MARKER_KEY } from "./marker.ts";
import { lastCommitted } from "./lock_file.ts";
import type { NewestMeta, PageFile } from "./page_file.ts";
import type { Meta } from "./page_format.ts";
import { RecordSink } from "./record_sink.ts";
import { TreeCursor } from "./tree_cursor.ts";

/** How often damage must be found again before it is believed. */
const DAMAGE_ATTEMPTS = 3;
/** How often a writer may be quicker before pages are read one by one. */
const MOVES_TO_HURRY = 4;

/** How far a file was read. */
export interface ReadPosition {
  /** The snapshot that was read to its end. */
  transaction: bigint;
  /** The last key that was yielded. */
  key: number;
}

/** The position before everything. */
export function startOfFile(): ReadPosition {
  return { transaction: -1n, key: FIRST_KEY - 1 };
}

/**
 * Reads the records of a file that another process may be writing, without its lock and
 * without LMDB. A snapshot's pages stay as they are until the second transaction after it
 * has been committed, because a transaction reuses only pages that were free two
 * transactions ago. So what was read is accepted only if the newest transaction is then at
 * most one further than the snapshot; otherwise it is read again from a newer one.
 */
export class PageReader {
  readonly #file: PageFile;
  readonly #position: ReadPosition;
  readonly #onDamage: (what: string) => void;
  #batchSize = READ_BATCH_RECORDS;
  #reported = false;

  /** @param onDamage Told what is wrong with the file and what becomes of it. */
  constructor(file: PageFile, position: ReadPosition, onDamage: (what: string) => void) {
    this.#file = file;
    this.#position = position;
    this.#onDamage = onDamage;
  }

  /** The records after the position, which moves with them. */
  async *batches(): AsyncGenerator<readonly Uint8Array[]> {
    for (let damages = 0, moves = 0;;) {
      let meta = await this.#file.newestMeta();
      let committed = -1n;
      if (typeof meta === "object" && meta.seal?.blocks === undefined) {
        // Asked first, so that a living writer cannot be ahead of what is read next.
        committed = await lastCommitted(this.#file.path);
        meta = await this.#file.newestMeta();
      }
      await this.#file.refresh();
      if (typeof meta !== "object") {
        if (meta === "damaged" && ++damages < DAMAGE_ATTEMPTS) continue;
        this.#onDamage(this.#refusal(meta));
        return;
      }
      if (meta.transaction === this.#position.transaction) return;
      // A file that went back in time was replaced, say from a backup.
      if (meta.transaction < this.#position.transaction) {
        Object.assign(this.#position, startOfFile());
      }
      const doubt = meta.transaction < committed ? "its last commits are missing" : meta.doubt;
      const outcome = yield* this.#snapshot(meta, doubt, damages + 1 >= DAMAGE_ATTEMPTS);
      if (outcome === "end") return;
      if (outcome === "damaged") damages++;
      else if (++moves >= MOVES_TO_HURRY) this.#file.swift = true;
    }
  }

  #refusal(refusal: string): string {
    if (this.#file.size === 0) return "is empty";
    if (refusal === "newer") return "is of a newer LMDB format: update to read it";
    if (refusal === "foreign") return "is not an LMDB file of this kind of machine";
    return "is damaged: it has no readable LMDB header";
  }

  async *#snapshot(
    meta: NewestMeta,
    doubt: string | undefined,
    believeDamage: boolean,
  ): AsyncGenerator<readonly Uint8Array[], "end" | "moved" | "damaged"> {
    const cursor = new TreeCursor(this.#file, meta);
    const refusal = await this.#checkMarker(cursor, meta);
    if (await this.#movedFrom(meta)) return "moved";
    if ((doubt ?? cursor.damage) !== undefined && !believeDamage) return "damaged";
    if (refusal !== undefined) {
      this.#onDamage(refusal);
      return "end";
    }
    this.#report(doubt);
    await cursor.seek(this.#position.key);
    for (let more = true; more;) {
      const sink = new RecordSink(meta.seal?.identity, this.#position.key);
      more = await cursor.fill(sink, this.#batchSize, READ_BATCH_BYTES);
      if (await this.#movedFrom(meta)) {
        // A smaller batch is read within fewer of the writer's transactions.
        this.#batchSize = Math.max(16, this.#batchSize >> 1);
        return "moved";
      }
      const damage = cursor.damage ?? sink.damage ?? (more ? undefined : lossAtEnd(cursor, meta));
      if (damage !== undefined && !believeDamage) return "damaged";
      this.#report(damage);
      this.#position.key = cursor.lastKey;
      this.#batchSize = Math.min(READ_BATCH_RECORDS, this.#batchSize << 1);
      if (sink.count > 0) yield sink.records;
    }
    this.#position.transaction = meta.transaction;
    return "end";
  }

  /** Said at once, since whoever reads may stop at any record; and once, which is enough. */
  #report(damage: string | undefined): void {
    if (damage === undefined || this.#reported) return;
    this.#reported = true;
    this.#onDamage(`is damaged: ${damage}; what is readable of it was read`);
  }

  async #checkMarker(cursor: TreeCursor, meta: Meta): Promise<string | undefined> {
    if (!meta.integerKeys) return "was not written by Tidemark";
    const marker = await cursor.peek(MARKER_KEY);
    const format = marker && decodeMarker(marker);
    if (format === FILE_FORMAT) return undefined;
    if (format !== undefined) {
      return `is of format ${format}, newer than this version's ${FILE_FORMAT}: update to read it`;
    }
    // Each record is verified by whoever decodes it, so a lost first page loses only itself.
    return cursor.damage === undefined ? "was not written by Tidemark" : undefined;
  }

  async #movedFrom(meta: Meta): Promise<boolean> {
    const now = await this.#file.newestMeta();
    if (typeof now !== "object") return true;
    return now.transaction > meta.transaction + 1n || now.transaction < meta.transaction;
  }
}

/** The marker and the blocks have the keys from 0 on, without gaps. */
function lossAtEnd({ lastKey }: TreeCursor, { entries, seal }: NewestMeta): string | undefined {
  return lastKey === entries - 1 && (seal?.blocks ?? lastKey) === lastKey
    ? undefined
    : "its last entries are missing";
}
