import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { InterruptedWork } from "../interrupted_main.ts";
import { moduleCommand } from "../process.ts";
import {
  type Contender,
  durabilityOf,
  type Figures,
  NOT_WRITTEN,
  type Scenario,
  type Setting,
  type Subject,
} from "../scenario.ts";

const OPEN = 8;
const DURATION = 2;
const QUICK_KILLS = 5;
const FULL_KILLS = 40;
/** A run is killed so many milliseconds after its first new source, at most. */
const LONGEST = 300;
const DONE_FILE = "JSONL done-file";
const NOTHING = "no checkpoint";

/** A number in [0, 1) that the seed and the place repeat. */
function chance(seed: number, place: number): number {
  return createHash("sha256").update(`${seed} ${place}`).digest().readUInt32LE() / 2 ** 32;
}

class Interrupting implements Subject {
  readonly durability: string;
  readonly #work: Omit<InterruptedWork, "firstNew">;
  readonly #seed: number;
  #firstNew = 0;
  #kills = 0;

  constructor(setting: Setting, store: string | undefined) {
    const { harness, contender, directory, parameters } = setting;
    this.#seed = Number(parameters["seed"]);
    this.durability = harness !== undefined
      ? durabilityOf(harness)
      : contender === DONE_FILE
      ? "fdatasync per source"
      : NOT_WRITTEN;
    mkdirSync(join(directory, "checkpoint"));
    this.#work = {
      way: harness !== undefined ? "store" : contender === DONE_FILE ? "done-file" : "nothing",
      ...(store === undefined ? {} : { store }),
      directory: join(directory, "checkpoint"),
      trace: join(directory, "trace"),
      open: OPEN,
      duration: DURATION,
    };
  }

  /** Starts the run again and kills it. */
  async round(): Promise<Figures> {
    const delay = LONGEST * chance(this.#seed, this.#kills++);
    const work: InterruptedWork = { ...this.#work, firstNew: this.#firstNew };
    const { command, args } = moduleCommand("interrupted_main", [JSON.stringify(work)]);
    const began = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    let resumed: number | undefined;
    child.stdout.once("data", () => {
      resumed = performance.now() - began;
      // Not by `child.kill`, after which Deno reports the signal whatever happened.
      setTimeout(() => process.kill(child.pid!, "SIGKILL"), delay);
    });
    await ended;
    if (resumed === undefined) throw new Error("the run ended before it began a new source");
    const begun = readFileSync(work.trace, "utf8").trim().split("\n").map(Number);
    const repeated = begun.filter((number) => number < work.firstNew).length;
    // Sources begin in order.
    this.#firstNew = Math.max(...begun) + 1;
    return { repeated, resumed };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What a kill costs. */
export const interruption: Scenario = {
  name: "interruption",
  summary:
    `sources that run again after SIGKILL, of which ${OPEN} at most are under way at once, ` +
    "and the time from starting the process again to its first new source",
  usesStores: true,
  columns: [
    { key: "repeated", title: `repeated (bound ${OPEN})`, unit: "sources" },
    { key: "resumed", title: "to first new source", unit: "ms", compared: true },
  ],
  contests: ({ full, stores, seed }) => {
    const kills = full ? FULL_KILLS : QUICK_KILLS;
    const parameters = { seed };
    return [{
      name: `${kills} kills, sources of ${DURATION} ms`,
      contenders: [
        ...[DONE_FILE, NOTHING].map((name): Contender => ({ name, parameters })),
        ...stores.filter(({ durable }) => durable).map(({ name, spec }) => ({
          name,
          store: spec,
          parameters: { ...parameters, store: spec },
        })),
      ],
      baselines: [DONE_FILE],
      rounds: kills,
    }];
  },
  open: async (setting) => {
    const store = setting.parameters["store"];
    return new Interrupting(setting, store === undefined ? undefined : String(store));
  },
};
