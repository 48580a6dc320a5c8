/** One run of the work, told in argv as JSON, that leaves a trace of what it opened. */
import { openSync, writeSync } from "node:fs";
import { RunError, type RunReport, TidemarkError } from "../../mod.ts";
import { type Work, workPipeline } from "./work.ts";

/** What a victim that was not killed prints. */
export interface VictimReport {
  readonly sources?: RunReport["sources"];
  /** How the run ended badly, in Tidemark's own words. */
  readonly error?: { readonly code: string; readonly message: string };
}

const work = JSON.parse(process.argv[2]!) as Work;
const trace = openSync(work.trace, "a");
const enough = new AbortController();
let left = work.mostOpened ?? Infinity;

async function run(): Promise<VictimReport> {
  try {
    const runnable = await workPipeline(work);
    const { sources } = await runnable.run({
      checkpoint: work.checkpoint,
      maxOpenSources: work.maxOpenSources,
      signal: enough.signal,
      onEvent: (event) => {
        // Synchronous, so that what was opened is on record before it is worked on.
        if (event.type === "source-opened") {
          writeSync(trace, `open ${event.source}\n`);
          if (--left === 0) enough.abort();
        } else if (event.type === "warning") {
          writeSync(trace, `warning ${JSON.stringify(event.message)}\n`);
        }
      },
    });
    return { sources };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const { code, message } = error;
    return {
      error: { code, message },
      ...(error instanceof RunError ? { sources: error.report.sources } : {}),
    };
  }
}

console.log(JSON.stringify(await run()));
