#!/usr/bin/env node
/**
 * The `tidemark` command.
 * @module
 */

import process from "node:process";

/** What an older Node lacks would show as an error in the middle of a run. */
const OLDEST_NODE = [22, 14] as const;

// Whoever reads the output may stop reading, as `head` does. That is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(
    `tidemark: this is Node ${process.versions.node}; it needs Node ${OLDEST_NODE.join(".")} or ` +
      "later, or Deno",
  );
  process.exitCode = 2;
} else {
  const { command } = await import("./command.ts");
  // Set rather than exited with, so that what was written reaches its reader.
  process.exitCode = await command(process.argv.slice(2));
}
