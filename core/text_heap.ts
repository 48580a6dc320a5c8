/** Texts lie in whole words, so that 32 bits say where one is in 16 GiB. */
const WORD = 4;
const WORDS_PER_CHUNK = 16_384;
/** Most heaps stay small. */
const FIRST_CHUNK = 256;
const MOST_CHUNKS = 2 ** 32 / WORDS_PER_CHUNK;
/** How many units are made a text at once: calls have a limit of arguments. */
const PIECE = 4_096;

/**
 * Texts outside of the engine's heap of strings, where millions of them would cost more in
 * headers and in the collector's work than in content: a byte per character, or two per
 * UTF-16 unit if one of them needs it. Nothing is ever taken out.
 *
 * A text is staged first, since asking a string for its units is what costs most. Then it is
 * hashed, compared, kept or left.
 */
export class TextHeap {
  readonly #chunks: Int32Array[] = [new Int32Array(FIRST_CHUNK)];
  /** Words used of the last chunk. */
  #used = 0;
  /** Where each text begins, in words. */
  #places = new Uint32Array(16);
  /** Length in UTF-16 units, shifted by one; the lowest bit is set where units take two bytes. */
  #kinds = new Uint32Array(16);
  #size = 0;
  /** The staged text, filled up with zeros to a whole word. */
  #words = new Int32Array(64);
  #bytes = new Uint8Array(this.#words.buffer);
  /** Of the staged text: as in `#kinds`. */
  #kind = 0;

  /** How many texts are kept. */
  get size(): number {
    return this.#size;
  }

  /** Lays a text out. */
  stage(text: string): void {
    const { length } = text;
    this.#makeRoom(length);
    const bytes = this.#bytes;
    let units = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      units |= unit;
      bytes[i] = unit;
    }
    if (units > 0xff) this.#stageWide(text);
    else this.#finish(length, 0);
  }

  /** Lays a text out that is given in bytes. Returns false when they are not all ASCII. */
  stageAscii(source: Uint8Array, start: number, end: number): boolean {
    this.#makeRoom(end - start);
    const bytes = this.#bytes;
    let units = 0;
    for (let from = start, to = 0; from < end; from++, to++) {
      const unit = source[from]!;
      units |= unit;
      bytes[to] = unit;
    }
    this.#finish(end - start, 0);
    return units <= 0x7f;
  }

  /**
   * A hash of the staged text that nobody can foresee who does not know the key: HalfSipHash-1-3
   * (Aumasson and Bernstein 2012), so that ids cannot be chosen to collide.
   */
  hash(key0: number, key1: number): number {
    let v0 = key0;
    let v1 = key1;
    let v2 = key0 ^ 0x6c796765;
    let v3 = key1 ^ 0x74656462;
    const words = wordsOf(this.#kind);
    // After the text its length, then three rounds without a word.
    for (let i = 0; i < words + 4; i++) {
      const word = i < words ? this.#words[i]! : i === words ? this.#kind : 0;
      if (i === words + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }

  /** Keeps the staged text and returns its number: that of the first is 0. */
  keep(): number {
    const words = wordsOf(this.#kind);
    const chunk = this.#chunkFor(words);
    for (let i = 0, at = this.#used; i < words; i++, at++) chunk[at] = this.#words[i]!;
    const number = this.#size++;
    if (number === this.#places.length) {
      this.#places = doubled(this.#places);
      this.#kinds = doubled(this.#kinds);
    }
    this.#places[number] = (this.#chunks.length - 1) * WORDS_PER_CHUNK + this.#used;
    this.#kinds[number] = this.#kind;
    this.#used += words;
    return number;
  }

  /** Whether the text of this number is the staged one. */
  isStaged(number: number): boolean {
    if (this.#kinds[number] !== this.#kind) return false;
    const place = this.#places[number]!;
    const chunk = this.#chunks[Math.floor(place / WORDS_PER_CHUNK)]!;
    const start = place % WORDS_PER_CHUNK;
    for (let i = wordsOf(this.#kind) - 1; i >= 0; i--) {
      if (chunk[start + i] !== this.#words[i]) return false;
    }
    return true;
  }

  /** The text of this number. */
  get(number: number): string {
    const place = this.#places[number]!;
    const chunk = this.#chunks[Math.floor(place / WORDS_PER_CHUNK)]!;
    const start = chunk.byteOffset + (place % WORDS_PER_CHUNK) * WORD;
    const kind = this.#kinds[number]!;
    const length = kind >>> 1;
    const units = (kind & 1) === 0
      ? new Uint8Array(chunk.buffer, start, length)
      : new Uint16Array(chunk.buffer, start, length);
    let text = "";
    for (let at = 0; at < length; at += PIECE) {
      text += String.fromCharCode(...units.subarray(at, at + PIECE));
    }
    return text;
  }

  #stageWide(text: string): void {
    this.#makeRoom(text.length * 2);
    const units = new Uint16Array(this.#words.buffer);
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
    this.#finish(text.length, 1);
  }

  #finish(length: number, wide: 0 | 1): void {
    this.#kind = (length << 1) | wide;
    for (let at = length << wide; at % WORD !== 0; at++) this.#bytes[at] = 0;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    this.#words = new Int32Array(Math.ceil(bytes / WORD));
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** The last chunk, if the words find room in it. */
  #chunkFor(words: number): Int32Array {
    const last = this.#chunks[this.#chunks.length - 1]!;
    // Where a text begins has to be a place of this chunk, not of the next.
    if (this.#used < WORDS_PER_CHUNK && this.#used + words <= last.length) return last;
    if (this.#chunks.length === MOST_CHUNKS) {
      throw new RangeError("the ids and versions of all sources take more than 16 GiB");
    }
    // A text that is longer than a chunk has one of its own.
    const chunk = new Int32Array(Math.max(WORDS_PER_CHUNK, words));
    this.#chunks.push(chunk);
    this.#used = 0;
    return chunk;
  }
}

function wordsOf(kind: number): number {
  return Math.ceil(((kind >>> 1) << (kind & 1)) / WORD);
}

/** The numbers, in an array of twice the length. */
export function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
