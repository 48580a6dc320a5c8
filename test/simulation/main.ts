/**
 * Simulates the engine in many seeded worlds: `npm run simulate -- --seeds 10000`. With
 * `--bugs` it shows that it finds bugs which are put in.
 */
import process from "node:process";
import { Command, Option } from "commander";
import { wholeNumber } from "../whole_number.ts";
import { BUGS } from "./bugs.ts";
import { COVERED, type Covered } from "./coverage.ts";
import { type BugFound, findBug, simulateMany, type Summary } from "./simulate_many.ts";

interface SimulateOptions {
  readonly seeds?: number;
  readonly seed: number;
  readonly bug?: string;
  readonly bugs: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

const options = new Command("simulate")
  .description("run the engine in seeded worlds that crash, refuse, tear and forget")
  .option(
    "--seeds <n>",
    "how many seeds (default 1000; with --bugs the most for each, 500)",
    wholeNumber,
  )
  .option("--seed <s>", "the first seed", wholeNumber, Date.now() % 1_000_000_000)
  .addOption(new Option("--bug <name>", "put a bug in").choices(Object.keys(BUGS)))
  .option("--bugs", "put every bug in, one after the other, and tell when it is found", false)
  .option("--verbose", "print everything that happens", false)
  .option("--json", "print one JSON document", false)
  .parse().opts<SimulateOptions>();

const runtime = "Deno" in globalThis ? "deno" : "node";

/** Ids with control characters are part of the simulation, but not of a terminal's business. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
}

function replay(seed: number, bug: string | undefined): string {
  const command = runtime === "deno"
    ? "deno run -A test/simulation/main.ts"
    : "npm run simulate --";
  return `${command} --seed ${seed} --seeds 1 --verbose${bug === undefined ? "" : ` --bug ${bug}`}`;
}

function printSummary(summary: Summary): void {
  const { seeds, firstSeed, steps, crashes, violations, seconds, hash, mostRepeated } = summary;
  const n = (value: number) => value.toLocaleString("en");
  console.log(
    `${n(seeds)} seeds from ${firstSeed} on ${runtime}: ${n(steps)} steps, ${
      n(crashes)
    } crashes, ` +
      `${n(violations.length)} violations, ${seconds.toFixed(1)} s, log hash ${hash}`,
  );
  console.log(`at most ${mostRepeated} sources run again after one crash (up to 8 were allowed)\n`);
  const width = Math.max(...Object.values(COVERED).map((t) => t.length));
  console.log(`${"reached".padEnd(width)}    in seeds       times`);
  for (const name of Object.keys(COVERED) as Covered[]) {
    console.log(
      `${COVERED[name].padEnd(width)}  ${n(summary.reached[name]).padStart(10)}` +
        `  ${n(summary.counts[name]).padStart(10)}`,
    );
  }
}

function printBug({ name, seeds, violation, seed }: BugFound): void {
  console.log(`${name.padEnd(22)} ${BUGS[name]!.what}`);
  if (violation === undefined) {
    console.log(`  NOT FOUND in ${seeds} seeds`);
    return;
  }
  console.log(
    `  found by seed ${seed}, the ${seeds}. one tried: ${violation.check}: ${
      visible(violation.message)
    }\n` +
      `  ${replay(seed, name)}`,
  );
}

if (options.bugs) {
  const found: BugFound[] = [];
  for (const name of Object.keys(BUGS)) {
    const bug = await findBug(name, options.seed, options.seeds ?? 500);
    found.push(bug);
    if (!options.json) printBug(bug);
  }
  if (options.json) console.log(JSON.stringify(found));
  const missed = found.filter((f) => f.violation === undefined).map((f) => f.name);
  if (missed.length > 0) {
    console.error(`the simulator did not find ${missed.join(", ")}`);
    process.exitCode = 1;
  } else if (!options.json) {
    console.log(`\nall ${found.length} bugs found`);
  }
} else {
  const undo = options.bug === undefined ? undefined : BUGS[options.bug]!.install();
  const summary = await simulateMany(options.seed, options.seeds ?? 1_000, {
    onLines: options.verbose && !options.json
      ? (lines) => console.log(lines.map(visible).join("\n"))
      : undefined,
  });
  undo?.();
  if (options.json) console.log(JSON.stringify({ runtime, ...summary }));
  else printSummary(summary);
  for (const { seed, check, message, step } of summary.violations) {
    console.error(
      `seed ${seed}, step ${step}: ${check}: ${visible(message)}\n  ${replay(seed, options.bug)}`,
    );
  }
  if (summary.violations.length > 0) process.exitCode = 1;
}
