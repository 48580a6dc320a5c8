import process from "node:process";
import { type ErrorCode, printable } from "../mod.ts";
import { type CaseResult, loadHarness, validateStore } from "../test/conformance/mod.ts";
import { complain, errorOf } from "./complaint.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { isTidemarkError } from "./known_error.ts";
import { amount, seconds } from "./number_text.ts";

/** The options of `tidemark conformance` as they were given. */
export interface ConformanceFlags {
  /** In seconds. */
  readonly deadline?: number;
  readonly json?: boolean;
}

/** `tidemark conformance`. Resolves to the exit code; every error has been printed by then. */
export async function conformanceCommand(
  store: string,
  flags: ConformanceFlags,
): Promise<ExitCode> {
  using guard = new Guard();
  try {
    const harness = await loadHarness(store);
    if (!flags.json) console.log(`The conformance of the store ${printable(harness.name)}\n`);
    const report = await validateStore(harness, {
      stray: () => guard.takeStray(),
      ...(flags.deadline === undefined ? {} : { deadline: flags.deadline * 1000 }),
      ...(flags.json ? {} : { onResult: printResult }),
    });
    const { passed, failed, skipped, results } = report;
    const duration = results.reduce((sum, result) => sum + result.duration, 0) / 1000;
    console.log(
      flags.json
        ? JSON.stringify(report)
        : `\n${passed} passed, ${failed} failed, ${skipped} skipped of ` +
          `${amount(results.length, "case")} in ${seconds(duration)}`,
    );
    return report.ok ? EXIT.done : EXIT.failures;
  } catch (error) {
    complain(error);
    if (flags.json) console.log(JSON.stringify({ error: errorOf(error) }));
    return isTidemarkError(error) && NOTHING_TO_TEST.has(error.code) ? EXIT.usage : EXIT.failures;
  }
}

/** What a store says may be what matters most, and comes last. */
const LONGEST_REASON = 2_000;
/** What is not the store's fault. */
const NOTHING_TO_TEST: ReadonlySet<ErrorCode> = new Set(["DRIVER_MISSING", "MODULE_INVALID"]);

/** What a store under test must not do to the command. */
class Guard implements Disposable {
  #stray: unknown;
  readonly #note = (thrown: unknown): void => {
    this.#stray ??= thrown;
  };
  readonly #exit = (code: number): void => {
    process.stderr.write("tidemark: the store ended the process before the suite was done\n");
    process.exitCode = code || EXIT.failures;
  };
  // By an exit of its own, at which the suite removes its directories.
  readonly #stop = (): void => {
    process.off("exit", this.#exit);
    process.exit(EXIT.interrupted);
  };

  constructor() {
    process.on("unhandledRejection", this.#note);
    process.on("uncaughtException", this.#note);
    process.on("exit", this.#exit);
    process.on("SIGINT", this.#stop);
    process.on("SIGTERM", this.#stop);
  }

  /** What was thrown where nobody could catch it since the last time. */
  takeStray(): unknown {
    const stray = this.#stray;
    this.#stray = undefined;
    return stray;
  }

  [Symbol.dispose](): void {
    process.off("unhandledRejection", this.#note);
    process.off("uncaughtException", this.#note);
    process.off("exit", this.#exit);
    process.off("SIGINT", this.#stop);
    process.off("SIGTERM", this.#stop);
  }
}

const MARKS: Readonly<Record<CaseResult["outcome"], string>> = {
  passed: "ok  ",
  failed: "FAIL",
  skipped: "skip",
};

function printResult({ name, outcome, reason, duration }: CaseResult): void {
  const taken = outcome === "skipped" ? "" : `  ${duration.toFixed(0)} ms`;
  console.log(`${MARKS[outcome]}  ${name}${taken}`);
  for (const line of reason?.split("\n") ?? []) {
    console.log(`        ${printable(line, LONGEST_REASON)}`);
  }
}
