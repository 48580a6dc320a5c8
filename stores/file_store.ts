import { stat } from "node:fs/promises";
import { printable } from "../core/errors.ts";
import type { StoreWarning } from "../core/host.ts";
import type { CheckpointStore, RecordBatch, StoreCapabilities } from "../core/store.ts";
import { ChangeProbe } from "./change_probe.ts";
import { CheckpointDirectory, type FileStoreName, newWriterName } from "./directory.ts";
import { errnoOf, fileError, reasonOf } from "./file_error.ts";
import { Lifetime } from "./lifetime.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({ durable: true, shared: true, files: true });

/** Options of every store that keeps one file per writer in a checkpoint directory. */
export interface FileStoreOptions {
  /** The checkpoint directory. It is created where it is missing. */
  readonly path: string;
  /**
   * Told of each file that cannot be read, once per file and cause.
   * @default nobody
   */
  readonly onWarning?: (warning: StoreWarning) => void;
}

/** The file that this process writes. */
export interface OwnFile {
  readonly path: string;
  /** Whether the file can take so many more records. */
  hasRoom(count: number): boolean;
  /** Makes sure that the disk has room for the records. A failure changes nothing. */
  reserve(records: readonly Uint8Array[]): Promise<void>;
  /** Commits the records as one transaction. Resolves when it is on disk. */
  append(records: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** One kind of files: how they are written and read. */
export interface FileFormat<Position> {
  readonly store: FileStoreName;
  /** The position before a file's first record. */
  start(): Position;
  /** The files that change when records are added to this one. */
  related(path: string): readonly string[];
  /** Creates a writer's file under the first free name from this part on. */
  create(directory: CheckpointDirectory, writer: string, part: number): Promise<OwnFile>;
  /**
   * The records after the position, which moves with them.
   * @param onDamage Told what is wrong with the file and what becomes of it.
   */
  read(
    path: string,
    position: Position,
    onDamage: (what: string) => void,
  ): AsyncGenerator<readonly Uint8Array[]>;
}

interface SeenFile<Position> {
  readonly position: Position;
  readonly probe: ChangeProbe;
  readonly warned: Set<string>;
}

/** Keeps records in a checkpoint directory, where each writer has a file of its own. */
export class FileStore<Position> implements CheckpointStore {
  readonly writer: string = newWriterName();
  readonly location: string;
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #directory: CheckpointDirectory;
  readonly #format: FileFormat<Position>;
  readonly #onWarning: (warning: StoreWarning) => void;
  readonly #lifetime: Lifetime;
  readonly #seen = new Map<string, SeenFile<Position>>();
  readonly #ownPaths = new Set<string>();
  #parts = 0;
  #own: OwnFile | undefined;

  private constructor(
    directory: CheckpointDirectory,
    format: FileFormat<Position>,
    options: FileStoreOptions,
  ) {
    this.location = printable(options.path);
    this.#directory = directory;
    this.#format = format;
    this.#onWarning = options.onWarning ?? (() => {});
    this.#lifetime = new Lifetime(this.location);
  }

  /**
   * Opens a checkpoint directory. This writer's own file is created by its first append.
   * @throws {TidemarkError} `CHECKPOINT_OPEN` or `CHECKPOINT_MISMATCH`.
   */
  static async open<Position>(
    format: FileFormat<Position>,
    options: FileStoreOptions,
  ): Promise<FileStore<Position>> {
    const directory = await CheckpointDirectory.open(options.path, format.store);
    return new FileStore(directory, format, options);
  }

  async manifest(proposed: string): Promise<string> {
    this.#lifetime.check();
    return await this.#directory.manifest(proposed);
  }

  async *read(): AsyncGenerator<RecordBatch> {
    this.#lifetime.check();
    for (const path of await this.#directory.writerFiles()) {
      if (this.#ownPaths.has(path)) continue;
      const batches = this.#readFile(path);
      try {
        for (;;) {
          const next = await this.#guarded(path, batches);
          this.#lifetime.check();
          if (next === undefined) break;
          yield { origin: path, records: next };
          this.#lifetime.check();
        }
      } finally {
        await batches.return(undefined);
      }
    }
  }

  /** What a file throws is said of that file; what the consumer throws is not caught. */
  async #guarded(
    path: string,
    batches: AsyncGenerator<readonly Uint8Array[]>,
  ): Promise<readonly Uint8Array[] | undefined> {
    try {
      const next = await batches.next();
      return next.done === true ? undefined : next.value;
    } catch (cause) {
      // Its writer left it, or moved it away, since the directory was listed.
      if (errnoOf(cause) !== "ENOENT") this.#skip(path, `cannot be read: ${reasonOf(cause)}`);
      return undefined;
    }
  }

  async *#readFile(path: string): AsyncGenerator<readonly Uint8Array[]> {
    const { position, probe } = this.#seenFile(path);
    if (probe.unchanged(await this.#stamp(path), performance.now())) return;
    yield* this.#format.read(path, position, (what) => this.#skip(path, what));
    probe.finished();
  }

  async #stamp(path: string): Promise<string> {
    const stamps = this.#format.related(path).map(async (related) => {
      const found = await stat(related).catch(() => undefined);
      return found ? [found.size, found.mtimeMs, found.ctimeMs, found.ino].join(" ") : "-";
    });
    return (await Promise.all(stamps)).join("|");
  }

  #seenFile(path: string): SeenFile<Position> {
    let seen = this.#seen.get(path);
    if (seen === undefined) {
      seen = { position: this.#format.start(), probe: new ChangeProbe(), warned: new Set() };
      this.#seen.set(path, seen);
    }
    return seen;
  }

  #skip(path: string, what: string): void {
    const { warned } = this.#seenFile(path);
    if (warned.has(what)) return;
    warned.add(what);
    const message = `The checkpoint file ${
      printable(path)
    } ${what}. Work that only it records runs again.`;
    this.#onWarning({ message, subject: path });
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.#lifetime.check();
    if (records.length === 0) return;
    await this.#lifetime.inTurn(() => this.#append(records));
  }

  async #append(records: readonly Uint8Array[]): Promise<void> {
    const file = await this.#fileFor(records);
    try {
      await file.append(records);
    } catch (cause) {
      // What a failed commit or sync left behind is not to be relied upon, neither in the
      // driver nor in the system's cache: a retry gets a new file.
      await this.#leaveFile().catch(() => {});
      throw fileError("CHECKPOINT_WRITE", "Cannot record in", file.path, cause);
    }
  }

  async #fileFor(records: readonly Uint8Array[]): Promise<OwnFile> {
    if (this.#own === undefined) await this.#directory.refuseOtherStores();
    try {
      if (this.#own?.hasRoom(records.length) === false) await this.#leaveFile();
      this.#own ??= await this.#createFile();
      await this.#own.reserve(records);
      return this.#own;
    } catch (cause) {
      const path = this.#own?.path ?? this.#directory.records;
      throw fileError("CHECKPOINT_WRITE", "Cannot record in", path, cause);
    }
  }

  async #createFile(): Promise<OwnFile> {
    if (this.#parts === 0) await this.#directory.removeAbandoned();
    const file = await this.#format.create(this.#directory, this.writer, this.#parts);
    this.#parts++;
    this.#ownPaths.add(file.path);
    return file;
  }

  async #leaveFile(): Promise<void> {
    const file = this.#own;
    this.#own = undefined;
    await file?.close();
  }

  close(): Promise<void> {
    return this.#lifetime.end(async () => {
      this.#seen.clear();
      await this.#leaveFile();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
