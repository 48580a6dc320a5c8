import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Meta, META_LENGTH, type MetaRefusal, PAGE_SIZES, parseMeta } from "./page_format.ts";

const CHUNK = 1 << 17;
/** Enough for the path to any leaf and the leaves that are being read. */
const CHUNKS_KEPT = 16;
const META_ATTEMPTS = 100;
/** Both metas of the usual page size. */
const HEAD = PAGE_SIZES[0] + META_LENGTH;

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
  async newestMeta(): Promise<Meta | MetaRefusal> {
    let head = await this.#readAt(0, HEAD);
    for (let attempt = 1;; attempt++) {
      const found = await this.#metas(head);
      const again = await this.#readAt(0, HEAD);
      if (again.equals(head) && found.stable) return found.meta;
      if (attempt === META_ATTEMPTS) return "damaged";
      head = again;
    }
  }

  async #metas(head: Buffer): Promise<{ meta: Meta | MetaRefusal; stable: boolean }> {
    const first = metaAt(head, 0, 0);
    const size = typeof first === "object" ? first.pageSize : undefined;
    let refusal = typeof first === "object" ? "damaged" : first;
    let newest = typeof first === "object" ? first : undefined;
    let stable = true;
    for (const pageSize of size === undefined ? PAGE_SIZES : [size]) {
      let second = metaAt(head, pageSize, 1);
      if (pageSize !== PAGE_SIZES[0]) {
        const bytes = await this.#readAt(pageSize, META_LENGTH);
        second = metaAt(bytes, 0, 1);
        stable &&= (await this.#readAt(pageSize, META_LENGTH)).equals(bytes);
      }
      if (typeof second !== "object") {
        if (refusal === "foreign") refusal = second;
      } else if (second.pageSize === pageSize) {
        if (newest === undefined || second.transaction > newest.transaction) newest = second;
        break;
      }
    }
    return { meta: newest ?? refusal, stable };
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
