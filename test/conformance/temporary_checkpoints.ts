import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Harness } from "./case.ts";

/** Temporary directories that are in use, for when the process ends in the middle. */
const inUse = new Set<string>();
process.once("exit", () => {
  for (const directory of inUse) rmSync(directory, { recursive: true, force: true });
});

/** Fresh checkpoints for one harness, which are removed together. */
export class TemporaryCheckpoints implements AsyncDisposable {
  readonly #harness: Harness;
  readonly #parent: string;
  readonly #directories: string[] = [];

  private constructor(harness: Harness, parent: string) {
    this.#harness = harness;
    this.#parent = parent;
  }

  /** Makes a place for them. */
  static async create(harness: Harness): Promise<TemporaryCheckpoints> {
    const parent = await mkdtemp(join(tmpdir(), "tidemark-conformance-"));
    inUse.add(parent);
    return new TemporaryCheckpoints(harness, parent);
  }

  /** The directory of one more checkpoint. It does not exist yet. */
  another(): string {
    // A store must neither need the directory nor take its name for something else than a path.
    const directory = join(
      this.#parent,
      `made by open() ${this.#directories.length}`,
      "a%20b#c? é'",
    );
    this.#directories.push(directory);
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const directory of this.#directories) await this.#harness.remove?.(directory);
    } finally {
      await rm(this.#parent, { recursive: true, force: true });
      inUse.delete(this.#parent);
    }
  }
}
