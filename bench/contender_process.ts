import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Answer, type Assignment, decodeAnswer } from "./message.ts";
import { moduleCommand } from "./process.ts";
import type { Figures } from "./scenario.ts";

/** A contender did not take part: its driver is missing, or it failed. */
export class NotMeasured extends Error {
  override readonly name = "NotMeasured";
  readonly outcome: "skipped" | "failed";

  constructor(outcome: "skipped" | "failed", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}

/** One contender in its process. */
export class ContenderProcess implements AsyncDisposable {
  static readonly #running = new Set<ChildProcess>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #answers: Answer[] = [];
  #arrived = (): void => {};
  #isOver = false;
  #complaints = "";
  durability = "";

  private constructor(assignment: Assignment) {
    const { command, args } = moduleCommand("contender_main", [JSON.stringify(assignment)]);
    this.#child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: assignment.compiled },
    });
    ContenderProcess.#running.add(this.#child);
    this.#child.stderr!.on("data", (text) => (this.#complaints += text));
    // The process may have ended before it is told to.
    this.#child.stdin!.on("error", () => {});
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const answer = decodeAnswer(line);
      if (answer !== undefined) this.#answers.push(answer);
      this.#arrived();
    });
    this.#ended = new Promise((resolve) => {
      const end = (cause: unknown): void => {
        if (cause instanceof Error) this.#complaints += cause.message;
        this.#isOver = true;
        ContenderProcess.#running.delete(this.#child);
        this.#arrived();
        resolve();
      };
      this.#child.once("close", end);
      this.#child.once("error", end);
    });
  }

  /** Kills all that run, for when their directories are removed under them. */
  static killAll(): void {
    for (const child of ContenderProcess.#running) child.kill("SIGKILL");
  }

  /**
   * Starts a contender and waits until it is ready.
   * @throws {NotMeasured}
   */
  static async start(assignment: Assignment): Promise<ContenderProcess> {
    const contender = new ContenderProcess(assignment);
    try {
      const answer = await contender.#next();
      if (answer.kind === "ready") contender.durability = answer.durability;
      return contender;
    } catch (thrown) {
      await contender[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /**
   * Measures once.
   * @throws {NotMeasured}
   */
  async round(): Promise<Figures> {
    this.#child.stdin!.write("\n");
    const answer = await this.#next();
    if (answer.kind !== "figures") throw new NotMeasured("failed", "it answered something else");
    return answer.figures;
  }

  async #next(): Promise<Answer> {
    while (this.#answers.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
    const answer = this.#answers.shift();
    if (answer === undefined) {
      throw new NotMeasured("failed", `its process ended: ${this.#complaints.trim()}`);
    }
    if (answer.kind === "failed") throw new NotMeasured("failed", answer.reason);
    if (answer.kind === "unavailable") throw new NotMeasured("skipped", answer.reason);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }
}
