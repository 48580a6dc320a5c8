import { messageOf, TidemarkError } from "../../core/errors.ts";
import type { RunEvent, RunReport } from "../../core/event.ts";
import type { CheckpointRecord, RecordState } from "../../core/record.ts";
import { RunError } from "../../core/run.ts";
import { prevailing } from "./history.ts";
import { sourceOf } from "./record_checks.ts";
import { type Item, keyOf, versionText } from "./shape.ts";
import type { SimulatedProcess } from "./simulated_process.ts";

/** What a run is to do. */
export interface RunPlan {
  /** Its sources, in the order in which it meets them. */
  readonly items: readonly Item[];
  readonly maxOpenSources: number;
  readonly concurrency: number;
  readonly failFast: boolean;
  readonly maxFailures: number | "auto";
  /** Nothing goes wrong any more: it must finish. */
  readonly isClean: boolean;
}

const BEFORE_THE_RUN = ["CHECKPOINT_OPEN", "CHECKPOINT_READ", "STAGE_SETUP"];
const DURING_THE_RUN = [
  "CHECKPOINT_WRITE",
  "RUN_ABORTED",
  "SOURCE_DUPLICATE",
  "SOURCE_FAILED",
  "TOO_MANY_FAILURES",
];

/** How often in a row an append has to be refused before a run gives up. */
const PATIENCE = 3;

/** Watches one run from outside, and checks after each of its steps what it says and does. */
export class RunWatch {
  readonly process: SimulatedProcess;
  readonly plan: RunPlan;
  readonly stop: AbortController = new AbortController();
  /** The run resolved or rejected. */
  isOver = false;
  /** Sources that were opened and of which the run has not said what became of them. */
  readonly open: Set<number> = new Set();
  readonly #versions: ReadonlyMap<number, number>;
  readonly #tally = { opened: 0, skipped: 0, completed: 0, failed: 0, pending: 0, failures: 0 };
  readonly #opened = new Set<number>();
  /** Why this run cannot honestly call a source complete. */
  readonly #barred = new Map<number, string>();
  readonly #failed = new Set<number>();
  readonly #statedComplete = new Set<number>();
  /** Of these: it should have known better. */
  readonly #statedFalsely = new Map<number, string>();
  readonly #durablyComplete = new Set<number>();
  readonly #mustReopen = new Set<number>();
  #since: number | undefined;
  #isFinished = false;

  constructor(process: SimulatedProcess, plan: RunPlan) {
    this.process = process;
    this.plan = plan;
    this.#versions = new Map(plan.items.map((i) => [i.source, i.version]));
  }

