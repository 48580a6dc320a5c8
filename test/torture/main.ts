/**
 * Does to a pipeline and its checkpoint what can happen to them, starts it again until it is
 * done, and counts what that cost: `npm run torture -- --kills 50 --seed 1 --store lmdb`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Command, Option } from "commander";
import { randomFrom } from "../random.ts";
import { wholeNumber } from "../whole_number.ts";
import { isSound, type Scenario, type ScenarioResult } from "./scenario.ts";
import { diskFull } from "./scenarios/disk_full.ts";
import { handles } from "./scenarios/handles.ts";
import { points } from "./scenarios/points.ts";
import { random } from "./scenarios/random.ts";
import { readOnly } from "./scenarios/read_only.ts";
import { several } from "./scenarios/several.ts";
import { stop } from "./scenarios/stop.ts";
import { straceMissing } from "./strace.ts";
import { printParts, printRandom, printSummary, type ScenarioOutcome } from "./tables.ts";
import type { TorturedStore, TortureOptions } from "./torture.ts";

const SCENARIOS: readonly Scenario[] = [random, points, several, stop, diskFull, readOnly, handles];

interface MainOptions extends Omit<TortureOptions, "store"> {
  readonly store: TorturedStore | "both";
  readonly scenario: string;
  readonly json: boolean;
}

const options = new Command("torture")
  .description("kill a pipeline again and again, and worse, and count what is lost")
  .option("--kills <n>", "how often to kill, or to stop", wholeNumber, 50)
  .option("--seed <s>", "seed of the moments", wholeNumber, Date.now() % 1_000_000)
  .addOption(
    new Option("--store <name>", "the store").choices(["lmdb", "sqlite", "both"]).default("lmdb"),
  )
  .addOption(
    new Option("--runtime <name>", "what runs the victim").choices(["node", "deno"])
      .default("Deno" in globalThis ? "deno" : "node"),
  )
  .addOption(
    new Option("--scenario <name>", "what is done to it")
      .choices([...SCENARIOS.map(({ name }) => name), "all"]).default("random"),
  )
  .option("--max-open <n>", "maxOpenSources", wholeNumber, 8)
  .option("--json", "print one JSON document", false)
  .addHelpText("after", `\n${SCENARIOS.map((s) => `${s.name.padEnd(11)}${s.summary}`).join("\n")}`)
  .parse().opts<MainOptions>();

async function runScenario(scenario: Scenario, store: TorturedStore): Promise<ScenarioOutcome> {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-torture-"));
  const began = performance.now();
  let result: ScenarioResult;
  try {
    result = await scenario.run({
      ...options,
      store,
      directory,
      random: randomFrom(options.seed),
    });
  } catch (cause) {
    console.error(`${scenario.name} with ${store}: what it left is in ${directory}`);
    throw cause;
  }
  const ok = isSound(result, options);
  if (ok) await rm(directory, { recursive: true });
  const seconds = (performance.now() - began) / 1000;
  return { scenario: scenario.name, store, ...result, ok, seconds, directory };
}

if (options.scenario === "points") {
  const missing = straceMissing();
  if (missing !== undefined) {
    console.error(missing);
    process.exit(2);
  }
}
const all = options.scenario === "all";
const chosen = SCENARIOS.filter(({ name }) => all || name === options.scenario);
const stores: readonly TorturedStore[] = options.store === "both"
  ? ["lmdb", "sqlite"]
  : [options.store];
const outcomes: ScenarioOutcome[] = [];
for (const store of stores) {
  for (const scenario of chosen) {
    const outcome = await runScenario(scenario, store);
    outcomes.push(outcome);
    if (options.json) continue;
    if (all) printSummary(outcome, outcomes.length === 1);
    else if (scenario === random) printRandom(outcome, options);
    else printParts(outcome, options);
  }
}
if (options.json) console.log(JSON.stringify({ ...options, outcomes }));
for (const { scenario, store, failures, ok, directory } of outcomes) {
  if (ok) continue;
  for (const failure of new Set(failures)) console.error(`${scenario}, ${store}: ${failure}`);
  console.error(`${scenario}, ${store}: failed; what it left is in ${directory}`);
  process.exitCode = 1;
}
