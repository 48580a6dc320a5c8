import type { RunEvent } from "../mod.ts";

/** Counts a run's events. There may be a million of them, so it does no more than count. */
export class ProgressCount {
  total: number | undefined;
  opened = 0;
  completed = 0;
  skipped = 0;
  failed = 0;
  pending = 0;
  failedTasks = 0;
  #startedAt: number | undefined;
  readonly #now: () => number;

  /** @param now Milliseconds from a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  count(event: RunEvent): void {
    switch (event.type) {
      case "sources-expected":
        this.total = (this.total ?? 0) + event.count;
        break;
      case "source-opened":
        this.#startedAt ??= this.#now();
        this.opened++;
        break;
      case "source-skipped":
        this.skipped++;
        break;
      case "source-completed":
        this.completed++;
        break;
      case "source-failed":
        this.failed++;
        break;
      case "source-pending":
        this.pending++;
        break;
      case "task-failed":
        this.failedTasks++;
        break;
      case "run-started":
      case "stage-retried":
      case "warning":
      case "draining":
      case "run-finished":
        break;
    }
  }

  /** Sources that nothing is left to do for in this run. */
  get settled(): number {
    return this.completed + this.skipped + this.failed + this.pending;
  }

  /** Sources that are open. */
  get open(): number {
    return this.opened - this.completed - this.failed - this.pending;
  }

  /** Sources that were run per second; those that were skipped say nothing about speed. */
  get rate(): number {
    if (this.#startedAt === undefined) return 0;
    const seconds = (this.#now() - this.#startedAt) / 1000;
    return seconds > 0 ? (this.completed + this.failed) / seconds : 0;
  }

  /** Seconds until the end at this rate; undefined when it cannot be told. */
  get secondsLeft(): number | undefined {
    if (this.total === undefined || this.rate === 0) return undefined;
    return Math.max(0, this.total - this.settled) / this.rate;
  }
}
