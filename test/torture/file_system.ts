import { execFile } from "node:child_process";
import { mkdir, readdir, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);
/** How often it is tried to find the file system unused. */
const ATTEMPTS = 500;

/** Why nothing can be mounted here; undefined where it can. */
export function mountRefusal(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "mounting needs root";
}

/** A small file system of its own, gone when it is disposed of. */
export class SmallFileSystem implements AsyncDisposable {
  readonly path: string;
  readonly #image: string | undefined;

  private constructor(path: string, image?: string) {
    this.path = path;
    this.#image = image;
  }

  /** One in memory, of so many bytes. */
  static async inMemory(path: string, bytes: number): Promise<SmallFileSystem> {
    await mkdir(path, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path]);
    return new SmallFileSystem(path);
  }

  /** One in a file, which knows more than one in memory. */
  static async inFile(path: string, bytes: number): Promise<SmallFileSystem> {
    const image = `${path}.img`;
    await mkdir(path, { recursive: true });
    await writeFile(image, "");
    await truncate(image, bytes);
    await run("mkfs.ext4", ["-q", "-F", image]);
    await run("mount", ["-o", "loop", image, path]);
    return new SmallFileSystem(path, image);
  }

  /** Fills what is free, but for so many bytes, with a file of its own. */
  async fill(spare: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const bytes = Math.max(0, bavail * bsize - spare);
    try {
      await writeFile(`${this.path}/filler`, new Uint8Array(bytes));
    } catch (cause) {
      // Somebody else took some of it meanwhile: it is full all the same.
      if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
    }
  }

  /** Frees what {@link SmallFileSystem.fill} took. */
  async free(): Promise<void> {
    await rm(`${this.path}/filler`, { force: true });
  }

  /** Makes it read-only in the moment that no file on it is open for writing. */
  async remountReadOnly(): Promise<void> {
    for (let left = ATTEMPTS;; left--) {
      try {
        await run("mount", ["-o", "remount,ro", this.path]);
        return;
      } catch (cause) {
        if (left === 0) throw cause;
      }
    }
  }

  /** Undoes {@link SmallFileSystem.remountReadOnly}. */
  async remountWritable(): Promise<void> {
    await run("mount", ["-o", "remount,rw", this.path]);
  }

  /**
   * Forbids writing below a path, also to whoever has a file open and to root; but not to files
   * that LMDB and SQLite have mapped into memory, where the system has no way to refuse but to
   * end the process.
   */
  async forbidWriting(path: string): Promise<void> {
    const names = await readdir(path, { recursive: true });
    const written = names.filter((name) => !/-(lock|shm)$/.test(name));
    // One that is gone meanwhile is passed over.
    await run("chattr", ["+i", path, ...written.map((name) => join(path, name))]).catch(() => {});
  }

  /** Undoes {@link SmallFileSystem.forbidWriting}. */
  async allowWriting(path: string): Promise<void> {
    await run("chattr", ["-R", "-i", path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", [this.path]).catch(() => run("umount", ["-l", this.path]));
    if (this.#image !== undefined) await rm(this.#image, { force: true });
  }
}
