import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { ConformanceFlags } from "./conformance_command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { runCommand, type RunFlags } from "./run_command.ts";
import { VERSION } from "./version.ts";

const EXAMPLES = `
Options that are not listed here, and everything after "--", are given to the module.

Examples:
  $ tidemark run curate.ts --checkpoint ./ckpt
  $ tidemark run curate.ts --input 'texts/**/*.txt' --checkpoint sqlite:./ckpt
  $ tidemark run curate.ts --json --quiet > report.json

Exit codes:
  0 done   1 finished with failures   2 usage or configuration error   130 interrupted`;

/** Runs the command line. Resolves to the exit code. */
export async function command(argv: readonly string[]): Promise<ExitCode> {
  // Split here, because commander keeps a "--" that follows an option it does not know.
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const rest = argv.slice(end + 1);
  let code: ExitCode = EXIT.done;

  const program = new Command("tidemark")
    .description(
      "Runs resumable data pipelines: start a killed run again and only what had not finished runs.",
    )
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride();
  program.command("run")
    .description(
      "Run the pipeline that a module exports by default, or that its default function returns.",
    )
    .usage("<module> [options] [arguments for the module]")
    .argument("<module>", "a .ts, .js or .mjs file")
    .argument("[arguments...]", "what the module's function is given")
    .option(
      "--checkpoint <place>",
      "where to record what is complete: a directory (LMDB), sqlite:DIR or memory: (env: TIDEMARK_CHECKPOINT)",
      notEmpty,
    )
    .option("--no-checkpoint", "record nothing")
    .option("--concurrency <n>", "calls that each stage runs at once", positive)
    .option(
      "--max-open <n>",
      "sources that are open at once: at most so many run again after a kill",
      positive,
    )
    .option(
      "--max-failures <n>",
      'failed tasks after which the run is given up, or "auto"',
      failures,
    )
    .option("--fail-fast", "give up at the first failed task")
    .option("--resume-changed", "go on with a checkpoint of other stages")
    .option("--json", "print the report as one JSON document on standard output")
    .option("--quiet", "print errors only")
    .addHelpText("after", EXAMPLES)
    .allowUnknownOption()
    .exitOverride()
    .action(async (module: string, args: string[], flags: RunFlags) => {
      code = await runCommand(module, [...args, ...rest], flags);
    });
  program.command("conformance")
    .description("Check that a store does what every checkpoint store must do.")
    .argument(
      "<store>",
      "lmdb, sqlite, node:sqlite, memory, or a module whose default export is a harness",
    )
    .option("--deadline <seconds>", "how long a case may take (default: 60)", positive)
    .option("--json", "print the report as one JSON document")
    .exitOverride()
    .action(async (store: string, flags: ConformanceFlags) => {
      // Loaded for itself, so that a run does not load the suite.
      const { conformanceCommand } = await import("./conformance_command.ts");
      code = await conformanceCommand(store, flags);
    });
  program.command("bench")
    .description("Measure a store and the engine, each beside simpler ways to do the same.")
    .argument("[arguments...]", "see tidemark bench --help")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .exitOverride()
    .action(async (args: string[]) => {
      const { benchCommand } = await import("../bench/command.ts");
      code = (await benchCommand(args)) as ExitCode;
    });
  try {
    await program.parseAsync(argv.slice(0, end), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed it; its own code says whether it was help or an error.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return code;
}

function notEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Name a place, or use --no-checkpoint.");
  return text;
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number from 1.");
  }
  return value;
}

function failures(text: string): number | "auto" {
  if (text === "auto") return text;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new InvalidArgumentError('It must be a whole number from 0, or "auto".');
  }
  return Number(text);
}
