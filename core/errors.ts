/** What went wrong, as a stable string that callers and tests match. */
export type ErrorCode =
  | "CHECKPOINT_FORMAT"
  | "CHECKPOINT_MANIFEST"
  | "CHECKPOINT_MISMATCH"
  | "CHECKPOINT_OPEN"
  | "CHECKPOINT_READ"
  | "CHECKPOINT_WRITE"
  | "DRIVER_MISSING"
  | "INPUT_EMPTY"
  | "INPUT_UNREADABLE"
  | "MODULE_INVALID"
  | "OPTION_INVALID"
  | "OUTPUT_UNWRITABLE"
  | "PIPELINE_INVALID"
  | "RECORD_INVALID"
  | "RUN_ABORTED"
  | "SOURCE_DUPLICATE"
  | "SOURCE_FAILED"
  | "SOURCE_ID_INVALID"
  | "STAGE_NOT_RESUMABLE"
  | "STAGE_SETUP"
  | "STAGE_TEARDOWN"
  | "STORE_CLOSED"
  | "STORE_UNKNOWN"
  | "TASK_RESULT_INVALID"
  | "TOO_MANY_FAILURES";

/** Options of {@link TidemarkError}. */
export interface TidemarkErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** The file, source, stage or option that the error is about. */
  readonly subject?: string;
}

/**
 * The base of every error that Tidemark raises by itself. Its message says what happened,
 * to what, and what to do next; its `code` is stable across releases.
 */
export class TidemarkError extends Error {
  /** The name of the class. */
  override readonly name: string = "TidemarkError";
  /** What went wrong, to match on. */
  readonly code: ErrorCode;
  /** The file, source, stage or option that the error is about. */
  readonly subject: string | undefined;

  /** `message` says what happened, to what, and what to do next. */
  constructor(code: ErrorCode, message: string, options: TidemarkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.subject = options.subject;
  }
}

/** The message of anything that was thrown, however odd. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.message || thrown.name;
    return String(thrown);
  } catch {
    return "an error that cannot be printed";
  }
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const LONGEST_SHOWN = 200;

/**
 * A text from data (an id, a file name) made safe for a message or a terminal: control and
 * invisible characters become `\u{…}`, and what is over `most` characters is cut.
 * @param most A whole number from 1. @default 200
 */
export function printable(text: string, most: number = LONGEST_SHOWN): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(UNPRINTABLE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
