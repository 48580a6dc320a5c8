/**
 * Shapes describe subtrees whose every task drained. Equal subtrees share one shape, so a
 * collapsed subtree costs a number, yet every fact about it can still be told from its
 * opposite (hash consing, Ershov 1958; Filliâtre and Conchon 2006).
 */

/** No shape: the child is not drained yet. */
export const OPEN = 0;
/** The shape of a task that drained without children. */
export const LEAF = 1;

/** Children in order, equal neighbours together: run `i` ends before child `ends[i]`. */
interface Runs {
  readonly ends: number[];
  readonly shapes: number[];
}

const FIRST_INTERNED = 2;

/**
 * The shapes in one source's tree. A chain of single children is the most frequent one and
 * needs no entry: `-n` stands for `n` tasks, each the only child of the one before it, and a
 * leaf at their end.
 */
export class ShapeTable {
  #runs: Runs[] | undefined;
  #ids: Map<string, number> | undefined;

  /** The shape of a task with one child. */
  internOne(child: number): number {
    if (child === LEAF) return -1;
    return child < 0 ? child - 1 : this.intern({ ends: [1], shapes: [child] });
  }

  /** The shape of a task with these children, all drained: more than one, or one no chain. */
  intern(children: Runs): number {
    this.#runs ??= [];
    this.#ids ??= new Map();
    const key = `${children.ends.join()}:${children.shapes.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#runs.push(children) - 1 + FIRST_INTERNED;
    this.#ids.set(key, id);
    return id;
  }

  /** How many children a shape has. */
  count(shape: number): number {
    return shape < 0 ? 1 : this.#runs?.[shape - FIRST_INTERNED]?.ends.at(-1) ?? 0;
  }

  /** The shape of one child, or {@link OPEN} when there is no such child. */
  child(shape: number, index: number): number {
    if (shape < 0) return index > 0 ? OPEN : shape === -1 ? LEAF : shape + 1;
    const runs = this.#runs?.[shape - FIRST_INTERNED];
    if (runs === undefined) return OPEN;
    let low = 0;
    let high = runs.ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (runs.ends[middle]! > index) high = middle;
      else low = middle + 1;
    }
    return runs.shapes[low] ?? OPEN;
  }
}

const CHUNK = 256;

interface Chunk {
  readonly shapes: number[];
  filled: number;
}

/**
 * The shapes of one task's drained children while others are still open. A stretch of 256
 * equal ones costs one map entry, and a stray huge index costs no more than a near one.
 */
export class DrainedChildren {
  /** Child 0 on its own: most tasks have one child. */
  #first = OPEN;
  #chunks: Map<number, Chunk | number> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(index: number): number {
    if (index === 0) return this.#first;
    const chunk = this.#chunks?.get(Math.floor(index / CHUNK));
    if (chunk === undefined || typeof chunk === "number") return chunk ?? OPEN;
    return chunk.shapes[index % CHUNK] ?? OPEN;
  }

  /** Notes a child that was not noted before. */
  add(index: number, shape: number): void {
    this.#size++;
    if (index === 0) {
      this.#first = shape;
      return;
    }
    this.#chunks ??= new Map();
    const at = Math.floor(index / CHUNK);
    let chunk = this.#chunks.get(at);
    if (typeof chunk === "number") return;
    if (chunk === undefined) {
      // Index 0 lives in #first: its slot counts as filled with whatever comes next to it.
      chunk = { shapes: [], filled: at === 0 ? 1 : 0 };
      this.#chunks.set(at, chunk);
    }
    for (let i = chunk.shapes.length; i < index % CHUNK; i++) chunk.shapes.push(OPEN);
    chunk.shapes[index % CHUNK] = shape;
    chunk.filled++;
    if (chunk.filled === CHUNK) {
      const from = at === 0 ? 1 : 0;
      if (chunk.shapes.every((s, i) => i < from || s === shape)) this.#chunks.set(at, shape);
    }
  }

  /** The first `count` children, all of which are drained, as runs. */
  runs(count: number): Runs {
    const ends: number[] = [];
    const shapes: number[] = [];
    const add = (shape: number, end: number) => {
      if (shapes.at(-1) === shape) {
        ends[ends.length - 1] = end;
      } else {
        shapes.push(shape);
        ends.push(end);
      }
    };
    add(this.#first, 1);
    for (let start = 0; start < count; start += CHUNK) {
      const chunk = this.#chunks?.get(start / CHUNK);
      const end = Math.min(start + CHUNK, count);
      if (typeof chunk === "number") add(chunk, end);
      else for (let i = start || 1; i < end; i++) add(chunk!.shapes[i - start]!, i + 1);
    }
    return { ends, shapes };
  }

  /** Every drained child with its shape, by index within each stretch. */
  *entries(): Generator<[index: number, shape: number]> {
    if (this.#first !== OPEN) yield [0, this.#first];
    for (const [at, chunk] of this.#chunks ?? []) {
      for (let i = at === 0 ? 1 : 0; i < CHUNK; i++) {
        const shape = typeof chunk === "number" ? chunk : chunk.shapes[i];
        if (shape) yield [at * CHUNK + i, shape];
      }
    }
  }
}
