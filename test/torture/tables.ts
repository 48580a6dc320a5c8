import type { ScenarioResult } from "./scenario.ts";
import type { Tally, TorturedStore, TortureOptions } from "./torture.ts";

/** What came of one scenario with one store. */
export interface ScenarioOutcome extends ScenarioResult {
  readonly scenario: string;
  readonly store: TorturedStore;
  readonly ok: boolean;
  readonly seconds: number;
  /** What it left, unless all was well. */
  readonly directory: string;
}

type Told = Omit<TortureOptions, "store" | "kills">;

const COLUMNS: readonly (readonly [string, (tally: Tally) => number])[] = [
  ["kills", ({ kills }) => kills],
  ["runs", ({ runs }) => runs],
  ["lost", ({ lost }) => lost],
  ["missing", ({ missing }) => missing],
  ["torn", ({ torn }) => torn],
  ["invented", ({ invented }) => invented],
  ["most again", ({ mostRepeated }) => mostRepeated],
  ["warnings", ({ warnings }) => warnings],
  ["crashes", ({ crashes }) => crashes],
];

const cells = (tally: Tally) =>
  COLUMNS.map(([name, value]) => String(value(tally)).padStart(name.length + 2)).join("");
const names = COLUMNS.map(([name]) => `  ${name}`).join("");

/** The table of the kills at random moments. */
export function printRandom(
  { store, tally, seconds, skipped }: ScenarioOutcome,
  { runtime, seed, maxOpen }: Told,
): void {
  console.log(
    `${store} on ${runtime}, seed ${seed}: ${tally.kills} kills, ${tally.runs} runs, ` +
      `${seconds.toFixed(1)} s\n` +
      `  sources lost                      ${tally.lost}\n` +
      `  outputs missing                   ${tally.missing}\n` +
      `  outputs torn                      ${tally.torn}\n` +
      `  recorded complete without output  ${tally.invented}\n` +
      `  most run again after one kill     ${tally.mostRepeated} (at most ${maxOpen} may)\n` +
      `  run again in all                  ${tally.repeated}\n` +
      `  checkpoint warnings               ${tally.warnings}`,
  );
  for (const reason of skipped) console.log(`  skipped: ${reason}`);
}

/** The table of one scenario, a line for each of its parts. */
export function printParts(
  { scenario, store, tally, parts, seconds, skipped }: ScenarioOutcome,
  { runtime, seed, maxOpen }: Told,
): void {
  console.log(
    `${scenario}, ${store} on ${runtime}, seed ${seed}: ${tally.kills} kills, ${tally.runs} runs, ` +
      `${seconds.toFixed(1)} s (most again: at most ${maxOpen} may)`,
  );
  console.log(`${"".padEnd(24)}${names}`);
  for (const part of parts) {
    console.log(`${part.name.padEnd(24)}${cells(part.tally)}  ${part.note ?? ""}`.trimEnd());
  }
  console.log(`${"all".padEnd(24)}${cells(tally)}`);
  for (const reason of skipped) console.log(`skipped: ${reason}`);
}

/** A line for a whole scenario. */
export function printSummary(
  { scenario, store, tally, seconds, ok, skipped }: ScenarioOutcome,
  isFirst: boolean,
): void {
  if (isFirst) console.log(`${"".padEnd(20)}${names}   seconds`);
  const verdict = ok ? "" : "  FAILED";
  console.log(
    `${`${store} ${scenario}`.padEnd(20)}${cells(tally)}${
      seconds.toFixed(1).padStart(10)
    }${verdict}`,
  );
  for (const reason of skipped) console.log(`  skipped: ${reason}`);
}
