import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import process from "node:process";
import { createInterface } from "node:readline";
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
  readonly #work: InterruptedWork;
  readonly #seed: number;
  /** The sources that runs have begun so far. */
  readonly #begun = new Set<number>();
  #kills = 0;

  constructor(setting: Setting, store: string | undefined) {
    const { harness, contender, directory, parameters } = setting;
    this.#seed = Number(parameters["seed"]);
    this.durability = harness !== undefined
      ? durabilityOf(harness)
      : contender === DONE_FILE
      ? "fdatasync per source"
      : NOT_WRITTEN;
    this.#work = {
      way: harness !== undefined ? "store" : contender === DONE_FILE ? "done-file" : "nothing",
      ...(store === undefined ? {} : { store }),
      directory,
      open: OPEN,
      duration: DURATION,
    };
  }

  /** Starts the run again and kills it. */
  async round(): Promise<Figures> {
    const delay = LONGEST * chance(this.#seed, this.#kills++);
    const { command, args } = moduleCommand("interrupted_main", [JSON.stringify(this.#work)]);
    const began = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let repeated = 0;
    let resumed: number | undefined;
    const lines = createInterface({ input: child.stdout });
    const ended = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const read = new Promise<void>((resolve) => lines.once("close", resolve));
    lines.on("line", (line) => {
      const source = Number(line);
      if (this.#begun.has(source)) {
        repeated++;
        return;
      }
      this.#begun.add(source);
      if (resumed !== undefined) return;
      resumed = performance.now() - began;
      // Not by `child.kill`, after which Deno reports the signal whatever happened.
      setTimeout(() => process.kill(child.pid!, "SIGKILL"), delay);
    });
    await ended;
    await read;
    if (resumed === undefined) throw new Error("the run ended before it began a new source");
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
