import { TextHeap } from "./text_heap.ts";

/** A larger share of occupied slots makes searches long. */
const MOST_OCCUPIED = 0.625;

/**
 * A set of texts, which numbers them in the order in which they come. A `Set` ends at 2^24
 * texts, and for millions of them takes more memory and time. Open addressing with linear
 * probing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L).
 */
export class TextIndex {
  readonly #texts = new TextHeap();
  /** Pairs of a hash and a text's number + 1, or 0. How many there are is a power of two. */
  #slots = new Int32Array(2 * 32);
  readonly #key0: number;
  readonly #key1: number;

  /** @param random From 0 to below 1. Keeps those who choose texts from choosing collisions. */
  constructor(random: () => number) {
    this.#key0 = (random() * 2 ** 32) | 0;
    this.#key1 = (random() * 2 ** 32) | 0;
  }

  /** How many texts there are. */
  get size(): number {
    return this.#texts.size;
  }

  /** The number of a text, or -1 if it is not there. */
  find(text: string): number {
    this.#texts.stage(text);
    return this.#slots[this.#slotOf(this.#hash()) + 1]! - 1;
  }

  /** Puts a text in unless it is there, and returns its number. */
  add(text: string): number {
    this.#texts.stage(text);
    return this.#addStaged();
  }

  /** The same for a text that is given in bytes; undefined when they are not all ASCII. */
  addAscii(bytes: Uint8Array, start: number, end: number): number | undefined {
    return this.#texts.stageAscii(bytes, start, end) ? this.#addStaged() : undefined;
  }

  #hash(): number {
    return this.#texts.hash(this.#key0, this.#key1);
  }

  #addStaged(): number {
    const hash = this.#hash();
    const slot = this.#slotOf(hash);
    const found = this.#slots[slot + 1]!;
    if (found !== 0) return found - 1;
    const number = this.#texts.keep();
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = number + 1;
    if (number >= (this.#slots.length / 2) * MOST_OCCUPIED) this.#spread();
    return number;
  }

  /** Where the staged text is, or belongs. */
  #slotOf(hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask;; slot = (slot + 2) & mask) {
      const found = slots[slot + 1]!;
      if (found === 0) return slot;
      if (slots[slot] === hash && this.#texts.isStaged(found - 1)) return slot;
    }
  }

  #spread(): void {
    const before = this.#slots;
    const slots = new Int32Array(before.length * 2);
    const mask = slots.length - 1;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from + 1] === 0) continue;
      let slot = (before[from]! << 1) & mask;
      while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
      slots[slot] = before[from]!;
      slots[slot + 1] = before[from + 1]!;
    }
    this.#slots = slots;
  }
}
