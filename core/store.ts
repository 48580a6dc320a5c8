/**
 * The contract between the engine and whatever keeps its records: a store is an
 * append-only log per writer. Records are opaque bytes to it; the engine encodes, verifies
 * and merges them.
 */

/** Records of one writer, in the order in which that writer appended them. */
export interface RecordBatch {
  /** Where the bytes come from, for warnings: a text that holds the writer's name, as a file's path does. */
  readonly origin: string;
  /** Encoded records, at most 10,000. Whoever receives them may keep them. */
  readonly records: readonly Uint8Array[];
}

/**
 * Which store to open: a text such as `"./ckpt"`, `"sqlite:./ckpt"` or `"memory:"`, the same
 * as an object with the store's options, or a store that is open already.
 */
export type CheckpointConfig =
  | string
  | { readonly store: string; readonly path?: string; readonly [option: string]: unknown }
  | CheckpointStore;

/** What a store can do. The conformance suite derives its skips from these. */
export interface StoreCapabilities {
  /** Records outlive the process that appended them. */
  readonly durable: boolean;
  /** Other writers may append to the same checkpoint at the same time. */
  readonly shared: boolean;
  /**
   * Records are kept in files below the checkpoint's directory, each writer's in one of its
   * own, so that a damaged file costs no more than what was in it. A warning names it.
   */
  readonly files: boolean;
}

/** An adapter that keeps records durably. */
export interface CheckpointStore extends AsyncDisposable {
  /**
   * The name of this handle among the checkpoint's writers, which no other handle ever has:
   * letters, digits, `.`, `_` and `-`.
   */
  readonly writer: string;
  /** What the user calls the checkpoint, for messages: its directory, say. */
  readonly location: string;
  /** What this store can do. */
  readonly capabilities: StoreCapabilities;

  /**
   * Creates the checkpoint's manifest with `proposed` unless there is one already, as one
   * atomic step among all writers.
   * @returns the manifest that stands.
   */
  manifest(proposed: string): Promise<string>;

  /**
   * Every writer's records that this handle has not yielded yet: on the first call all of
   * them, later what has been added since, this handle's own appends left out. A damaged
   * or foreign file is skipped with a warning and never ends the iteration. Iterating only
   * a part of it is allowed, one iteration at a time; what was not yielded comes next time. Records come once, unless
   * what they were read from was replaced or is damaged.
   */
  read(): AsyncIterable<RecordBatch>;

  /**
   * Appends records as one atomic commit: after a crash all of them are there or none.
   * Resolves when they are on disk. The caller waits for one append before the next.
   * @throws {TidemarkError} `CHECKPOINT_WRITE` when the store refuses. The same batch may be
   * tried again: a record that a failed sync left behind nevertheless does no harm.
   */
  append(records: readonly Uint8Array[]): Promise<void>;

  /** Releases every file and handle. A second call does nothing. */
  close(): Promise<void>;
}
