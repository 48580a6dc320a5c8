import process from "node:process";
import { EXIT } from "./exit_code.ts";

/** What to do when the process is asked to stop. */
export interface StopSignalsOptions {
  /** The first signal came. */
  readonly onFirst: (signal: NodeJS.Signals) => void;
  /** The second came and the process ends now. */
  readonly onSecond: () => void;
}

/**
 * Lets the first SIGINT or SIGTERM ask a run to stop, and the second end the process at once.
 * Dispose of it to have the usual behaviour back.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #options: StopSignalsOptions;
  readonly #names: readonly NodeJS.Signals[] = process.platform === "win32"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];

  constructor(options: StopSignalsOptions) {
    this.#options = options;
    for (const name of this.#names) process.on(name, this.#onSignal);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#controller.signal.aborted) {
      this.#options.onSecond();
      process.exit(EXIT.interrupted);
    }
    this.#options.onFirst(name);
    this.#controller.abort(new Error(`${name} was received`));
  };
}
