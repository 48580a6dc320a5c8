/** Measures the stores and the engine beside simpler ways: `npm run bench -- --help`. */
import process from "node:process";
import { benchCommand } from "./command.ts";

// Whoever reads the output may stop reading, as `head` does. What is temporary is still removed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await benchCommand(process.argv.slice(2));