  /** The store is being read: what is durable now has to be known to the run. */
  readStarts(): void {
    const { history, world } = this.process.simulation;
    if (this.#since === undefined) this.#since = history.length;
    else world.count("refreshed");
  }

  /** The version in which the run has a source. */
  versionOf(source: number): number {
    return this.#versions.get(source)!;
  }

  /** From now on the run cannot honestly call a source complete. */
  bar(source: number, reason: string): void {
    if (!this.#barred.has(source)) this.#barred.set(source, reason);
  }

  /** A fact that contradicts others arrived. */
  stray(source: number): void {
    if (this.#statedComplete.has(source) && !this.#barred.has(source)) {
      this.#mustReopen.add(source);
    }
    this.bar(source, "facts about it contradict each other");
  }

  /**
   * The run asks its owner to record something, which the owner takes or not, and of which it
   * may know that the source is complete.
   */
  states(key: string, state: RecordState, isTaken: boolean, isKnownComplete: boolean): void {
    const source = this.#source(key);
    if (state === "failed" && isKnownComplete) {
      this.#violate("no work twice", `a failure undoes the completion of ${key} by another writer`);
    }
    if (state !== "complete") return;
    const reason = this.#barred.get(source);
    if (reason !== undefined) this.#statedFalsely.set(source, reason);
    if (isTaken) this.#statedComplete.add(source);
    if (isTaken && reason !== undefined) {
      this.#violate("nothing complete early", `stated ${key}: ${reason}`);
    }
  }

  /** A record that the run made became durable. */
  recordDurable(source: number, { state, version, clock }: CheckpointRecord): void {
    const { shape } = this.process.simulation;
    const name = `${keyOf(shape, source)} ${state} ${clock}`;
    if (!this.#opened.has(source)) this.#violate("identity", `${name}: it never opened that`);
    const expected = this.#versions.get(source);
    if (expected === undefined) return;
    if (state !== "reopened" && versionText(shape, expected) !== version) {
      this.#violate("identity", `${name}: of version ${version}`);
    }
    if (state === "complete") {
      this.#durablyComplete.add(source);
      const reason = this.#statedFalsely.get(source);
      if (reason !== undefined) this.#violate("nothing complete early", `${name}: ${reason}`);
    } else if (state === "reopened") {
      if (!this.#barred.has(source)) this.#violate("reopening", `${name}: without a reason`);
      this.#mustReopen.delete(source);
    } else if (!this.#failed.has(source)) {
      this.#violate("reports", `${name}: nothing of it failed`);
    }
  }

  onEvent(event: RunEvent): void {
    const { world } = this.process.simulation;
    if (this.#isFinished) this.#violate("reports", `${event.type} after the end of the run`);
    switch (event.type) {
      case "source-opened":
        this.#onOpened(this.#source(event.source), event.source);
        break;
      case "source-skipped":
        this.#tally.skipped++;
        world.count("skipped");
        this.#mayBelieve(true, event.source);
        break;
      case "source-completed":
        this.#tally.completed++;
        this.#onSettled(event.source, false);
        if (!this.#durablyComplete.has(this.#source(event.source))) {
          this.#violate("reports", `${event.source} reported complete, but it is not on disk`);
        }
        break;
      case "source-failed":
        this.#tally.failed++;
        this.#onSettled(event.source, true);
        break;
      case "source-pending":
        this.#tally.pending++;
        this.#onSettled(event.source, false);
        break;
      case "task-failed":
        this.#tally.failures++;
        world.count("failures");
        if (event.failure.source !== undefined) this.#onFailure(event.failure.source);
        break;
      case "stage-retried":
        world.count("retries");
        break;
      case "warning":
        if (/It stays open|Its completion is undone/.test(event.message)) {
          world.count("contradictions");
          this.#onContradiction(event.subject ?? "");
        }
        break;
      case "run-finished":
        this.#isFinished = true;
        break;
      case "run-started":
      case "sources-expected":
      case "draining":
        break;
      default:
        event satisfies never;
    }
    world.note(this.process.name, `tells ${textOf(event)}`);
  }

  /** The run resolved. */
  onReport(report: RunReport): void {
    this.#onOver(report);
    const { items, failFast, maxFailures, isClean } = this.plan;
    const { completed, skipped, failed, pending, unrecorded } = report.sources;
    const met = completed + skipped + failed + pending;
    if (!report.interrupted && met !== items.length) {
      this.#violate("reports", `${met} sources met of ${items.length}, and no error`);
    }
    if (unrecorded > 0) this.#violate("reports", `${unrecorded} sources unrecorded, and no error`);
    if (report.failureCount > (failFast ? 0 : maxFailures === "auto" ? Infinity : maxFailures)) {
      this.#violate("reports", `${report.failureCount} failures, and no error`);
    }
    for (const source of this.#mustReopen) {
      const key = keyOf(this.process.simulation.shape, source);
      this.#violate("reopening", `${key} was contradicted after it was complete, and stayed so`);
    }
    if (isClean && completed + skipped !== items.length) {
      this.#violate("the end", `a clean run left ${failed} sources failed and ${pending} pending`);
    }
  }

  /** The run rejected. */
  onError(error: unknown): void {
    const text = messageOf(error);
    if (this.plan.isClean) this.#violate("the end", `a clean run gave up: ${text}`);
    if (error instanceof RunError) {
      this.process.simulation.world.count("aborted");
      this.#onOver(error.report);
      if (!DURING_THE_RUN.includes(error.code)) this.#violate("errors", `${error.code}: ${text}`);
      const { refusals } = this.process;
      if (error.code === "CHECKPOINT_WRITE" && refusals < PATIENCE) {
        this.#violate("errors", `gave the checkpoint up after ${refusals} refusals`);
      }
      if (error.report.sources.unrecorded > 0 && !/could not be recorded/.test(text)) {
        this.#violate("reports", `unrecorded sources not told: ${text}`);
      }
      return;
    }
    this.isOver = true;
    if (!(error instanceof TidemarkError) || !BEFORE_THE_RUN.includes(error.code)) {
      this.#violate("errors", error instanceof Error ? error.stack ?? text : text);
    }
  }

  /** How many of its open sources are not recorded complete: after a crash they run again. */
  get unfinished(): number {
    const { history, shape } = this.process.simulation;
    return [...this.open].filter((source) => {
      const last = prevailing(history.of(keyOf(shape, source)));
      return last?.state !== "complete" ||
        last.version !== versionText(shape, this.versionOf(source));
    }).length;
  }

  #onOver(report: RunReport): void {
    this.isOver = true;
    const { opened, failures, ...said } = this.#tally;
    const { unrecorded, ...counted } = report.sources;
    for (const what of ["completed", "skipped", "failed", "pending"] as const) {
      if (counted[what] !== said[what]) {
        this.#violate("reports", `${counted[what]} ${what} reported, but ${said[what]} told`);
      }
    }
    if (counted.completed + counted.failed + counted.pending !== opened) {
      this.#violate("reports", `${opened} opened, but reported ${JSON.stringify(report.sources)}`);
    }
    if (unrecorded > counted.pending) this.#violate("reports", "more unrecorded than pending");
    if (report.failureCount !== failures) this.#violate("reports", "failures counted wrong");
    if (report.interrupted && !this.stop.signal.aborted) {
      this.#violate("reports", "interrupted, but nobody asked it to stop");
    }
    if (this.open.size > 0) this.#violate("reports", `${this.open.size} sources still open`);
  }

  #onOpened(source: number, key: string): void {
    const { maxOpenSources } = this.plan;
    this.#tally.opened++;
    this.#mayBelieve(false, key);
    this.#opened.add(source);
    this.open.add(source);
    if (this.open.size > maxOpenSources) {
      this.#violate("bound", `${this.open.size} sources open, at most ${maxOpenSources} may be`);
    }
  }

  #onSettled(key: string, asFailed: boolean): void {
    const source = this.#source(key);
    if (!this.open.delete(source)) this.#violate("reports", `${key} settled twice`);
    if (asFailed !== this.#failed.has(source)) {
      this.#violate(
        "reports",
        `${key} ${asFailed ? "failed without" : "did not fail with"} a failed task`,
      );
    }
  }

  #onFailure(key: string): void {
    const source = this.#source(key);
    this.#failed.add(source);
    this.bar(source, "a task of it failed");
  }

  #mayBelieve(complete: boolean, key: string): void {
    const { history, shape } = this.process.simulation;
    const version = versionText(shape, this.#versions.get(this.#source(key)) ?? -1);
    const reader = { writer: this.process.name, since: this.#since ?? 0 };
    if (history.mayBelieve(complete, key, version, reader)) return;
    this.#violate(
      complete ? "skipping" : "no work twice",
      `${key} was ${complete ? "skipped, though not" : "opened, though already"} complete`,
    );
  }

  #onContradiction(key: string): void {
    const isBarred = this.#barred.has(this.#source(key));
    if (!isBarred) this.#violate("contradiction", `${key}: all facts about it were true`);
  }

  #source(key: string): number {
    const source = sourceOf(this.process.simulation, key);
    if (source === undefined) this.#violate("identity", `no source is called ${key}`);
    return source ?? -1;
  }

  #violate(check: string, message: string): void {
    this.process.simulation.world.violate(check, `${this.process.name}: ${message}`);
  }
}

function textOf(event: RunEvent): string {
  if ("source" in event) return `${event.type} ${event.source}`;
  return event.type === "warning" ? `${event.type}: ${event.message}` : event.type;
}
