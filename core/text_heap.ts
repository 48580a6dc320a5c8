/** Texts begin at multiples of this many bytes, so that 32 bits say where one is in 16 GiB. */
const ALIGNMENT = 4;
const CHUNK = 65_536;
/** Most heaps stay small. */
const FIRST_CHUNK = 1_024;
const PLACES_PER_CHUNK = CHUNK / ALIGNMENT;
const MOST_CHUNKS = 2 ** 32 / PLACES_PER_CHUNK;

/**
 * Texts outside of the engine's heap of strings, where millions of them would cost more in
 * headers and in the collector's work than in content: a byte per character, or two per
 * UTF-16 unit if one of them needs it. Nothing is ever taken out.
 *
 * A text is first staged behind the last one: hashed and laid out in one pass, since asking a
 * string for its units is what costs most. Then it is kept, or compared and left.
 */
export class TextHeap {
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk. */
  #chunk = new Uint8Array(FIRST_CHUNK);
  /** Bytes used of the last chunk, which is where the staged text begins. */
  #used = 0;
  /** Of the staged text: as in `#kinds`. */
  #staged = 0;
  #places = new Uint32Array(16);
  /** Length in UTF-16 units, shifted by one; the lowest bit is set where units take two bytes. */
  #kinds = new Uint32Array(16);
  #size = 0;

  constructor() {
    this.#chunks.push(this.#chunk);
  }

  /** How many texts are kept. */
  get size(): number {
    return this.#size;
  }

  /** Lays a text out and returns its hash: FNV-1a over UTF-16 units (Fowler, Noll and Vo). */
  stage(text: string): number {
    const { length } = text;
    this.#makeRoom(length);
    const chunk = this.#chunk;
    let hash = length;
    let units = 0;
    for (let i = 0, at = this.#used; i < length; i++) {
      const unit = text.charCodeAt(i);
      hash = Math.imul(hash ^ unit, 0x01000193);
      units |= unit;
      chunk[at++] = unit;
    }
    const isWide = units > 0xff;
    if (isWide) this.#stageWide(text);
    this.#staged = (length << 1) | Number(isWide);
    return hash;
  }

  /** The same for a text that is given in bytes; undefined when they are not all ASCII. */
  stageAscii(bytes: Uint8Array, start: number, end: number): number | undefined {
    const length = end - start;
    this.#makeRoom(length);
    const chunk = this.#chunk;
    let hash = length;
    let units = 0;
    for (let i = start, at = this.#used; i < end; i++) {
      const unit = bytes[i]!;
      hash = Math.imul(hash ^ unit, 0x01000193);
      units |= unit;
      chunk[at++] = unit;
    }
    this.#staged = length << 1;
    return units > 0x7f ? undefined : hash;
  }

  /** Keeps the staged text and returns its number: that of the first is 0. */
  keep(): number {
    const number = this.#size++;
    if (number === this.#places.length) {
      this.#places = doubled(this.#places);
      this.#kinds = doubled(this.#kinds);
    }
    this.#places[number] = (this.#chunks.length - 1) * PLACES_PER_CHUNK + this.#used / ALIGNMENT;
    this.#kinds[number] = this.#staged;
    this.#used += Math.ceil(bytesOf(this.#staged) / ALIGNMENT) * ALIGNMENT;
    return number;
  }

  /** Whether the text of this number is the staged one. */
  isStaged(number: number): boolean {
    if (this.#kinds[number] !== this.#staged) return false;
    const place = this.#places[number]!;
    const chunk = this.#chunks[Math.floor(place / PLACES_PER_CHUNK)]!;
    const start = (place % PLACES_PER_CHUNK) * ALIGNMENT;
    const staged = this.#chunk;
    for (let i = bytesOf(this.#staged) - 1, at = start + i, to = this.#used + i; i >= 0; i--) {
      if (chunk[at--] !== staged[to--]) return false;
    }
    return true;
  }

  /** The text of this number. */
  get(number: number): string {
    const place = this.#places[number]!;
    const chunk = this.#chunks[Math.floor(place / PLACES_PER_CHUNK)]!;
    const start = (place % PLACES_PER_CHUNK) * ALIGNMENT;
    const kind = this.#kinds[number]!;
    const step = 1 + (kind & 1);
    const end = start + bytesOf(kind);
    let text = "";
    for (let at = start; at < end; at += step) {
      text += String.fromCharCode(step === 1 ? chunk[at]! : chunk[at]! | (chunk[at + 1]! << 8));
    }
    return text;
  }

  #stageWide(text: string): void {
    this.#makeRoom(text.length * 2);
    for (let i = 0, at = this.#used; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      this.#chunk[at++] = unit;
      this.#chunk[at++] = unit >>> 8;
    }
  }

  #makeRoom(bytes: number): void {
    // Where a text begins has to be a place of this chunk, not of the next.
    if (this.#used < CHUNK && this.#used + bytes <= this.#chunk.length) return;
    if (this.#used === 0) this.#chunks.pop();
    if (this.#chunks.length === MOST_CHUNKS) {
      throw new RangeError("the ids and versions of all sources take more than 16 GiB");
    }
    // A text that is longer than a chunk has one of its own.
    const chunk = new Uint8Array(Math.max(CHUNK, bytes));
    this.#chunks.push(chunk);
    this.#chunk = chunk;
    this.#used = 0;
  }
}

function bytesOf(kind: number): number {
  return (kind >>> 1) << (kind & 1);
}

/** The numbers, in an array of twice the length. */
export function doubled<T extends Uint32Array | Int32Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
