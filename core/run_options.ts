import { TidemarkError } from "./errors.ts";
import type { RunEvent } from "./event.ts";
import type { CheckpointConfig } from "./store.ts";

/** Options of a run. */
export interface RunOptions {
  /**
   * Where to record what is complete: a text such as `"./ckpt"` (LMDB) or `"sqlite:./ckpt"`,
   * an object `{ store, path }`, or a store, which its owner closes. Without it nothing is
   * recorded.
   */
  readonly checkpoint?: CheckpointConfig;
  /** How many calls each stage runs at once, unless it says so itself. @default 16 */
  readonly concurrency?: number;
  /**
   * How many sources may be open at once. Bounds memory, and what a kill costs: at most this
   * many sources run again. @default 64
   */
  readonly maxOpenSources?: number;
  /** When it aborts, the run opens no more sources, finishes the open ones and records them. */
  readonly signal?: AbortSignal;
  /** Is told everything that happens. Must be quick. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Gives up at the first failed slot. @default false */
  readonly failFast?: boolean;
  /**
   * Gives up when more slots than this have failed. `"auto"` gives up on a run that is going
   * wrong as a whole: 20 sources failed and more than did not, or a stage failed 1,000 slots
   * and more than it did not. @default "auto"
   */
  readonly maxFailures?: number | "auto";
  /** Go on with a checkpoint that another pipeline, or other stages, wrote. @default false */
  readonly resumeChanged?: boolean;
  /**
   * What the source stage is given, each with the id `0_<position>`; an `EmptyTask` keeps
   * `"0"`. @default one EmptyTask
   */
  readonly initialTasks?: readonly unknown[];
}

/** Run options that passed the check, with their defaults. */
export interface CheckedOptions {
  readonly concurrency: number;
  readonly maxOpenSources: number;
  readonly maxFailures: number | "auto";
  readonly failFast: boolean;
}

/**
 * Checks run options.
 * @throws {TidemarkError} `OPTION_INVALID`, naming the option.
 */
export function checkOptions(options: RunOptions): CheckedOptions {
  const { concurrency = 16, maxOpenSources = 64, maxFailures = "auto", failFast = false } = options;
  for (const [option, value] of Object.entries({ concurrency, maxOpenSources })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw invalid(option, "a whole number from 1", value);
    }
  }
  if (maxFailures !== "auto" && !(typeof maxFailures === "number" && maxFailures >= 0)) {
    throw invalid("maxFailures", `a number from 0 or "auto"`, maxFailures);
  }
  return { concurrency, maxOpenSources, maxFailures, failFast };
}

function invalid(option: string, wanted: string, value: unknown): TidemarkError {
  return new TidemarkError("OPTION_INVALID", `${option} must be ${wanted}, not ${String(value)}`, {
    subject: option,
  });
}
