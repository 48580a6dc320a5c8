import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CheckpointRecord, Standing } from "../../core/record.ts";

/** What a {@link StoreProcess} can be asked. */
export type Command =
  /** Append one batch of numbered records. */
  | {
    readonly do: "append";
    readonly start: number;
    readonly count: number;
    readonly length?: number;
  }
  /** Append one batch of encoded records. */
  | { readonly do: "state"; readonly records: readonly CheckpointRecord[] }
  /**
   * Append batches of numbered records from 0 on, without an end, and say how many are durable.
   * `watched`: another handle of the same process reads after each.
   */
  | {
    readonly do: "flood";
    readonly count: number;
    readonly length: number;
    readonly watched?: boolean;
  }
  /** Read, and tell the numbers. */
  | { readonly do: "read" }
  /** Propose a manifest, and tell the one that stands. */
  | { readonly do: "manifest"; readonly text: string }
  /**
   * Open another checkpoint, wait for a moment in milliseconds since 1970, propose a manifest
   * there, which is a text again and again, and tell which text the one that stands repeats.
   */
  | {
    readonly do: "race";
    readonly checkpoint: string;
    readonly text: string;
    readonly times: number;
    readonly at: number;
  }
  /** Read, and tell what the records say. */
  | { readonly do: "survey" }
  /** Close the store and listen no more. */
  | { readonly do: "close" };

/** What a process found when it read everything. */
export interface Survey {
  /** What each sound record says of its source. */
  readonly records: readonly (Standing & { readonly source: string })[];
  /** Where damaged records come from, and what the store warned about. */
  readonly named: readonly string[];
}

/** What was still open after a store was closed. */
export interface Leftovers {
  /** Files below the checkpoint's directory; undefined where the system does not tell. */
  readonly files: readonly string[] | undefined;
  /** How many processes it had started; undefined where the system does not tell. */
  readonly processes: number | undefined;
}

/** A line that the process prints. */
export interface Answer {
  /** How many records of a flood are durable. */
  readonly durable?: number;
  /** What `read` found. */
  readonly numbers?: readonly number[];
  /** The manifest that stands. */
  readonly manifest?: string;
  /** What `survey` found. */
  readonly survey?: Survey;
  /** What `close` left open. */
  readonly leftovers?: Leftovers;
  /** Why the command failed. */
  readonly error?: { readonly message: string; readonly code?: string };
}

/** Stands before an answer, since a store may print what it likes. */
const MARK = "\u0001tidemark ";

/** An answer as a line. */
export function encodeAnswer(answer: Answer): string {
  return `${MARK}${JSON.stringify(answer)}\n`;
}

function answerIn(line: string): Answer | undefined {
  const at = line.indexOf(MARK);
  return at < 0 ? undefined : JSON.parse(line.slice(at + MARK.length)) as Answer;
}

const PROGRAM = new URL(`./store_program${import.meta.url.slice(-3)}`, import.meta.url);

/** A store that is open in a process of its own. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<void>;
  readonly #answers: Answer[] = [];
  #wake: () => void = () => {};
  #complaint = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! });
    this.#lines.on("line", (line) => {
      const answer = answerIn(line);
      if (answer === undefined) return;
      this.#answers.push(answer);
      this.#wake();
    });
    child.stderr!.on("data", (text: Buffer) => (this.#complaint += text.toString()));
    // Closed when its output has been read to the end, so that no answer is missed.
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#complaint += error.message;
        resolve();
      });
      child.once("close", () => {
        resolve();
        this.#wake();
      });
    });
  }

  /**
   * Starts a process that opens the store of a harness module.
   * @param module The module's URL.
   */
  static start(module: string, directory: string): StoreProcess {
    const program = PROGRAM.protocol === "file:" ? fileURLToPath(PROGRAM) : PROGRAM.href;
    const args = "Deno" in globalThis ? ["run", "-A", "--quiet", program] : [program];
    const child = spawn(process.execPath, [...args, module, directory], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    // Whoever writes to a process that has died hears of it by its end.
    child.stdin.on("error", () => {});
    return new StoreProcess(child);
  }

  /** Resolves when the store is open. */
  async opened(): Promise<void> {
    await this.#answer();
  }

  /** Asks for something and waits for the answer. */
  async ask(command: Command): Promise<Answer> {
    this.send(command);
    return await this.#answer();
  }

  /** Asks for something. */
  send(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** Whether there is an answer that nobody has waited for. */
  get hasAnswered(): boolean {
    return this.#answers.length > 0;
  }

  /** How many records of a flood the process said were durable. */
  get durable(): number {
    return this.#answers.at(-1)?.durable ?? 0;
  }

  /** Resolves when so many records of a flood are durable. */
  async reached(count: number): Promise<void> {
    while (this.durable < count) await this.#next();
  }

  async #answer(): Promise<Answer> {
    while (this.#answers.length === 0) await this.#next();
    const answer = this.#answers.shift()!;
    if (answer.error !== undefined) {
      const { message, code } = answer.error;
      throw Object.assign(new Error(message), code === undefined ? {} : { code });
    }
    return answer;
  }

  async #next(): Promise<void> {
    const before = this.#answers.length;
    const answered = new Promise<void>((resolve) => (this.#wake = resolve));
    await Promise.race([answered, this.#ended]);
    if (this.#answers.length === before) assert.fail(`the process ${this.#end()}`);
  }

  #end(): string {
    const { signalCode, exitCode } = this.#child;
    const how = signalCode === null ? `exited with ${exitCode}` : `died of ${signalCode}`;
    return `${how} ${this.#complaint.slice(-2000)}`.trimEnd();
  }

  /** Kills the process with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /**
   * Waits until the process ends by itself.
   * @param patience In milliseconds.
   */
  async ends(patience: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, patience, true);
    });
    const isLate = await Promise.race([late, this.#ended.then(() => false)]);
    clearTimeout(timer);
    assert.ok(!isLate, `the process goes on ${patience / 1000} s after its store was closed`);
    assert.equal(this.#child.exitCode, 0, `the process ${this.#end()}`);
  }
}
