/** Measures the stores and the engine beside simpler ways: `npm run bench -- --help`. */
import process from "node:process";
import { benchCommand } from "./command.ts";

process.exitCode = await benchCommand(process.argv.slice(2));
