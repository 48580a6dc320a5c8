import type { Buffer } from "node:buffer";
import type { PageFile } from "./page_file.ts";
import {
  type Meta,
  NODE_BIG,
  NODE_HEADER,
  NODE_NESTED,
  PAGE_BRANCH,
  PAGE_KIND,
  PAGE_LEAF,
  PAGE_OVERFLOW,
  type PageLayout,
} from "./page_format.ts";

const FIRST_PAGE = 2;
const KEY_LENGTH = 4;
const TWO_32 = 2 ** 32;
/** A `RangeError` is what reading outside of a page's buffer throws. */
const DAMAGE: ReadonlySet<string> = new Set(["DamagedPage", "OutOfFile", "RangeError"]);

/** A page between the root and a leaf, and how far it has been read. */
interface Level {
  readonly page: Buffer;
  readonly count: number;
  readonly leaf: boolean;
  /** Keys below this page are at least this … */
  readonly low: number;
  /** … and less than this. */
  readonly high: number;
  index: number;
}

/** Where values are put. */
export interface ValueSink {
  /** How many values it has taken. */
  readonly count: number;
  /** How many bytes they have. */
  readonly bytes: number;
  add(key: number, value: Uint8Array): void;
}

class DamagedPage extends Error {
  override readonly name = "DamagedPage";
}

function damaged(what: string): never {
  throw new DamagedPage(what);
}

/**
 * Walks the tree of one snapshot in the order of its integer keys. Nothing that the file
 * says is trusted: a page that contradicts itself or its parent is left out, with all that
 * is below it, and noted in {@link TreeCursor.damage}.
 */
export class TreeCursor {
  readonly #file: PageFile;
  readonly #meta: Meta;
  readonly #layout: PageLayout;
  readonly #stack: Level[] = [];
  #visits = 0;
  /** The first thing that was found wrong. */
  damage: string | undefined;
  /** The last key that was passed, -1 before the first. */
  lastKey = -1;

  constructor(file: PageFile, meta: Meta) {
    this.#file = file;
    this.#meta = meta;
    this.#layout = meta.layout;
  }

  /** Goes to the first key after `key`. */
  async seek(key: number): Promise<void> {
    this.#stack.length = 0;
    this.lastKey = key;
    if (this.#meta.root === undefined) return;
    await this.#descend(this.#meta.root, 0, TWO_32, key + 1);
  }

  /**
   * Adds the next values to the sink until it holds so many of them or so many bytes.
   * @returns false when there are no more.
   */
  async fill(sink: ValueSink, mostRecords: number, mostBytes: number): Promise<boolean> {
    for (;;) {
      const level = this.#stack.at(-1);
      if (level === undefined) return false;
      if (level.index >= level.count) {
        this.#stack.pop();
      } else if (level.leaf) {
        if (sink.count >= mostRecords || sink.bytes >= mostBytes) return true;
        const big = this.#take(level, sink, mostRecords, mostBytes);
        if (big !== undefined) await this.#takeBig(level.page, big, sink);
      } else {
        await this.#child(level, level.index++, 0);
      }
    }
  }

  /** The next value, if its key is `key`; otherwise the cursor stays where it is. */
  async peek(key: number): Promise<Uint8Array | undefined> {
    await this.seek(key - 1);
    let found: Uint8Array | undefined;
    const sink = {
      count: 0,
      bytes: 0,
      add(at: number, value: Uint8Array) {
        sink.count++;
        if (at === key) found = value;
      },
    };
    await this.fill(sink, 1, 1);
    return found;
  }

  async #child(level: Level, index: number, from: number): Promise<void> {
    let low = level.low;
    let high = level.high;
    let page: number;
    try {
      if (index > 0) low = this.#key(level, index);
      if (index + 1 < level.count) high = this.#key(level, index + 1);
      if (low < level.low || high > level.high || low >= high) damaged("keys out of order");
      page = this.#childPage(level, index);
    } catch (cause) {
      this.#note(cause);
      return;
    }
    await this.#descend(page, low, high, from);
  }

