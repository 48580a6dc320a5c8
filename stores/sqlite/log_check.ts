/**
 * Whether a database's log has lost something. SQLite reads a log up to the first frame that
 * is not sound, and takes all that follows for the rest of an interrupted commit. That is
 * right after a crash; after damage it hides commits that were on disk.
 */
import type { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { errnoOf } from "../file_error.ts";

const MAGIC = 0x377f0682;
const HEADER = 32;
const FRAME_HEADER = 24;
/** The part of the header, and of a frame's header, that checksums cover. */
const HEADER_SUMMED = 24;
const FRAME_SUMMED = 8;
/** The two copies of the header of SQLite's index of the log. */
const INDEX_HEADER = 48;
const INDEX_SUMMED = 40;
/** A log that its writer starts over again while it is looked at. */
const ATTEMPTS = 5;

type Sums = readonly [number, number];

/** What the index of a log says: the last commit that was on disk, in which log. */
interface Committed {
  readonly frames: number;
  readonly salt: Buffer;
}

/**
 * @returns what is wrong with the log of the database at `path`, or undefined. Must be asked
 * before SQLite opens the database, which makes a new index when nobody else has it open.
 */
export async function faultOfLog(path: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Read first, so that a living writer cannot be ahead of the log that is read next.
    const index = await contentOf(`${path}-shm`);
    const log = await contentOf(`${path}-wal`);
    if (log === undefined) {
      // SQLite makes the log first and removes it last.
      const isLeft = (committedOf(index)?.frames ?? 0) > 0 &&
        (await contentOf(`${path}-shm`)) !== undefined;
      return isLeft ? "its log is missing" : undefined;
    }
    const committed = committedOf(index);
    const fault = await new Log(log, () => contentOf(`${path}-wal`)).fault(committed);
    if (fault !== "restarted") return fault;
  }
  return undefined;
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

/** The index is a memory-mapped file, which a process that is killed leaves as it was. */
function committedOf(index: Buffer | undefined): Committed | undefined {
  if (index === undefined || index.length < 2 * INDEX_HEADER) return undefined;
  const header = index.subarray(0, INDEX_HEADER);
  // In the byte order of the machine that had it open, which is this one or of no use here.
  if (!header.equals(index.subarray(INDEX_HEADER, 2 * INDEX_HEADER))) return undefined;
  const [first, second] = addSums([0, 0], header.subarray(0, INDEX_SUMMED), true);
  if (header.readUInt32LE(INDEX_SUMMED) !== first) return undefined;
  if (header.readUInt32LE(INDEX_SUMMED + 4) !== second) return undefined;
  return { frames: header.readUInt32LE(16), salt: header.subarray(32, 40) };
}

/** SQLite's checksum, continued over bytes whose length is a multiple of eight. */
function addSums([first, second]: Sums, bytes: Buffer, littleEndian: boolean): Sums {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + view.getUint32(at, littleEndian) + second) | 0;
    second = (second + view.getUint32(at + 4, littleEndian) + first) | 0;
  }
  return [first >>> 0, second >>> 0];
}

class Log {
  readonly #again: () => Promise<Buffer | undefined>;
  #bytes: Buffer;

  constructor(bytes: Buffer, again: () => Promise<Buffer | undefined>) {
    this.#bytes = bytes;
    this.#again = again;
  }

  async fault(committed: Committed | undefined): Promise<string | undefined> {
    if (this.#bytes.length < HEADER) {
      return (committed?.frames ?? 0) > 0 ? "its log is cut" : undefined;
    }
    const start = this.#start();
    if (start === undefined) {
      return (await this.#readAgain()) ? "its log's header is damaged" : "restarted";
    }
    let whole = 0;
    let frame = 0;
    for (let sums: Sums = start;; frame++) {
      let next = this.#frame(frame, sums);
      if (next === undefined && this.#committedAfter(frame)) {
        // It was being written when it was read. Now that a later one is there, it is not.
        if (!(await this.#readAgain())) return "restarted";
        next = this.#frame(frame, sums);
      }
      if (next === undefined) break;
      if (this.#isCommit(frame)) whole = frame + 1;
      sums = next;
    }
    const isThisLog = committed?.salt.equals(this.#bytes.subarray(16, 24)) ?? false;
    const lost = isThisLog ? whole < committed!.frames : this.#committedAfter(frame);
    if (!lost) return undefined;
    return (await this.#readAgain()) ? "its log is damaged" : "restarted";
  }

  /** @returns false when it is another log by now: its writer has started over again. */
  async #readAgain(): Promise<boolean> {
    const bytes = await this.#again();
    if (bytes === undefined || bytes.length < HEADER) return false;
    if (!bytes.subarray(0, HEADER).equals(this.#bytes.subarray(0, HEADER))) return false;
    this.#bytes = bytes;
    return true;
  }

  get #littleEndian(): boolean {
    return this.#bytes.readUInt32BE(0) === MAGIC;
  }

  get #pageSize(): number {
    return this.#bytes.readUInt32BE(8);
  }

  /** The header's checksum; undefined when the header is damaged. */
  #start(): Sums | undefined {
    if ((this.#bytes.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return undefined;
    const size = this.#pageSize;
    if (size < 512 || size > 65536 || (size & (size - 1)) !== 0) return undefined;
    const sums = addSums([0, 0], this.#bytes.subarray(0, HEADER_SUMMED), this.#littleEndian);
    return this.#says(HEADER_SUMMED, sums) ? sums : undefined;
  }

  #says(offset: number, [first, second]: Sums): boolean {
    return this.#bytes.readUInt32BE(offset) === first &&
      this.#bytes.readUInt32BE(offset + 4) === second;
  }

  #offset(frame: number): number {
    return HEADER + frame * (FRAME_HEADER + this.#pageSize);
  }

  /** Whether the frame has been written since the log was started, sound or not. */
  #isOfThisLog(frame: number): boolean {
    const at = this.#offset(frame);
    return this.#bytes.subarray(at + 8, at + 16).equals(this.#bytes.subarray(16, 24));
  }

  /** Whether a transaction ends with the frame. */
  #isCommit(frame: number): boolean {
    return this.#bytes.readUInt32BE(this.#offset(frame) + 4) !== 0;
  }

  /** The checksum after a frame; undefined when it is not sound. */
  #frame(frame: number, before: Sums): Sums | undefined {
    const at = this.#offset(frame);
    const end = this.#offset(frame + 1);
    if (end > this.#bytes.length || !this.#isOfThisLog(frame)) return undefined;
    const order = this.#littleEndian;
    const sums = addSums(
      addSums(before, this.#bytes.subarray(at, at + FRAME_SUMMED), order),
      this.#bytes.subarray(at + FRAME_HEADER, end),
      order,
    );
    return this.#says(at + 16, sums) ? sums : undefined;
  }

  #committedAfter(frame: number): boolean {
    for (let later = frame + 1; this.#offset(later + 1) <= this.#bytes.length; later++) {
      if (this.#isOfThisLog(later) && this.#isCommit(later)) return true;
    }
    return false;
  }
}
