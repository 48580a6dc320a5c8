/** What a record can say about its source. The order is that of precedence at equal clocks. */
export const RECORD_STATES = ["failed", "complete", "reopened"] as const;

/** What a record says about its source. */
export type RecordState = (typeof RECORD_STATES)[number];

/** One durable statement about one source. */
export interface CheckpointRecord {
  /** The source's id: any non-empty text. */
  readonly source: string;
  /** What is said about the source. */
  readonly state: RecordState;
  /** A counter per source (Lamport's clock): the highest one wins. An integer from 1 to 2^53 - 1. */
  readonly clock: number;
  /** The writer that made the statement. */
  readonly writer: string;
  /** When it was made, in milliseconds since 1970. */
  readonly at: number;
  /** The version of the source's content that the statement is about. */
  readonly version?: string;
  /** Why the source failed. */
  readonly failure?: string;
}

/** What the merge looks at: a record without who wrote it and when. */
export type Standing = Pick<CheckpointRecord, "state" | "clock" | "version" | "failure">;

function compareText(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  return a < b ? -1 : 1;
}

/**
 * Orders two statements about the same source: positive when `a` prevails over `b`. The
 * higher clock wins; at a tie complete beats failed and reopened beats both; what is still
 * equal is ordered by its content, so that a merge depends on nothing but the records.
 */
export function compareStandings(a: Standing, b: Standing): number {
  return (
    a.clock - b.clock ||
    RECORD_STATES.indexOf(a.state) - RECORD_STATES.indexOf(b.state) ||
    compareText(a.version, b.version) ||
    compareText(a.failure, b.failure)
  );
}
