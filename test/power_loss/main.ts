/**
 * Runs a pipeline under strace, plays its system calls on a model of a disk, and lets the power
 * fail between any two of them: `npm run power-loss -- --store lmdb`. What was acknowledged
 * must be there, what is recorded complete must have its output, and a new run must finish.
 * SIGKILL cannot show this, because the system keeps what a killed process wrote.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Command, Option } from "commander";
import { decodeRecord, openStore, type StoreConfig, Union } from "../../mod.ts";
import { randomFrom } from "../random.ts";
import { wholeNumber } from "../whole_number.ts";
import { type CrashState, type Disk, SURVIVALS } from "./disk.ts";
import { replay, SYNCS } from "./replay.ts";
import { TRACED } from "./syscalls.ts";
import { checkpointOf, expectedOutput, outputOf, runWork, sourceId, type Work } from "./work.ts";

interface PowerLossOptions {
  readonly store: string;
  readonly sources: number;
  readonly seed: number;
  readonly resume: number;
  readonly runtime: "node" | "deno";
  readonly ignore: (typeof SYNCS)[number][];
  readonly json: boolean;
}

const options = new Command("power-loss")
  .description("let the power fail between any two system calls of a run, and look what is left")
  .addOption(
    new Option("--store <name>", "the store").choices(["lmdb", "sqlite", "node:sqlite"])
      .default("lmdb"),
  )
  .option("--sources <n>", "sources of the run", wholeNumber, 40)
  .option("--seed <s>", "seed of what survives", wholeNumber, Date.now() % 1_000_000)
  .option("--resume <n>", "run again from every n-th state; 0: from none", wholeNumber, 50)
  .addOption(
    new Option("--runtime <name>", "what runs the victim").choices(["node", "deno"])
      .default("Deno" in globalThis ? "deno" : "node"),
  )
  .addOption(
    new Option("--ignore <syncs...>", "count these syncs for nothing, to see that it is noticed")
      .choices(SYNCS).default([]),
  )
  .option("--json", "print one line of JSON", false)
  .parse().opts<PowerLossOptions>();

/** Runs the work under strace and returns the log's path. */
function record(work: Work, log: string): void {
  const victim = new URL("./victim.ts", import.meta.url).pathname;
  const runtime = options.runtime === "deno" ? ["deno", "run", "-A", "--quiet"] : ["node"];
  const { error, status, stderr } = spawnSync("strace", [
    "-f",
    "-xx",
    `-s${8 << 20}`,
    `-o${log}`,
    `-etrace=${TRACED.join(",")}`,
    "-esignal=none",
    ...runtime,
    victim,
    JSON.stringify(work),
  ], { encoding: "utf8", env: { ...process.env, UV_USE_IO_URING: "0" } });
  if (error !== undefined) {
    console.error(`strace cannot be run: install Debian's package strace (${error.message})`);
    process.exit(2);
  }
  if (status !== 0) throw new Error(`the victim ended with ${status}: ${stderr}`);
}

/** Writes a state to a directory of its own. */
function restore(state: CrashState, from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  const moved = (path: string) => join(to, path.slice(from.length));
  for (const path of state.directories) mkdirSync(moved(path), { recursive: true });
  for (const [path, content] of state.files) writeFileSync(moved(path), content);
}

async function readUnion(work: Work, warnings: string[]): Promise<Union> {
  const union = new Union();
  await using store = await openStore(
    checkpointOf(work) as StoreConfig,
    ({ message }) => void warnings.push(message),
  );
  for await (const { records } of store.read()) {
    for (const bytes of records) {
      const decoded = decodeRecord(bytes);
      if (typeof decoded === "string") warnings.push(`a ${decoded} record`);
      else union.add(decoded);
    }
  }
  return union;
}

function outputIn(work: Work, source: number): string | undefined {
  try {
    return readFileSync(join(outputOf(work), `${sourceId(source)}.jsonl`), "utf8");
  } catch {
    return undefined;
  }
}

