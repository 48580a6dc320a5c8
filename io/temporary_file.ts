import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

/** What every temporary name starts with; an output never does. */
export const TEMPORARY_PREFIX = ".tidemark-tmp-";

const BUFFERED = 1 << 16;
const ABANDONED_AFTER = 7 * 24 * 60 * 60 * 1000;

/**
 * A file that is written under a temporary name and takes its own name only when it is whole
 * and on disk, in one step, in place of what had that name.
 */
export class TemporaryFile implements AsyncDisposable {
  readonly #directory: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  #buffer: string[] = [];
  #buffered = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #done = false;

  private constructor(directory: string, path: string, handle: FileHandle) {
    this.#directory = directory;
    this.#path = path;
    this.#handle = handle;
  }

  /** Creates an empty one in the directory that its final name will be in. */
  static async open(directory: string): Promise<TemporaryFile> {
    const name = `${TEMPORARY_PREFIX}${placeOfProcess() ?? "unknown"}-${process.pid}-${
      randomBytes(8).toString("hex")
    }`;
    const path = join(directory, name);
    return new TemporaryFile(directory, path, await open(path, "wx"));
  }

  /** Adds text at the end. Texts keep the order of the calls. */
  async write(text: string): Promise<void> {
    this.#refuseAfterFailure();
    this.#buffer.push(text);
    this.#buffered += text.length;
    if (this.#buffered >= BUFFERED) await this.#flush();
  }

  /** Puts the file in place. Resolves when content and name are on disk. */
  async replace(name: string): Promise<void> {
    try {
      await this.#flush();
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#path, join(this.#directory, name));
      this.#done = true;
      await syncDirectory(this.#directory);
    } catch (error) {
      // A sync that failed may have dropped pages: what is in the file is not known any more.
      this.#failure ??= { error };
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Removes the file unless it is in place. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#handle.close().catch(() => {});
    if (!this.#done) await rm(this.#path, { force: true });
  }

  #flush(): Promise<void> {
    this.#refuseAfterFailure();
    const text = this.#buffer.join("");
    this.#buffer = [];
    this.#buffered = 0;
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#handle.appendFile(text);
      } catch (error) {
        this.#failure ??= { error };
        throw error;
      }
    });
    return this.#writing;
  }

  #refuseAfterFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Creates a directory and its parents, on disk when the promise resolves. */
export async function createDirectory(directory: string): Promise<void> {
  if (await isDirectory(directory)) return;
  // Not `recursive`, with which Node never returns where a name cannot be created, as in /proc.
  const parent = dirname(directory);
  if (parent !== directory) await createDirectory(parent);
  try {
    await mkdir(directory);
  } catch (error) {
    // Following a link that is in the way says what is wrong with it.
    if ((error as { code?: unknown }).code === "EEXIST") await stat(directory);
    if (!(await isDirectory(directory))) throw error;
  }
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open directories; there the rename itself is journaled.
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Removes the temporary files of processes that are gone: those of this host whose process
 * does not exist any more, and any that nobody has written to for a week.
 */
export async function removeAbandoned(directory: string): Promise<void> {
  const place = placeOfProcess();
  for (const name of await readdir(directory)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const [where, pid] = name.slice(TEMPORARY_PREFIX.length).split("-");
    const path = join(directory, name);
    const abandoned = (place !== undefined && where === place && isGone(Number(pid))) ||
      (await isOld(path));
    if (abandoned) await rm(path, { force: true });
  }
}

function isGone(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ABANDONED_AFTER;
  } catch {
    return false;
  }
}

let place: string | undefined;

/**
 * Names what process ids are unique in: this boot of this host and, on Linux, the process
 * namespace, since containers that share a directory may share a host name and process ids.
 * Undefined when it cannot be told.
 */
function placeOfProcess(): string | undefined {
  try {
    place ??= createHash("sha256")
      .update(JSON.stringify([
        hostname(),
        ...(process.platform === "linux"
          ? [
            readFileSync("/proc/sys/kernel/random/boot_id", "utf8"),
            readlinkSync("/proc/self/ns/pid"),
          ]
          : []),
      ]))
      .digest("hex").slice(0, 16);
    return place;
  } catch {
    return undefined;
  }
}
