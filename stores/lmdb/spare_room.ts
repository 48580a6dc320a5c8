import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { BLOCK_OVERHEAD } from "../record_block.ts";
import { PageFile } from "./page_file.ts";

const BLOCK = 1 << 20;
const SLACK_LEAST = 1 << 17;
const SLACK_MOST = 4 << 20;
/** Pages of the trees' upper levels and of LMDB's list of free pages, copied by a commit. */
const COPIED_PAGES = 24;
/** An entry's header, key, place in the page's list, and padding; and the block around it. */
const NODE_OVERHEAD = 16 + BLOCK_OVERHEAD;

/** At least as many bytes as a commit of these records can add to a file. */
function bytesToAdd(records: readonly Uint8Array[], pageSize: number): number {
  let inline = 0;
  let pages = COPIED_PAGES;
  for (const { length } of records) {
    inline += NODE_OVERHEAD + Math.min(length, pageSize >> 1);
    if (length > pageSize >> 2) pages += Math.ceil((length + 64) / pageSize);
  }
  // Pages may be half empty, and every 32 of them need an entry in a page above.
  const leaves = Math.ceil((2 * inline) / (pageSize - 64)) + 1;
  return (pages + leaves + Math.ceil(leaves / 32)) * pageSize;
}

/**
 * Room on disk for what LMDB is about to write. When the disk is full in the middle of a
 * commit, lmdb-js writes beyond its buffers and takes the process with it; so the space is
 * filled with zeros by an ordinary write first, which fails like one.
 */
export class SpareRoom {
  readonly #handle: FileHandle;
  readonly #pages: PageFile;
  readonly pageSize: number;
  #length: number;
  /** At least as much as is in use. */
  #used: number;

  private constructor(handle: FileHandle, pages: PageFile, pageSize: number, length: number) {
    this.#handle = handle;
    this.#pages = pages;
    this.pageSize = pageSize;
    this.#length = length;
    this.#used = length;
  }

  /** @param path A file that LMDB has set up. */
  static async open(path: string): Promise<SpareRoom> {
    const pages = await PageFile.open(path);
    try {
      const meta = await pages.newestMeta();
      if (typeof meta !== "object") throw new Error("LMDB left a file without a header");
      const handle = await open(path, "r+");
      const { size } = await handle.stat();
      return new SpareRoom(handle, pages, meta.pageSize, size);
    } catch (cause) {
      await pages[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Makes room for a commit of these records. After a failure the file is as it was. */
  async ensure(records: readonly Uint8Array[]): Promise<void> {
    const more = bytesToAdd(records, this.pageSize);
    if (this.#used + more > this.#length) {
      this.#used = await this.#usedBytes();
      if (this.#used + more > this.#length) {
        const slack = Math.min(SLACK_MOST, Math.max(SLACK_LEAST, this.#used >> 2));
        await this.#lengthen(this.#used + more + slack);
      }
    }
    this.#used += more;
  }

  async #usedBytes(): Promise<number> {
    const meta = await this.#pages.newestMeta();
    if (typeof meta !== "object") throw new Error("the file's header was damaged by somebody");
    return (meta.lastPage + 1) * meta.pageSize;
  }

  async #lengthen(target: number): Promise<void> {
    const before = this.#length;
    try {
      while (this.#length < target) {
        const zeros = Buffer.alloc(Math.min(BLOCK, target - this.#length));
        const { bytesWritten } = await this.#handle.write(zeros, 0, zeros.length, this.#length);
        this.#length += bytesWritten;
      }
    } catch (cause) {
      await this.#handle.truncate(before);
      this.#length = before;
      throw cause;
    }
  }

  /** Gives back what LMDB, which must have closed the file, does not use. */
  async close(): Promise<void> {
    try {
      await this.#handle.truncate(await this.#usedBytes());
    } catch {
      // The room stays; it is only room.
    } finally {
      await this.#handle.close();
      await this.#pages[Symbol.asyncDispose]();
    }
  }
}
