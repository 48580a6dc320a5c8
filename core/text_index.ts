import { doubled, TextHeap } from "./text_heap.ts";

/** A larger share of occupied slots makes searches long. */
const MOST_OCCUPIED = 0.625;

/**
 * A set of texts, which numbers them in the order in which they come. A `Set` ends at 2^24
 * texts, and for millions of them takes more memory and time. Open addressing with linear
 * probing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L).
 */
export class TextIndex {
  readonly #texts = new TextHeap();
  /** By number. */
  #hashes = new Int32Array(16);
  /** Each holds a text's number + 1, or 0. The length is a power of two. */
  #slots = new Uint32Array(32);

  /** How many texts there are. */
  get size(): number {
    return this.#texts.size;
  }

  /** The number of a text, or -1 if it is not there. */
  find(text: string): number {
    return this.#slots[this.#slotOf(mixed(this.#texts.stage(text)))]! - 1;
  }

  /** Puts a text in unless it is there, and returns its number. */
  add(text: string): number {
    const hash = mixed(this.#texts.stage(text));
    const slot = this.#slotOf(hash);
    const found = this.#slots[slot]!;
    if (found > 0) return found - 1;
    const number = this.#texts.keep();
    if (number === this.#hashes.length) this.#hashes = doubled(this.#hashes);
    this.#hashes[number] = hash;
    this.#slots[slot] = number + 1;
    if (number >= this.#slots.length * MOST_OCCUPIED) this.#spread();
    return number;
  }

  /** Where the staged text is, or belongs. */
  #slotOf(hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const found = slots[slot]!;
      if (found === 0) return slot;
      if (this.#hashes[found - 1] === hash && this.#texts.isStaged(found - 1)) return slot;
    }
  }

  #spread(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = this.#hashes[number]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

/** MurmurHash3's finaliser (Appleby), which spreads what is in the high bits. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
