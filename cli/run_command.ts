import process from "node:process";
import { messageOf, type RunError, type RunEvent, type RunReport } from "../mod.ts";
import { complain, errorOf } from "./complaint.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { isRunError, isTidemarkError } from "./known_error.ts";
import { type LoadedModule, loadModule } from "./load_module.ts";
import { amount } from "./number_text.ts";
import { progressOf } from "./progress.ts";
import { ProgressCount } from "./progress_count.ts";
import { summaryOf } from "./run_summary.ts";
import { StopSignals } from "./stop_signals.ts";

/** The options of `tidemark run` as they were given. */
export interface RunFlags {
  /** False for `--no-checkpoint`; true when neither form was given. */
  readonly checkpoint?: string | boolean;
  readonly concurrency?: number;
  readonly maxOpen?: number;
  readonly maxFailures?: number | "auto";
  readonly failFast?: boolean;
  readonly resumeChanged?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `tidemark run`. Resolves to the exit code; every error has been printed by then. */
export async function runCommand(
  module: string,
  args: readonly string[],
  flags: RunFlags,
): Promise<ExitCode> {
  if (flags.json) keepStandardOutputClean();
  try {
    const loaded = await loadModule(module, args);
    const checkpoint = checkpointOf(flags, loaded);
    const outcome = await runPipeline(loaded, checkpoint, flags);
    await present(outcome, loaded, checkpoint, flags);
    return exitCodeOf(outcome);
  } catch (error) {
    complain(error);
    if (flags.json) await print(JSON.stringify({ error: errorOf(error) }));
    return isTidemarkError(error) ? EXIT.usage : EXIT.failures;
  }
}

interface Outcome {
  readonly report: RunReport;
  /** Why the run was given up, if it was. */
  readonly error: RunError | undefined;
}

function checkpointOf(flags: RunFlags, loaded: LoadedModule): string | undefined {
  if (flags.checkpoint === false) return undefined;
  if (typeof flags.checkpoint === "string") return flags.checkpoint;
  return process.env["TIDEMARK_CHECKPOINT"] || loaded.checkpoint;
}

async function runPipeline(
  { pipeline }: LoadedModule,
  checkpoint: string | undefined,
  flags: RunFlags,
): Promise<Outcome> {
  const count = new ProgressCount();
  const progress = progressOf(count, flags.quiet ?? false);
  using stop = new StopSignals({
    onFirst: () =>
      progress.say(
        `Stopping: finishing ${
          amount(count.open, "open source")
        }, then recording; press Ctrl-C again to stop now`,
      ),
    onSecond: () => progress.stop(),
  });
  const onEvent = (event: RunEvent): void => {
    if (event.type === "run-started") progress.start(event.pipeline);
    else count.count(event);
  };
  try {
    const report = await pipeline.run({
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      ...(flags.maxOpen === undefined ? {} : { maxOpenSources: flags.maxOpen }),
      ...(flags.maxFailures === undefined ? {} : { maxFailures: flags.maxFailures }),
      ...(flags.failFast === undefined ? {} : { failFast: flags.failFast }),
      ...(flags.resumeChanged === undefined ? {} : { resumeChanged: flags.resumeChanged }),
      signal: stop.signal,
      onEvent,
    });
    return { report, error: undefined };
  } catch (error) {
    if (isRunError(error)) return { report: error.report, error };
    throw error;
  } finally {
    progress.stop();
  }
}

async function present(
  { report, error }: Outcome,
  loaded: LoadedModule,
  checkpoint: string | undefined,
  flags: RunFlags,
): Promise<void> {
  if (error !== undefined) complain(error);
  if (flags.json) {
    await print(
      JSON.stringify(error === undefined ? report : { ...report, error: errorOf(error) }),
    );
    return;
  }
  const { completed, skipped, failed, pending } = report.sources;
  const met = completed + skipped + failed + pending;
  if (flags.quiet || (error !== undefined && met === 0)) return;
  await print(summaryOf(report, checkpoint));
  if (loaded.summary === undefined || error !== undefined || report.interrupted) return;
  try {
    const text = await loaded.summary(report);
    if (typeof text === "string") await print(text);
  } catch (thrown) {
    // The work is done and recorded; a summary that fails does not change that.
    process.stderr.write(`tidemark: the module's summary failed: ${messageOf(thrown)}\n`);
  }
}

function exitCodeOf({ report, error }: Outcome): ExitCode {
  if (error?.code === "INPUT_EMPTY" || error?.code === "OPTION_INVALID") return EXIT.usage;
  if (report.interrupted) return EXIT.interrupted;
  const { failed, pending } = report.sources;
  return error !== undefined || failed + pending > 0 ? EXIT.failures : EXIT.done;
}

/** Writes a line or more to standard output and waits until they are taken. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`, () => resolve());
  });
}

/** What the module's code prints goes to standard error, because standard output is one document. */
function keepStandardOutputClean(): void {
  for (const method of ["log", "info", "debug"] as const) console[method] = console.error;
}
