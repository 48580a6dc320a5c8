/** One run of the work, told in argv as JSON, that says which sources it was told are complete. */
import { writeSync } from "node:fs";
import process from "node:process";
import { runWork, type Work } from "./work.ts";

await runWork(JSON.parse(process.argv[2]!) as Work, (event) => {
  // Synchronous, so that what was said before the power failed is known.
  if (event.type === "source-completed") writeSync(1, `${event.source}\n`);
});
