/**
 * Kills one pipeline with SIGKILL at random moments and starts it again until it is done, and
 * counts what that cost: `npm run torture -- --kills 50 --seed 1 --store lmdb`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Command, InvalidArgumentError, Option } from "commander";
import { decodeRecord, openStore, Union } from "../../mod.ts";
import { randomFrom } from "../random.ts";
import { expectedOutput, OUTPUT, sourceId, TRACE, type Work } from "./work.ts";

interface TortureOptions {
  readonly kills: number;
  readonly seed: number;
  readonly store: "lmdb" | "sqlite";
  readonly runtime: "node" | "deno";
  readonly maxOpen: number;
  readonly json: boolean;
}

interface Tally {
  kills: number;
  runs: number;
  /** Sources that were recorded complete while their output was not there. */
  invented: number;
  /** Outputs that were in place with other bytes than they should have. */
  torn: number;
  /** Outputs that were missing at the end. */
  missing: number;
  /** Sources that were neither completed nor skipped by the last run. */
  lost: number;
  mostRepeated: number;
  repeated: number;
  warnings: number;
}

const whole = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("not a whole number");
  }
  return value;
};

const options = new Command("torture")
  .description("kill a pipeline with SIGKILL again and again, and count what is lost")
  .option("--kills <n>", "how often to kill", whole, 50)
  .option("--seed <s>", "seed of the moments", whole, Date.now() % 1_000_000)
  .addOption(new Option("--store <name>", "the store").choices(["lmdb", "sqlite"]).default("lmdb"))
  .addOption(
    new Option("--runtime <name>", "what runs the victim").choices(["node", "deno"])
      .default("Deno" in globalThis ? "deno" : "node"),
  )
  .option("--max-open <n>", "maxOpenSources", whole, 8)
  .option("--json", "print one line of JSON", false)
  .parse().opts<TortureOptions>();

/** Runs a victim, and kills it after `delay` milliseconds if it still lives. */
function runVictim(work: Work, delay: number): Promise<{ killed: boolean; output: string }> {
  const file = new URL("./victim.ts", import.meta.url).pathname;
  const args = options.runtime === "deno" ? ["run", "-A", "--quiet", file] : [file];
  const child = spawn(options.runtime, [...args, JSON.stringify(work)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => output += chunk.toString());
  return new Promise((resolve, reject) => {
    const timer = Number.isFinite(delay)
      ? setTimeout(() => process.kill(child.pid!, "SIGKILL"), delay)
      : undefined;
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") resolve({ killed: true, output });
      else if (code === 0) resolve({ killed: false, output });
      else reject(new Error(`the victim ended with code ${code}, signal ${signal}`));
    });
  });
}

async function completeSources(checkpoint: string, tally: Tally): Promise<Union> {
  const union = new Union();
  await using store = await openStore(checkpoint, (warning) => {
    tally.warnings++;
    console.error(warning.message);
  });
  for await (const { records } of store.read()) {
    for (const bytes of records) {
      const record = decodeRecord(bytes);
      if (typeof record === "string") throw new Error(`a ${record} record`);
      union.add(record);
    }
  }
  return union;
}

/** Compares what is recorded with what is there, byte for byte. */
async function inspect(work: Work, tally: Tally): Promise<void> {
  const union = await completeSources(work.checkpoint, tally);
  const directory = join(work.directory, OUTPUT);
  const present = new Set(await readdir(directory).catch(() => []));
  for (let i = 0; i < work.sources; i++) {
    const name = `${sourceId(i)}.jsonl`;
    if (present.has(name)) {
      if (await readFile(join(directory, name), "utf8") !== expectedOutput(i)) tally.torn++;
    } else if (union.isComplete(sourceId(i))) {
      tally.invented++;
    }
  }
}

/** What each run opened, from the trace; a run that was killed at once opened nothing. */
async function openedByRun(work: Work): Promise<Set<string>[]> {
  const trace = await readFile(join(work.directory, TRACE), "utf8").catch(() => "");
  const runs: Set<string>[] = [];
  for (const line of trace.split("\n")) {
    if (line === "start") runs.push(new Set());
    else if (line.startsWith("open ")) runs.at(-1)!.add(line.slice(5));
  }
  return runs;
}

async function torture(directory: string): Promise<Tally> {
  const random = randomFrom(options.seed);
  const path = join(directory, "ckpt");
  const work: Work = {
    sources: 200 * Math.max(options.kills, 2),
    maxOpenSources: options.maxOpen,
    directory,
    checkpoint: options.store === "sqlite" ? `sqlite:${path}` : path,
  };
  const tally: Tally = {
    kills: 0,
    runs: 0,
    invented: 0,
    torn: 0,
    missing: 0,
    lost: 0,
    mostRepeated: 0,
    repeated: 0,
    warnings: 0,
  };
  for (let finished = false; !finished;) {
    const delay = tally.kills < options.kills ? 100 + random() * 800 : Infinity;
    const { killed, output } = await runVictim(work, delay);
    tally.runs++;
    if (killed) {
      tally.kills++;
    } else {
      const sources = JSON.parse(output) as { completed: number; skipped: number };
      tally.lost = work.sources - sources.completed - sources.skipped;
      finished = true;
    }
    await inspect(work, tally);
  }
  const present = new Set(await readdir(join(directory, OUTPUT)));
  for (let i = 0; i < work.sources; i++) if (!present.has(`${sourceId(i)}.jsonl`)) tally.missing++;
  const runs = await openedByRun(work);
  runs.forEach((opened, i) => {
    const later = new Set(runs.slice(i + 1).flatMap((r) => [...r]));
    const again = opened.intersection(later).size;
    tally.repeated += again;
    tally.mostRepeated = Math.max(tally.mostRepeated, again);
  });
  return tally;
}

const directory = await mkdtemp(join(tmpdir(), "tidemark-torture-"));
const began = performance.now();
const tally = await torture(directory);
const seconds = (performance.now() - began) / 1000;
const failed = tally.lost + tally.missing + tally.torn + tally.invented > 0 ||
  tally.mostRepeated > options.maxOpen || tally.kills < options.kills;
if (options.json) {
  console.log(JSON.stringify({ ...options, ...tally, seconds }));
} else {
  console.log(
    `${options.store} on ${options.runtime}, seed ${options.seed}: ${tally.kills} kills, ${tally.runs} runs, ` +
      `${seconds.toFixed(1)} s\n` +
      `  sources lost                      ${tally.lost}\n` +
      `  outputs missing                   ${tally.missing}\n` +
      `  outputs torn                      ${tally.torn}\n` +
      `  recorded complete without output  ${tally.invented}\n` +
      `  most run again after one kill     ${tally.mostRepeated} (at most ${options.maxOpen} may)\n` +
      `  run again in all                  ${tally.repeated}\n` +
      `  checkpoint warnings               ${tally.warnings}`,
  );
}
if (failed) {
  console.error(`failed; what it left is in ${directory}`);
  process.exitCode = 1;
} else {
  await rm(directory, { recursive: true });
}
