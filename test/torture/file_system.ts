import { execFile, spawnSync } from "node:child_process";
import { mkdir, rm, statfs, truncate, writeFile } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

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

  /** One in a file, which can become read-only while files on it are open. */
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

  /** Makes it read-only as a disk error does, whatever is open. */
  async breakDown(): Promise<void> {
    await run("mount", ["-o", "remount,abort", this.path]).catch(() => {});
  }

  /** Makes it what it was before {@link SmallFileSystem.breakDown}, as a repair does. */
  async repair(): Promise<void> {
    await run("umount", [this.path]);
    spawnSync("fsck.ext4", ["-y", "-f", this.#image!], { stdio: "ignore" });
    await run("mount", ["-o", "loop", this.#image!, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", [this.path]).catch(() => run("umount", ["-l", this.path]));
    if (this.#image !== undefined) await rm(this.#image, { force: true });
  }
}
