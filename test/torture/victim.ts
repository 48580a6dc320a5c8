/** One run of the work, told in argv as JSON, that leaves a trace of what it opened. */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TRACE, type Work, workPipeline } from "./work.ts";

const work = JSON.parse(process.argv[2]!) as Work;
const trace = openSync(join(work.directory, TRACE), "a");
const runnable = await workPipeline(work);
const report = await runnable.run({
  checkpoint: work.checkpoint,
  maxOpenSources: work.maxOpenSources,
  onEvent: (event) => {
    // Synchronous, so that what was opened is on record before it is worked on.
    if (event.type === "source-opened") writeSync(trace, `open ${event.source}\n`);
    else if (event.type === "run-started") writeSync(trace, "start\n");
    else if (event.type === "warning") {
      writeSync(trace, `warning ${JSON.stringify(event.message)}\n`);
    }
  },
});
console.log(JSON.stringify(report.sources));
