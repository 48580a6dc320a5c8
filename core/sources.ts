import type { Checkpoint } from "./checkpoint.ts";
import { messageOf, printable, TidemarkError } from "./errors.ts";
import type { RunEvent } from "./event.ts";
import type { Host } from "./host.ts";
import { type LiveTask, OpenSource, sourceNames } from "./live_task.ts";
import { contentSourceId, positionalSourceId } from "./source_id.ts";
import { shown } from "./option_check.ts";
import type { AnyStage } from "./stage.ts";
import { TextIndex } from "./text_index.ts";

/** How long what other writers record may stay unseen, in milliseconds. */
const REFRESH_EVERY = 10_000;

/** What {@link Sources} needs to know about its run. */
export interface SourcesOptions {
  readonly checkpoint: Checkpoint;
  readonly host: Host;
  readonly sourceStage: AnyStage;
  /** The sink, when it wants to be told when a source is done. */
  readonly commit: ((source: OpenSource) => Promise<void>) | undefined;
  readonly discard: ((source: OpenSource) => Promise<void>) | undefined;
  readonly emit: (event: RunEvent) => void;
  /** A source's place is free again. */
  readonly onSettled: () => void;
  /** The store has given up. */
  readonly onUnrecorded: () => void;
  /** The sink could not commit a source. */
  readonly onCommitFailed: (source: OpenSource, thrown: unknown) => void;
}

