import { TidemarkError } from "../core/errors.ts";

/**
 * The life of one store handle: what it does happens in turn, nothing happens after its
 * end, and it ends once.
 */
export class Lifetime {
  readonly #subject: string;
  #ended = false;
  #last: Promise<unknown> = Promise.resolve();
  #end: Promise<void> | undefined;

  /** @param subject What the store keeps its records in, for messages. */
  constructor(subject: string) {
    this.#subject = subject;
  }

  /** @throws {TidemarkError} `STORE_CLOSED` after {@link Lifetime.end} was called. */
  check(): void {
    if (!this.#ended) return;
    throw new TidemarkError(
      "STORE_CLOSED",
      `The checkpoint store at ${this.#subject} is closed: open it again to use it`,
      { subject: this.#subject },
    );
  }

  /** Runs `step` after all steps that were given before it. */
  async inTurn<T>(step: () => Promise<T>): Promise<T> {
    this.check();
    const result = this.#last.then(step);
    this.#last = result.catch(() => {});
    return await result;
  }

  /** Ends the life: `release` runs once, after the steps that have begun. */
  end(release: () => Promise<void>): Promise<void> {
    this.#ended = true;
    this.#end ??= this.#last.then(release);
    return this.#end;
  }
}
