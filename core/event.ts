/** What happens during a run, in order, for progress displays and logs. */
export type RunEvent =
  | {
    readonly type: "run-started";
    readonly pipeline: string;
    readonly stages: readonly string[];
    readonly alreadyComplete: number;
  }
  /** How many sources there will be, when the source stage knows. */
  | { readonly type: "sources-expected"; readonly count: number }
  | (SourceNames & { readonly type: "source-opened" })
  | (SourceNames & { readonly type: "source-skipped" })
  /** The source is complete and, with a checkpoint, recorded. */
  | (SourceNames & { readonly type: "source-completed" })
  | (SourceNames & { readonly type: "source-failed"; readonly reason: string })
  /** Nothing of the source is under way any more, but it is not complete: it runs again. */
  | (SourceNames & { readonly type: "source-pending" })
  | { readonly type: "task-failed"; readonly failure: TaskFailure }
  | {
    readonly type: "stage-retried";
    readonly stage: string;
    readonly attempt: number;
    readonly reason: string;
  }
  | { readonly type: "warning"; readonly message: string; readonly subject?: string }
  /** The run was asked to stop: it opens no more sources and finishes the open ones. */
  | { readonly type: "draining"; readonly reason: string }
  | { readonly type: "run-finished"; readonly report: RunReport };

/** What a source is called. */
export interface SourceNames {
  /** Its id, which the checkpoint knows it by. */
  readonly source: string;
  /** What people call it, when the source stage says so: a file's path, say. */
  readonly label?: string;
}

/** One slot that failed. */
export interface TaskFailure {
  /** The stage that failed it. */
  readonly stage: string;
  /** The source that it belongs to, unless that is unknown. */
  readonly source: string | undefined;
  /** What people call that source, when the source stage says so: a file's path, say. */
  readonly label?: string;
  /** The lineage path of the slot's task. */
  readonly task: string;
  /** What was thrown or returned as the reason. */
  readonly reason: string;
  /**
   * What was thrown, with its stack, when something was. Not enumerable: JSON and copies by
   * spreading leave it out.
   */
  readonly cause?: unknown;
}

/** What one stage did in a run. */
export interface StageReport {
  /** The stage's name, unique in the pipeline. */
  readonly name: string;
  /** Tasks taken in. */
  readonly tasks: number;
  /** Tasks passed on, or consumed by the sink. */
  readonly emitted: number;
  /** Slots that it filtered. */
  readonly filtered: number;
  /** Slots that it failed. */
  readonly failed: number;
  /** Milliseconds spent in the stage's code, summed over concurrent calls. */
  readonly busy: number;
}

/** What a run did. */
export interface RunReport {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** What became of the sources. */
  readonly sources: {
    /** Completed in this run and, with a checkpoint, recorded. */
    readonly completed: number;
    /** Complete already; not run. */
    readonly skipped: number;
    /** A task of theirs failed; they run again next time. */
    readonly failed: number;
    /** Not finished and not failed; they run again next time. */
    readonly pending: number;
    /** Of the pending ones: finished, but the checkpoint could not record it. */
    readonly unrecorded: number;
  };
  /** The stages in order. */
  readonly stages: readonly StageReport[];
  /** The first 100 failures. */
  readonly failures: readonly TaskFailure[];
  /** How many slots failed. */
  readonly failureCount: number;
  /** The first 100 warnings. */
  readonly warnings: readonly string[];
  /** When the run started, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds from start to end. */
  readonly duration: number;
  /** The run was asked to stop before the input was exhausted. */
  readonly interrupted: boolean;
}
