import { printable, TidemarkError } from "../mod.ts";
import { type CaseResult, loadHarness, validateStore } from "../test/conformance/mod.ts";
import { complain } from "./complaint.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { amount, seconds } from "./number_text.ts";

/** The options of `tidemark conformance` as they were given. */
export interface ConformanceFlags {
  readonly json?: boolean;
}

/** `tidemark conformance`. Resolves to the exit code; every error has been printed by then. */
export async function conformanceCommand(
  store: string,
  flags: ConformanceFlags,
): Promise<ExitCode> {
  try {
    const harness = await loadHarness(store);
    if (!flags.json) console.log(`The conformance of the store ${printable(harness.name)}\n`);
    const report = await validateStore(harness, flags.json ? {} : { onResult: printResult });
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
    return error instanceof TidemarkError ? EXIT.usage : EXIT.failures;
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
  for (const line of reason?.split("\n") ?? []) console.log(`        ${printable(line)}`);
}
