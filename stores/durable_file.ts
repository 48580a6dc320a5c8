import { type FileHandle, link, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./file_error.ts";

/** Errors of a file system that knows no hard links. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set([
  "EMLINK",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "EXDEV",
]);
/** Errors of a system that cannot sync a directory, and need not. */
const NO_DIRECTORY_SYNC: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EBADF",
  "EINVAL",
  "EISDIR",
  "ENOTSUP",
  "EPERM",
]);

/** Makes the names in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    await handle.sync();
  } catch (cause) {
    if (!NO_DIRECTORY_SYNC.has(errnoOf(cause))) throw cause;
  } finally {
    await handle?.close();
  }
}

/** Creates a directory and its parents, on disk when the promise resolves. */
export async function createDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  // Not `recursive`, with which Node never returns where a name cannot be created, as in /proc.
  const parent = dirname(path);
  if (parent !== path) await createDirectory(parent);
  try {
    await mkdir(path);
  } catch (cause) {
    // Following a link that is in the way says what is wrong with it.
    if (errnoOf(cause) === "EEXIST") await stat(path);
    if (!(await isDirectory(path))) throw cause;
  }
  // On a file of that name some systems' mkdir succeeds.
  if (!(await isDirectory(path))) {
    throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
  }
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Writes a new file and puts it on disk; an existing one is an error (`EEXIST`). */
export async function writeNewFile(path: string, content: string): Promise<void> {
  const handle = await open(path, "wx");
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (cause) {
    await unlink(path).catch(() => {});
    throw cause;
  } finally {
    await handle.close();
  }
}

/**
 * Gives a finished temporary file its name, in one step and only if nothing has that name
 * yet, and makes the name durable.
 * @param fallback What to do where the file system knows no hard links.
 * @returns false when the name is taken. The temporary file is gone in either case.
 */
export async function publishFile(
  temporary: string,
  path: string,
  fallback: () => Promise<void> = () => rename(temporary, path),
): Promise<boolean> {
  try {
    try {
      await link(temporary, path);
    } catch (cause) {
      if (!NO_LINKS.has(errnoOf(cause))) throw cause;
      await fallback();
    }
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    if (errnoOf(cause) === "EEXIST") return false;
    throw cause;
  }
  await unlink(temporary).catch(() => {});
  await syncDirectory(dirname(path));
  return true;
}
