import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore, StoreCapabilities } from "../../core/store.ts";
import type { StoreProcess } from "./store_process.ts";

/** How a case opens the store under test. */
export interface OpenOptions {
  /** Is told of each file that cannot be read. */
  readonly onWarning: (warning: StoreWarning) => void;
}

/** What an adapter tells the suite about its store. */
export interface Harness {
  /** What reports call the store. */
  readonly name: string;
  /** What the store can do; cases that need more are skipped. */
  readonly capabilities: StoreCapabilities;
  /**
   * The URL of the module whose default export this harness is (`import.meta.url` there), so
   * that other processes can open the store. Without it the cases that need them are skipped.
   */
  readonly module?: string;
  /**
   * Opens a store, and makes the directory where it is missing. Two stores opened for one
   * directory are two writers of one checkpoint.
   */
  open(directory: string, options: OpenOptions): Promise<CheckpointStore>;
  /**
   * Removes what a case left outside of its directory, which the suite removes itself.
   * @default nothing
   */
  remove?(directory: string): Promise<void>;
}

/** What a case works with: one checkpoint that is its own. */
export interface CaseHarness {
  /** The checkpoint's directory; it does not exist before the first store is opened. */
  readonly directory: string;
  /** What the store can do. */
  readonly capabilities: StoreCapabilities;
  /** What the stores have warned about so far. */
  readonly warnings: readonly StoreWarning[];
  /** The directory of one more checkpoint, for processes to open. It is removed after the case. */
  another(): string;
  /** Opens one more store for the checkpoint. It is closed after the case. */
  open(): Promise<CheckpointStore>;
  /** Opens one more store for the checkpoint in a process of its own, which ends with the case. */
  start(): Promise<StoreProcess>;
}

/** What a case cannot do without: a capability of the store, or processes that open it. */
export type Need = keyof StoreCapabilities | "processes";

/** One thing that every store must do. */
export interface ConformanceCase {
  /** The operation and what it does, as in `append() keeps the order`. */
  readonly name: string;
  /** What the case cannot do without. */
  readonly needs: readonly Need[];
  /** Rejects when the store does not conform. */
  run(harness: CaseHarness): Promise<void>;
}
