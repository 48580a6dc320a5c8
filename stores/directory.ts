import { randomBytes } from "node:crypto";
import { readdir, readFile, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { printable, TidemarkError } from "../core/errors.ts";
import { createDirectory, publishFile, syncDirectory, writeNewFile } from "./durable_file.ts";
import { errnoOf, fileError } from "./file_error.ts";

/** The directory below a checkpoint in which everything is kept. */
export const RECORDS_DIRECTORY = ".tidemark";
const MANIFEST = "manifest.json";
const HOST_LENGTH = 64;
/** What {@link CheckpointDirectory.temporaryFile} names, and what drivers put beside it. */
const TEMPORARY = /^\.[0-9a-f]{16}\.tmp(-[a-z]+)?$/;
/** Such files live for moments; far longer, because machines that share a disk differ in time. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;
/** How long a manifest may stay empty where it cannot be created in one step. */
const MANIFEST_PATIENCE_MS = 2000;

/** Which file-based store writes files of which kind. The first one is the default. */
export const FILE_KINDS = [
  { store: "lmdb", extension: ".mdb" },
  { store: "sqlite", extension: ".sqlite" },
] as const;

/** A store that keeps one file per writer in a directory. */
export type FileStoreName = (typeof FILE_KINDS)[number]["store"];

function extensionOf(store: FileStoreName): string {
  return FILE_KINDS.find((kind) => kind.store === store)!.extension;
}

function hostLabel(): string {
  let host = "";
  try {
    host = hostname();
  } catch {
    // Without the permission to ask, the random part alone keeps the names apart.
  }
  const safe = host.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[.-]+/, "").slice(0, HOST_LENGTH);
  return safe === "" ? "host" : safe;
}

/** `<host>-<pid>-<random>`: no two processes share it, in whatever containers they run. */
export function newWriterName(): string {
  return `${hostLabel()}-${process.pid}-${randomBytes(8).toString("hex")}`;
}

/** The checkpoint directory that all file-based stores share. */
export class CheckpointDirectory {
  /** The checkpoint's own path, absolute. */
  readonly path: string;
  /** Where its files are. */
  readonly records: string;
  readonly store: FileStoreName;

  private constructor(path: string, store: FileStoreName) {
    this.path = resolve(path);
    this.records = join(this.path, RECORDS_DIRECTORY);
    this.store = store;
  }

  /**
   * Opens a checkpoint directory for one kind of store and creates it where it is missing.
   * @throws {TidemarkError} `CHECKPOINT_OPEN` when there can be no such directory;
   * `CHECKPOINT_MISMATCH` when the other store's files are in it.
   */
  static async open(path: string, store: FileStoreName): Promise<CheckpointDirectory> {
    const directory = new CheckpointDirectory(path, store);
    try {
      await createDirectory(directory.records);
      // Another process may have created them just now, and not have synced them yet.
      for (const parent of [directory.path, dirname(directory.path)]) await syncDirectory(parent);
    } catch (cause) {
      throw fileError("CHECKPOINT_OPEN", "Cannot open the checkpoint directory", path, cause);
    }
    await directory.refuseOtherStores();
    return directory;
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.records);
    } catch (cause) {
      throw fileError("CHECKPOINT_READ", "Cannot list the checkpoint", this.records, cause);
    }
  }

  /**
   * Two kinds of files in one checkpoint would each hide the other's completed work, so the
   * second kind is refused.
   * @throws {TidemarkError} `CHECKPOINT_MISMATCH`.
   */
  async refuseOtherStores(): Promise<void> {
    const names = await this.#names();
    const other = FILE_KINDS.find(
      (kind) => kind.store !== this.store && names.some((name) => name.endsWith(kind.extension)),
    );
    if (other === undefined) return;
    const shown = printable(this.path);
    throw new TidemarkError(
      "CHECKPOINT_MISMATCH",
      `The checkpoint ${shown} was written by the ${other.store} store and is opened as ${this.store}: ` +
        `pass "${other.store}:${shown}" to continue it, or another path to start anew`,
      { subject: this.path },
    );
  }

  /** The files of all writers, in the order of their names. */
  async writerFiles(): Promise<string[]> {
    const extension = extensionOf(this.store);
    const names = (await this.#names()).filter((name) => name.endsWith(extension));
    return names.sort().map((name) => join(this.records, name));
  }

  /** The path of a writer's file; one writer may need several, told apart by `part`. */
  writerFile(writer: string, part: number): string {
    const suffix = part === 0 ? "" : `.${part}`;
    return join(this.records, `${writer}${suffix}${extensionOf(this.store)}`);
  }

  /** A path for something unfinished, that nobody takes for a writer's file. */
  temporaryFile(): string {
    return join(this.records, `.${randomBytes(8).toString("hex")}.tmp`);
  }

  /** Removes unfinished files that a writer left when it was killed, a day ago or longer. */
  async removeAbandoned(): Promise<void> {
    for (const name of await this.#names()) {
      if (!TEMPORARY.test(name)) continue;
      const path = join(this.records, name);
      // Another writer may be removing it, or may be the only one that is allowed to.
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || Date.now() - found.mtimeMs < ABANDONED_AFTER_MS) continue;
      await unlink(path).catch(() => {});
    }
  }

  /**
   * Creates the manifest unless there is one.
   * @returns the one that stands, as it is on disk.
   * @throws {TidemarkError} `CHECKPOINT_OPEN` when it can neither be read nor created.
   */
  async manifest(proposed: string): Promise<string> {
    const path = join(this.records, MANIFEST);
    try {
      const standing = await this.#readManifest(path);
      if (standing !== undefined) return standing;
      const temporary = this.temporaryFile();
      await writeNewFile(temporary, proposed);
      const first = await publishFile(temporary, path, () => writeNewFile(path, proposed));
      if (first) return proposed;
      await syncDirectory(this.records);
      return (await this.#readManifest(path)) ?? "";
    } catch (cause) {
      throw fileError("CHECKPOINT_OPEN", "Cannot create or read the manifest", path, cause);
    }
  }

  async #readManifest(path: string): Promise<string | undefined> {
    const deadline = performance.now() + MANIFEST_PATIENCE_MS;
    for (;;) {
      try {
        const text = await readFile(path, "utf8");
        if (text !== "" || performance.now() > deadline) return text;
      } catch (cause) {
        if (errnoOf(cause) === "ENOENT") return undefined;
        throw cause;
      }
      // Where there are no hard links its creator may still be writing it.
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}
