import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Meta, META_LENGTH, type MetaRefusal, PAGE_SIZES, parseMeta } from "./page_format.ts";
import { parseSeal, type Seal, SEALED_LENGTH } from "./seal.ts";

const CHUNK = 1 << 17;
/** Enough for the path to any leaf and the leaves that are being read. */
const CHUNKS_KEPT = 16;
const META_ATTEMPTS = 100;
/** Both metas of the usual page size, with what is behind them. */
const HEAD = PAGE_SIZES[0] + SEALED_LENGTH;

/** The newest snapshot, and what speaks for and against its being so. */
export interface NewestMeta extends Meta {
  readonly seal: Seal | undefined;
  /** What is wrong with the metas: a snapshot that is newer may have been lost. */
  readonly doubt: string | undefined;
}

/** The part of a file that a read needs is not there. */
export class OutOfFile extends Error {
  override readonly name = "OutOfFile";
}

/** Bounds-checked reads of one LMDB file, which may be anything in truth. */
export class PageFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #chunks = new Map<number, Buffer>();
  #size = 0;
  /**
   * Reads single pages and blocks for them: far quicker each, for a file whose writer
   * commits faster than larger reads can follow.
   */
  swift = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async open(path: string): Promise<PageFile> {
    return new PageFile(path, await open(path, "r"));
  }

  /** The length of the file in bytes when it was last looked at. */
  get size(): number {
    return this.#size;
  }

  async #readAt(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const [left, at] = [length - filled, offset + filled];
      const bytesRead = this.swift
        ? readSync(this.#handle.fd, bytes, filled, left, at)
        : (await this.#handle.read(bytes, filled, left, at)).bytesRead;
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === length ? bytes : bytes.subarray(0, filled);
  }

  /** Forgets what was read: the next snapshot may have other pages in the same places. */
  async refresh(): Promise<void> {
    this.#chunks.clear();
    this.#size = (await this.#handle.stat()).size;
  }

  /**
   * The newest snapshot. Metas are read until two reads agree, because a writer may be in
   * the middle of writing one.
   */
  async newestMeta(): Promise<NewestMeta | MetaRefusal> {
    let head = await this.#readAt(0, HEAD);
    for (let attempt = 1;; attempt++) {
      const found = await this.#metas(head);
      const again = await this.#readAt(0, HEAD);
      if (again.equals(head) && found.stable) return found.meta;
      if (attempt === META_ATTEMPTS) return "damaged";
      head = again;
    }
  }

  async #metas(head: Buffer): Promise<{ meta: NewestMeta | MetaRefusal; stable: boolean }> {
    const first = metaAt(head, 0, 0);
    const size = typeof first === "object" ? first.pageSize : undefined;
    let refusal: MetaRefusal = typeof first === "object" ? "damaged" : first;
    let second: Meta | undefined;
    let secondSeal: Seal | undefined;
    let stable = true;
    for (const pageSize of size === undefined ? PAGE_SIZES : [size]) {
      let [bytes, offset]: [Buffer, number] = [head, pageSize];
      if (pageSize !== PAGE_SIZES[0]) {
        [bytes, offset] = [await this.#readAt(pageSize, SEALED_LENGTH), 0];
        stable &&= (await this.#readAt(pageSize, SEALED_LENGTH)).equals(bytes);
      }
      const found = metaAt(bytes, offset, 1);
      if (typeof found !== "object") {
        if (refusal === "foreign") refusal = found;
      } else if (found.pageSize === pageSize) {
        second = found;
        secondSeal = parseSeal(bytes, offset);
        break;
      }
    }
    const pair = typeof first === "object" ? [first, second] : [undefined, second];
    const meta = newestOf(pair, [parseSeal(head, 0), secondSeal]);
    return { meta: meta ?? refusal, stable };
  }

  /**
   * A view of the file that stays as it is, from memory where it was read already.
   * @throws {OutOfFile} when the file ends before.
   */
  bytes(offset: number, length: number): Buffer | Promise<Buffer> {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > this.#size) {
      throw new OutOfFile(`bytes ${offset} to ${offset + length} are beyond the end`);
    }
    const index = Math.floor(offset / CHUNK);
    const start = offset - index * CHUNK;
    if (this.swift || start + length > CHUNK) return this.#exactly(offset, length);
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined && chunk.length >= start + length) {
      return chunk.subarray(start, start + length);
    }
    return this.#load(index, start, length);
  }

  async #load(index: number, start: number, length: number): Promise<Buffer> {
    const offset = index * CHUNK;
    const chunk = await this.#readAt(offset, Math.min(CHUNK, this.#size - offset));
    if (chunk.length < start + length) throw new OutOfFile("the file became shorter");
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size >= CHUNKS_KEPT && !oldest.done) this.#chunks.delete(oldest.value);
    this.#chunks.set(index, chunk);
    return chunk.subarray(start, start + length);
  }

  async #exactly(offset: number, length: number): Promise<Buffer> {
    const bytes = await this.#readAt(offset, length);
    if (bytes.length < length) throw new OutOfFile("the file became shorter");
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks.clear();
    await this.#handle.close();
  }
}

function metaAt(bytes: Buffer, offset: number, number: number): Meta | MetaRefusal {
  if (offset + META_LENGTH > bytes.length) return "foreign";
  return parseMeta(new DataView(bytes.buffer, bytes.byteOffset + offset, META_LENGTH), number);
}

/** LMDB writes the metas in turns, so they tell of two successive transactions. */
function newestOf(
  [first, second]: readonly (Meta | undefined)[],
  seals: readonly (Seal | undefined)[],
): NewestMeta | undefined {
  const newest = first === undefined || (second && second.transaction > first.transaction)
    ? second
    : first;
  if (newest === undefined) return undefined;
  const seal = sealOf(seals);
  const inTurns = first && second && first.transaction % 2n === 0n &&
    (second.transaction === first.transaction + 1n ||
      second.transaction === first.transaction - 1n);
  const doubt = inTurns && seal.whole ? undefined : "its headers contradict each other";
  return { ...newest, seal: seal.seal, doubt };
}

/** Only one of two seals has been written when a writer was killed while it closed the file. */
function sealOf(
  [first, second]: readonly (Seal | undefined)[],
): { readonly seal: Seal | undefined; readonly whole: boolean } {
  if (first === undefined || second === undefined) return { seal: first ?? second, whole: false };
  const seal = { ...first, blocks: first.blocks ?? second.blocks };
  const whole = first.identity === second.identity &&
    (second.blocks ?? seal.blocks) === seal.blocks;
  return { seal, whole };
}