interface Tally {
  moments: number;
  states: number;
  /** Acknowledged as complete, and not recorded. */
  lost: number;
  /** Recorded complete, and the output is not there as it should be. */
  invented: number;
  /** An output under its own name with other bytes. */
  torn: number;
  resumed: number;
  /** Not complete after a run that started from what was left. */
  unfinished: number;
  /** States in which the checkpoint was warned about, though a loss of power damages nothing. */
  warned: number;
}

const parent = realpathSync(mkdtempSync(join(tmpdir(), "tidemark-power-loss-")));
const work: Work = {
  sources: options.sources,
  directory: join(parent, "run"),
  store: options.store,
};
const copy: Work = { ...work, directory: join(parent, "state") };
const random = randomFrom(options.seed);
const tally: Tally = {
  moments: 0,
  states: 0,
  lost: 0,
  invented: 0,
  torn: 0,
  resumed: 0,
  unfinished: 0,
  warned: 0,
};
const findings: string[] = [];

async function inspect(state: CrashState, acknowledged: readonly string[], what: string) {
  restore(state, work.directory, copy.directory);
  tally.states++;
  const warnings: string[] = [];
  const union = await readUnion(copy, warnings);
  const find = (finding: string) => {
    if (findings.length < 10) findings.push(`moment ${tally.moments}, ${what}: ${finding}`);
  };
  if (warnings.length > 0) {
    tally.warned++;
    find(`warned: ${warnings[0]}`);
  }
  const lost = acknowledged.filter((source) => !union.isComplete(source));
  if (lost.length > 0) find(`acknowledged and lost: ${lost.join(" ")}`);
  tally.lost += lost.length;
  for (let source = 0; source < work.sources; source++) {
    const output = outputIn(copy, source);
    const isWhole = output === expectedOutput(source);
    if (union.isComplete(sourceId(source)) && !isWhole && source % 5 > 0) {
      tally.invented++;
      find(
        `${sourceId(source)} is recorded complete, its output is ${output?.length ?? "missing"}`,
      );
    } else if (output !== undefined && !isWhole) {
      tally.torn++;
      find(`the output of ${sourceId(source)} is torn`);
    }
  }
  if (options.resume > 0 && tally.states % options.resume === 0) {
    tally.resumed++;
    const { sources } = await runWork(copy);
    const isDone = sources.completed + sources.skipped === work.sources;
    const missing = Array.from({ length: work.sources }, (_, i) => i).filter((source) =>
      source % 5 > 0 && outputIn(copy, source) !== expectedOutput(source)
    );
    if (isDone && missing.length === 0) return;
    tally.unfinished++;
    find(`a new run did not finish: ${JSON.stringify(sources)}, missing ${missing.join(" ")}`);
  }
}

const began = performance.now();
mkdirSync(work.directory);
const log = join(parent, "strace.log");
record(work, log);
await replay(log, {
  root: work.directory,
  ignored: options.ignore,
  async onMoment(disk: Disk, acknowledged) {
    tally.moments++;
    for (const survival of SURVIVALS) {
      await inspect(disk.crash(survival, random), acknowledged, `${survival} unsynced survived`);
    }
  },
});
rmSync(parent, { recursive: true });
const seconds = (performance.now() - began) / 1000;
const { lost, invented, torn, unfinished, warned } = tally;
const failed = lost + invented + torn + unfinished + warned > 0;
if (options.json) {
  console.log(JSON.stringify({ ...options, ...tally, seconds, findings }));
} else {
  console.log(
    `${options.store} on ${options.runtime}, seed ${options.seed}: the power failed at ${tally.moments} moments ` +
      `with ${SURVIVALS.length} outcomes each, ${seconds.toFixed(1)} s\n` +
      `  states inspected                       ${tally.states}\n` +
      `  acknowledged sources lost              ${tally.lost}\n` +
      `  recorded complete without its output   ${tally.invented}\n` +
      `  outputs torn                           ${tally.torn}\n` +
      `  runs started from a state              ${tally.resumed}\n` +
      `  of these not finished                  ${tally.unfinished}\n` +
      `  states with a false warning            ${tally.warned}`,
  );
  for (const finding of findings) console.log(`  ${finding}`);
}
process.exitCode = failed ? 1 : 0;
