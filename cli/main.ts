#!/usr/bin/env node
/**
 * The `tidemark` command.
 * @module
 */

import process from "node:process";
import { command } from "./command.ts";

// Whoever reads the output may stop reading, as `head` does. That is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// Set rather than exited with, so that what was written reaches its reader.
process.exitCode = await command(process.argv.slice(2));