  async #descend(number: number, low: number, high: number, from: number): Promise<void> {
    try {
      const level = await this.#level(number, low, high);
      this.#stack.push(level);
      if (from <= low) return;
      level.index = this.#firstIndex(level, from);
      if (!level.leaf) await this.#child(level, level.index++, from);
    } catch (cause) {
      this.#note(cause);
    }
  }

  #note(cause: unknown): void {
    if (!(cause instanceof Error) || !DAMAGE.has(cause.name)) throw cause;
    this.damage ??= cause.message;
  }

  /** The entry to begin with so that no key from `from` on is missed. */
  #firstIndex(level: Level, from: number): number {
    let low = level.leaf ? 0 : 1;
    let high = level.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = this.#key(level, middle);
      if (level.leaf ? key < from : key <= from) low = middle + 1;
      else high = middle;
    }
    return level.leaf ? low : low - 1;
  }

  async #level(number: number, low: number, high: number): Promise<Level> {
    const { pageSize, depth, lastPage } = this.#meta;
    // Each page is reachable once, so whoever visits more than there are goes in circles.
    if (this.#visits++ > lastPage + depth + 1) damaged("the tree has a cycle");
    const leaf = this.#stack.length + 1 === depth;
    const page = await this.#page(number, pageSize, leaf ? PAGE_LEAF : PAGE_BRANCH);
    const { header, base, flags } = this.#layout;
    const lower = page.readUInt16LE(flags + 2);
    const upper = page.readUInt16LE(flags + 4);
    const count = (lower - (header - base)) >> 1;
    if (count < 1 || lower > upper || upper + base > pageSize || (lower & 1) !== 0) {
      damaged(`page ${number} has impossible bounds`);
    }
    return { page, count, leaf, low, high, index: 0 };
  }

  async #page(number: number, length: number, kind: number): Promise<Buffer> {
    const { pageSize, lastPage, transaction } = this.#meta;
    if (number < FIRST_PAGE || number > lastPage) damaged(`there is no page ${number}`);
    const page = await this.#file.bytes(number * pageSize, length);
    if (page.readUInt32LE(0) + page.readUInt32LE(4) * TWO_32 !== number) {
      damaged(`page ${number} is not where it belongs`);
    }
    if ((page.readUInt16LE(this.#layout.flags) & PAGE_KIND) !== kind) {
      damaged(`page ${number} is of another kind`);
    }
    if (this.#layout.stamped && page.readBigUInt64LE(8) > transaction) {
      damaged(`page ${number} is from the future`);
    }
    return page;
  }

  #node(level: Level, index: number): number {
    const { header, base } = this.#layout;
    const at = level.page.readUInt16LE(header + 2 * index) + base;
    if (at < header + 2 * level.count || at + NODE_HEADER > level.page.length) {
      damaged("an entry is outside of its page");
    }
    return at;
  }

  #key(level: Level, index: number): number {
    const at = this.#node(level, index);
    if (level.page.readUInt16LE(at + 6) !== KEY_LENGTH) damaged("a key is no 32-bit integer");
    if (at + NODE_HEADER + KEY_LENGTH > level.page.length) damaged("a key is outside of its page");
    return level.page.readUInt32LE(at + NODE_HEADER);
  }

  #childPage(level: Level, index: number): number {
    const at = this.#node(level, index);
    return level.page.readUInt32LE(at) + level.page.readUInt16LE(at + 4) * TWO_32;
  }

  /** Takes values from a leaf up to one that is on other pages, whose place it returns. */
  #take(level: Level, sink: ValueSink, mostRecords: number, mostBytes: number): number | undefined {
    const { page } = level;
    try {
      while (level.index < level.count) {
        if (sink.count >= mostRecords || sink.bytes >= mostBytes) return undefined;
        const at = this.#node(level, level.index);
        const key = this.#key(level, level.index);
        if (key <= this.lastKey || key < level.low || key >= level.high) {
          damaged("keys out of order");
        }
        const flags = page.readUInt16LE(at + 4);
        if ((flags & NODE_NESTED) !== 0) damaged("an entry is no record");
        const start = at + NODE_HEADER + KEY_LENGTH;
        const length = page.readUInt32LE(at);
        if ((flags & NODE_BIG) === 0 && start + length > page.length) {
          damaged("a value is outside of its page");
        }
        level.index++;
        this.lastKey = key;
        if ((flags & NODE_BIG) !== 0) return at;
        sink.add(key, page.subarray(start, start + length));
      }
    } catch (cause) {
      this.#note(cause);
      level.index = level.count;
    }
    return undefined;
  }

  async #takeBig(page: Buffer, at: number, sink: ValueSink): Promise<void> {
    try {
      const length = page.readUInt32LE(at);
      const place = at + NODE_HEADER + KEY_LENGTH;
      if (place + 8 > page.length) damaged("a value's place is outside of its page");
      const number = page.readUInt32LE(place) + page.readUInt32LE(place + 4) * TWO_32;
      const { header, flags } = this.#layout;
      const first = await this.#page(number, header, PAGE_OVERFLOW);
      const pages = first.readUInt32LE(flags + 2);
      if (
        header + length > pages * this.#meta.pageSize || number + pages - 1 > this.#meta.lastPage
      ) {
        damaged(`a value does not fit into its pages at ${number}`);
      }
      const value = await this.#file.bytes(number * this.#meta.pageSize + header, length);
      sink.add(this.lastKey, value);
    } catch (cause) {
      this.#note(cause);
    }
  }
}
