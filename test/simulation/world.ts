import { setImmediate } from "node:timers";
import { randomFrom } from "../random.ts";
import { type Counts, type Covered, noCounts } from "./coverage.ts";
import { EventQueue, type Owner } from "./event_queue.ts";

/** Something that must never happen, and did. */
export interface Violation {
  /** Which check found it. */
  readonly check: string;
  readonly message: string;
  /** After how many steps. */
  readonly step: number;
}

/** A simulation that takes more steps than this does not end. */
const STEP_BUDGET = 60_000;

/**
 * Everything outside the processes: the clock, chance, and the one queue of what is going to
 * happen. Nothing in it depends on the machine, so a seed repeats a world event by event.
 */
export class World {
  readonly counts: Counts = noCounts();
  readonly violations: Violation[] = [];
  /** What happened, when somebody wants to read it. */
  readonly lines: string[] | undefined;
  readonly random: () => number;
  /** Virtual milliseconds since the start. */
  time = 0;
  /** Events that have happened. */
  steps = 0;
  /** Whose event is happening. */
  current: Owner | undefined;
  #hash = 0x811c9dc5;
  #scheduled = 0;
  readonly #queue = new EventQueue();

  constructor(seed: number, isVerbose: boolean) {
    this.random = randomFrom(seed);
    this.lines = isVerbose ? [] : undefined;
  }

  /** A fingerprint of all that happened (FNV-1a): equal on every machine and runtime. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** The list in another order (Fisher and Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }

  /** Lets something happen after `delay` virtual milliseconds. */
  schedule(
    owner: Owner | undefined,
    delay: number,
    label: string,
    fire: () => void,
    atCrash?: () => void,
  ): void {
    const order = this.#scheduled++;
    this.#queue.push({ time: this.time + delay, order, owner, label, fire, atCrash });
  }

  /** Drops what an owner waits for. Effects that were on their way happen or not. */
  crash(owner: Owner): void {
    this.note(owner.name, "crashes");
    this.count("crashes");
    for (const { atCrash } of this.#queue.drop(owner)) atCrash?.();
  }

  /** Writes a line of the log. */
  note(who: string, what: string): void {
    const line = `${this.time.toFixed(2)} ${who} ${what}`;
    for (let i = 0; i < line.length; i++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    }
    this.lines?.push(line);
  }

  count(what: Covered): void {
    this.counts[what]++;
  }

  violate(check: string, message: string): void {
    this.note("VIOLATION", `${check}: ${message}`);
    this.violations.push({ check, message, step: this.steps });
  }

  /**
   * Lets events happen until `isOver`, the first violation, or the end of all events. After
   * each one everything that follows from it without another event happens too.
   */
  async run(isOver: () => boolean, afterStep: () => void): Promise<void> {
    while (!isOver() && this.violations.length === 0) {
      const event = this.#queue.pop();
      if (event === undefined) return;
      if (++this.steps > STEP_BUDGET) {
        this.violate("the end", `not reached after ${STEP_BUDGET} steps`);
        return;
      }
      this.time = Math.max(this.time, event.time);
      this.current = event.owner;
      this.note(event.owner?.name ?? "world", event.label);
      try {
        event.fire();
      } catch (thrown) {
        this.violate("errors", thrown instanceof Error ? thrown.stack ?? "" : String(thrown));
      }
      await this.settle();
      afterStep();
      this.current = undefined;
    }
  }

  /** Resolves when no promise has anything to do without another event. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
