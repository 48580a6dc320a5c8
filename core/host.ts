import type { CheckpointConfig, CheckpointStore } from "./store.ts";

/**
 * What the pure engine needs from the platform it runs on. Everything that has a clock,
 * randomness or input and output comes through here, so that a simulation can replace it.
 */
export interface Host {
  /** Wall-clock time in milliseconds since 1970, for records and reports. */
  now(): number;
  /** Monotonic time in milliseconds, for durations. */
  elapsed(): number;
  /** A number in [0, 1), for jitter. */
  random(): number;
  /** A text of at least 128 random bits that no other call on any machine returns. */
  uniqueId(): string;
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves after pending input, output and signals had their turn. */
  yield(): Promise<void>;
  /** Opens a store by its configuration. */
  openStore(
    config: CheckpointConfig,
    onWarning: (warning: StoreWarning) => void,
  ): Promise<CheckpointStore>;
}

/** Something about a checkpoint that its user should know and that did not stop the run. */
export interface StoreWarning {
  /** What happened and what it means, in one sentence that names the file. */
  readonly message: string;
  /** The file, or other place, that the warning is about. */
  readonly subject?: string;
}
