/**
 * Mutates checkpoint files that real writers left, has them read, and counts what came of it:
 * `npm run fuzz -- --files 10000 --store sqlite`.
 */
import process from "node:process";
import { Command, Option } from "commander";
import { wholeNumber } from "../whole_number.ts";
import { fuzz, type FuzzReport, type KindTally } from "./fuzz.ts";
import { FUZZED, type FuzzedStore } from "./templates.ts";

interface MainOptions {
  readonly files: number;
  readonly seed: number;
  readonly store: FuzzedStore;
  readonly json: boolean;
}

const options = new Command("fuzz")
  .description("damage checkpoint files in every way, read them, and count what came of it")
  .option("--files <n>", "how many files to damage", wholeNumber, 1000)
  .option("--seed <s>", "seed of the damage", wholeNumber, Date.now() % 1_000_000)
  .addOption(
    new Option("--store <name>", "the store").choices(Object.keys(FUZZED)).default("lmdb"),
  )
  .option("--json", "print one JSON document", false)
  .parse().opts<MainOptions>();

const COLUMNS: readonly (readonly [string, (tally: KindTally) => string])[] = [
  ["files", ({ files }) => String(files)],
  ["harmless", ({ harmless }) => String(harmless)],
  ["damaged", ({ damaged }) => String(damaged)],
  [
    "salvaged",
    ({ salvaged, written }) => written === 0 ? "" : `${((100 * salvaged) / written).toFixed(1)} %`,
  ],
  ["crashes", ({ crashes, hangs }) => hangs === 0 ? String(crashes) : `${crashes}+${hangs} hung`],
  ["invented", ({ invented }) => String(invented)],
  ["unnamed", ({ unnamed, untellable }) => `${unnamed}${untellable === undefined ? " " : "*"}`],
];

function printReport({ kinds, alarms, othersLost, problems }: FuzzReport, seconds: number): void {
  const sum = (count: (tally: KindTally) => number) =>
    kinds.reduce((total, tally) => total + count(tally), 0);
  const total: KindTally = {
    kind: "all",
    files: sum((t) => t.files),
    harmless: sum((t) => t.harmless),
    damaged: sum((t) => t.damaged),
    written: sum((t) => t.written),
    salvaged: sum((t) => t.salvaged),
    crashes: sum((t) => t.crashes),
    hangs: sum((t) => t.hangs),
    invented: sum((t) => t.invented),
    unnamed: sum((t) => t.untellable === undefined ? t.unnamed : 0),
  };
  const row = (first: string, cells: readonly string[]) =>
    console.log(first.padEnd(33) + cells.map((cell) => cell.padStart(11)).join(""));
  const runtime = "Deno" in globalThis ? "deno" : "node";
  console.log(
    `${options.store} on ${runtime}, seed ${options.seed}: ${total.files} files, ` +
      `${seconds.toFixed(1)} s`,
  );
  row("mutation", COLUMNS.map(([name]) => name));
  for (const tally of [...kinds, total]) row(tally.kind, COLUMNS.map(([, cell]) => cell(tally)));
  for (const { kind, untellable } of kinds) {
    if (untellable !== undefined) console.log(`* ${kind}: nobody can tell, since ${untellable}`);
  }
  console.log(`untouched files warned about      ${alarms}`);
  console.log(`untouched files beside them lost  ${othersLost}`);
  for (const problem of problems.slice(0, 40)) console.error(problem);
  if (problems.length > 40) console.error(`and ${problems.length - 40} more`);
}

const began = performance.now();
const report = await fuzz(options);
const seconds = (performance.now() - began) / 1000;
if (options.json) {
  const runtime = "Deno" in globalThis ? "deno" : "node";
  console.log(JSON.stringify({ ...options, runtime, seconds, ...report }));
} else {
  printReport(report, seconds);
}
if (!report.ok) process.exitCode = 1;