/**
 * The sources of one run, from the moment that the source stage emits one to the moment that
 * it is recorded. A source counts as open until then, since a kill would repeat it.
 */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #seen: TextIndex;
  readonly #open = new Set<OpenSource>();
  #refreshed: number;
  #warnedOfPositions = false;
  #warnedOfLabels = false;
  /** Sources that drained in this run and are being committed and recorded. */
  settling = 0;
  /** Sources that drained in this run, recorded yet or not. */
  drained = 0;
  completed = 0;
  skipped = 0;
  /** Sources with a failed task, settled or not. */
  failing = 0;
  failed = 0;
  pending = 0;
  unrecorded = 0;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#seen = new TextIndex(() => options.host.random());
    this.#refreshed = options.host.elapsed();
  }

  /** How many sources are open. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Takes a payload that the source stage emitted for `parent`'s slot `index`.
   * @returns the source, or undefined when it is complete already.
   * @throws {TidemarkError} `SOURCE_DUPLICATE`, `SOURCE_ID_INVALID` or `SOURCE_FAILED`.
   */
  open(parent: LiveTask, payload: unknown, index: number): OpenSource | undefined {
    const { checkpoint, emit } = this.#options;
    const { contentId, version } = this.#identify(payload);
    const label = this.#labelOf(payload);
    if (contentId === undefined) this.#warnOfPositions();
    const id = contentId === undefined
      ? positionalSourceId([...parent.path, index])
      : contentSourceId(contentId);
    const known = this.#seen.size;
    if (this.#seen.add(id) < known) {
      throw new TidemarkError(
        "SOURCE_DUPLICATE",
        `the source stage emitted the id "${printable(id)}" twice in one run${
          label === undefined ? "" : `, now for ${printable(label)}`
        }: give every source an id of its own`,
        { subject: id },
      );
    }
    this.#refreshIfStale();
    const source = new OpenSource(id, version, `${parent.id}_${contentId ?? index}`, label);
    if (checkpoint.areComplete([source])[0]) {
      this.skipped++;
      emit({ type: "source-skipped", ...sourceNames(source) });
      return undefined;
    }
    this.#open.add(source);
    checkpoint.apply([{ kind: "opened", source: id }]);
    emit({ type: "source-opened", ...sourceNames(source) });
    return source;
  }

  /** Notes that a slot of the source failed. */
  fail(source: OpenSource, reason: string): void {
    if (source.failures++ > 0) return;
    source.failure = reason;
    this.failing++;
  }

  /** Nothing of the source is under way any more: it is recorded, or stays open for the next run. */
  settle(source: OpenSource): void {
    const { checkpoint, commit } = this.#options;
    if (source.failures === 0 && checkpoint.isDrained(source.id)) {
      this.settling++;
      this.drained++;
      source.settlement = commit === undefined
        ? this.#record(source)
        : this.#commit(source, commit);
    } else {
      this.#drop(source);
    }
  }

  /**
   * Gives up every open source: the run was aborted. Those that had drained by then are
   * committed and recorded all the same, since what is committed cannot be discarded.
   */
  async abandon(): Promise<void> {
    for (const source of this.#open) {
      if (source.settlement === undefined) this.#drop(source);
    }
    while (this.#open.size > 0) for (const { settlement } of this.#open) await settlement;
  }

  #identify(payload: unknown): { contentId: string | undefined; version: string | undefined } {
    const { sourceStage } = this.#options;
    try {
      return {
        contentId: sourceStage.sourceId?.(payload),
        version: sourceStage.sourceVersion?.(payload),
      };
    } catch (thrown) {
      throw new TidemarkError(
        "SOURCE_FAILED",
        `the id or version of a source could not be told: ${messageOf(thrown)}`,
        { cause: thrown, subject: sourceStage.name },
      );
    }
  }

  /** A label is only for people, so one that cannot be told ends nothing. */
  #labelOf(payload: unknown): string | undefined {
    const { sourceStage, emit } = this.#options;
    let fault: string;
    try {
      const label: unknown = sourceStage.sourceLabel?.(payload);
      if (label === undefined || label === "") return undefined;
      if (typeof label === "string") return label;
      // A promise may reject, and nobody waits for it.
      if (label instanceof Promise) label.catch(() => {});
      fault = `it is ${shown(label)}, not a text`;
    } catch (thrown) {
      fault = messageOf(thrown);
    }
    if (this.#warnedOfLabels) return undefined;
    this.#warnedOfLabels = true;
    emit({
      type: "warning",
      message: `the label of a source could not be told, so its id stands for it: ${fault}`,
      subject: sourceStage.name,
    });
    return undefined;
  }

  async #commit(source: OpenSource, commit: NonNullable<SourcesOptions["commit"]>): Promise<void> {
    try {
      await commit(source);
    } catch (thrown) {
      const reason = messageOf(thrown);
      this.settling--;
      this.drained--;
      this.fail(source, reason);
      this.#options.onCommitFailed(source, thrown);
      this.settle(source);
      return;
    }
    await this.#record(source);
  }

  #drop(source: OpenSource): void {
    const { discard } = this.#options;
    if (discard === undefined) this.#giveUp(source);
    else source.settlement = this.#discard(source, discard);
  }

  async #discard(
    source: OpenSource,
    discard: NonNullable<SourcesOptions["discard"]>,
  ): Promise<void> {
    try {
      await discard(source);
    } catch (thrown) {
      this.#options.emit({
        type: "warning",
        message:
          `source ${printable(source.label ?? source.id)}: what was written for it could not be ` +
          `removed: ${messageOf(thrown)}`,
        subject: source.id,
      });
    }
    this.#giveUp(source);
  }

  async #record(source: OpenSource): Promise<void> {
    const { checkpoint, emit, onUnrecorded } = this.#options;
    const recorded = await checkpoint.record(source.id, "complete", { version: source.version });
    if (recorded) {
      this.completed++;
      emit({ type: "source-completed", ...sourceNames(source) });
    } else {
      this.pending++;
      emit({ type: "source-pending", ...sourceNames(source) });
      // Otherwise its facts came to contradict each other while the sink committed it.
      if (checkpoint.failure !== undefined) {
        this.unrecorded++;
        onUnrecorded();
      }
    }
    this.settling--;
    this.#close(source);
  }

  #giveUp(source: OpenSource): void {
    const { checkpoint, emit } = this.#options;
    if (source.failures > 0) {
      this.failed++;
      // The source runs again whether this is recorded or not, so nothing waits for it. If
      // another writer has completed it meanwhile, that stays true.
      if (!checkpoint.areComplete([source])[0]) {
        void checkpoint.record(source.id, "failed", {
          version: source.version,
          failure: source.failure,
        });
      }
      emit({ type: "source-failed", ...sourceNames(source), reason: source.failure });
    } else {
      this.pending++;
      emit({ type: "source-pending", ...sourceNames(source) });
    }
    this.#close(source);
  }

  #close(source: OpenSource): void {
    this.#options.checkpoint.forget(source.id);
    this.#open.delete(source);
    this.#options.onSettled();
  }

  #refreshIfStale(): void {
    const { checkpoint, host, emit } = this.#options;
    if (!checkpoint.isKept || host.elapsed() - this.#refreshed < REFRESH_EVERY) return;
    this.#refreshed = host.elapsed();
    checkpoint.refresh().catch((thrown: unknown) =>
      emit({
        type: "warning",
        message: `what other writers recorded could not be read: ${messageOf(thrown)}`,
      })
    );
  }

  #warnOfPositions(): void {
    if (this.#warnedOfPositions || !this.#options.checkpoint.isKept) return;
    this.#warnedOfPositions = true;
    this.#options.emit({
      type: "warning",
      message: "the sources have no ids of their own, so the checkpoint knows them by their " +
        "position: if the input's order changes, it speaks of other work. Give the source an id",
    });
  }
}
