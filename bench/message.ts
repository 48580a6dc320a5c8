import type { Figures, Parameters, Share } from "./scenario.ts";

/** What a contender's process is started with, as JSON in its first argument. */
export interface Assignment {
  readonly scenario: string;
  /** The share of preparing what contenders read, rather than being one. */
  readonly prepare?: Share;
  readonly contender: string;
  readonly parameters: Parameters;
  readonly store?: string;
  readonly directory: string;
  /** Where Node keeps compiled modules for the next process. Deno does so without being told. */
  readonly compiled: string;
  readonly prepared: string;
}

/** What a contender's process answers: once when it is ready, then to each line it is sent. */
export type Answer =
  | { readonly kind: "ready"; readonly durability: string }
  | { readonly kind: "figures"; readonly figures: Figures }
  | { readonly kind: "unavailable"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** Tells an answer from what a driver may print. */
const MARK = "tidemark-bench ";

/** An answer as a line. */
export function encodeAnswer(answer: Answer): string {
  return `${MARK}${JSON.stringify(answer)}\n`;
}

/** The answer in a line, unless it is something else. */
export function decodeAnswer(line: string): Answer | undefined {
  return line.startsWith(MARK) ? JSON.parse(line.slice(MARK.length)) as Answer : undefined;
}
