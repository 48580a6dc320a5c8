import { copyFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf } from "../file_error.ts";

const ATTEMPTS = 5;

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${found.size} ${found.mtimeMs}` : "-";
}

/**
 * A private copy of a database and its log, for what SQLite does not read where it is: a log
 * in a directory that cannot be written, or a file that is shorter than it should be.
 */
export class SalvageCopy implements AsyncDisposable {
  readonly path: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "copy.sqlite");
  }

  /** @param length What the file is lengthened to, where it is shorter. */
  static async of(path: string, length: number): Promise<SalvageCopy> {
    const copy = new SalvageCopy(await mkdtemp(join(tmpdir(), "tidemark-")));
    try {
      await copy.#fill(path);
      await copy.#lengthen(length);
      return copy;
    } catch (cause) {
      await copy[Symbol.asyncDispose]();
      throw cause;
    }
  }

  async #fill(path: string): Promise<void> {
    const files = [path, `${path}-wal`];
    for (let attempt = 1;; attempt++) {
      const before = await Promise.all(files.map(stampOf));
      await copyFile(path, this.path);
      await copyFile(`${path}-wal`, `${this.path}-wal`).catch((cause: unknown) => {
        if (errnoOf(cause) !== "ENOENT") throw cause;
      });
      const after = await Promise.all(files.map(stampOf));
      if (before.join() === after.join()) return;
      if (attempt === ATTEMPTS) throw new Error("it changes too quickly to be copied");
    }
  }

  async #lengthen(length: number): Promise<void> {
    // What another program claims in its header must not fill the disk.
    const { size } = await stat(this.path);
    if (length <= size || length > 4 * size + (1 << 20)) return;
    const handle = await open(this.path, "r+");
    try {
      await handle.truncate(length);
    } finally {
      await handle.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
