import { expectedTrails, type Item, type Shape } from "./shape.ts";

/** The durable outputs of all processes, and what they should be. */
export class Outputs {
  readonly #shape: Shape;
  readonly #there = new Map<string, Set<string>>();
  readonly #expected = new Map<string, readonly string[]>();

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  /** An item is durable. */
  write({ source, version, trail }: Item): void {
    const key = keyOf(source, version);
    const there = this.#there.get(key);
    if (there === undefined) this.#there.set(key, new Set([trail]));
    else there.add(trail);
  }

  /** All of a source's output is durable at once, in the place of what was there. */
  publish(source: number, version: number, trails: readonly string[]): void {
    this.#there.set(keyOf(source, version), new Set(trails));
  }

  /** What a source's output consists of. */
  expected(source: number, version: number): readonly string[] {
    const key = keyOf(source, version);
    let trails = this.#expected.get(key);
    if (trails === undefined) {
      this.#expected.set(key, trails = expectedTrails(this.#shape, source, version));
    }
    return trails;
  }

  /** What of a source's output is not durable. */
  missing(source: number, version: number): string[] {
    const there = this.#there.get(keyOf(source, version));
    return this.expected(source, version).filter((trail) => !there?.has(trail));
  }

  /** What is there of a source and should not be. */
  surplus(source: number, version: number): string[] {
    const expected = new Set(this.expected(source, version));
    return [...this.#there.get(keyOf(source, version)) ?? []].filter((t) => !expected.has(t));
  }
}

function keyOf(source: number, version: number): string {
  return `${source} ${version}`;
}
