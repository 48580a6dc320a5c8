/**
 * Something that is true about a task of a source. A set of facts means the same in any
 * order and with any repetition. A task is named by its path: the child indices that lead
 * from the source, whose own path is empty, to it.
 */
export type Fact =
  /** The source stage emitted the source. */
  | { readonly kind: "opened"; readonly source: string }
  /** The sink consumed the task, or a stage filtered it. */
  | { readonly kind: "drained"; readonly source: string; readonly path: readonly number[] }
  /** The task turned into `children` tasks. Into 0: the same as drained. */
  | {
    readonly kind: "expanded";
    readonly source: string;
    readonly path: readonly number[];
    readonly children: number;
  };
