import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeRecord, openStore, Union } from "../../mod.ts";
import { type Runtime, Victim, type VictimEnd, type VictimOptions } from "./victim_process.ts";
import { expectedOutput, sourceId, type Work } from "./work.ts";

/** What one torture cost. */
export interface Tally {
  kills: number;
  runs: number;
  /** Sources that were neither completed nor skipped by the last run, and completions that vanished. */
  lost: number;
  /** Outputs that were missing at the end. */
  missing: number;
  /** Outputs that were in place with other bytes than they should have. */
  torn: number;
  /** Sources that were recorded complete while their output was not there. */
  invented: number;
  /** Most sources that ran again after one kill. */
  mostRepeated: number;
  repeated: number;
  /** What was said of the checkpoint's files. */
  warnings: number;
  /** Victims that died of themselves. */
  crashes: number;
}

/** A torture without anything that happened yet. */
export function emptyTally(): Tally {
  return {
    kills: 0,
    runs: 0,
    lost: 0,
    missing: 0,
    torn: 0,
    invented: 0,
    mostRepeated: 0,
    repeated: 0,
    warnings: 0,
    crashes: 0,
  };
}

/** The stores that are tortured. */
export type TorturedStore = "lmdb" | "sqlite";

/** What a torture is given. */
export interface TortureOptions {
  readonly store: TorturedStore;
  readonly runtime: Runtime;
  readonly kills: number;
  readonly maxOpen: number;
  readonly seed: number;
}

interface Run {
  readonly victim: Victim;
  readonly trace: string;
  /** What the run is counted under besides the whole. */
  readonly part: Tally | undefined;
  readonly mayDieOf: RegExp | undefined;
  readonly started: number;
  ended: number;
  killed: boolean;
}

/** A checkpoint and its outputs, the runs that work on them, and what is found wrong with them. */
export class Torture {
  readonly tally: Tally = emptyTally();
  /** Other things that must not be, in words. */
  readonly failures: string[] = [];
  readonly work: Work;
  readonly #options: TortureOptions;
  readonly #directory: string;
  readonly #runs: Run[] = [];
  readonly #known = new Set<string>();
  readonly #whole = new Set<string>();
  #clock = 0;
  #traces = 0;

  /**
   * @param directory Where the traces are, and the rest unless `work` says otherwise.
   * @param work What differs from the usual work.
   */
  constructor(
    options: TortureOptions,
    directory: string,
    { checkpoint = join(directory, "ckpt"), ...work }: Partial<Work> & { readonly sources: number },
  ) {
    this.#options = options;
    this.#directory = directory;
    this.work = {
      maxOpenSources: options.maxOpen,
      output: join(directory, "output"),
      trace: "",
      ...work,
      checkpoint: options.store === "sqlite" ? `sqlite:${checkpoint}` : checkpoint,
    };
  }

  /** Starts a run. It is counted when {@link Torture.end} has seen its end. */
  async start(
    options: Omit<VictimOptions, "runtime" | "work"> & {
      readonly part?: Tally;
      /** What the runtime itself may die of, which is no fault of ours. */
      readonly mayDieOf?: RegExp;
    } & Pick<Work, "first" | "mostOpened"> = {},
  ): Promise<Victim> {
    const trace = join(this.#directory, `trace-${this.#traces++}.log`);
    await mkdir(this.#directory, { recursive: true });
    const { part, mayDieOf, first = 0, mostOpened = this.work.sources, ...others } = options;
    const { runtime } = this.#options;
    const work = { ...this.work, trace, first, mostOpened };
    const victim = new Victim({ ...others, runtime, work });
    const started = this.#clock++;
    this.#runs.push({ victim, trace, part, mayDieOf, started, ended: Infinity, killed: false });
    return victim;
  }

  /** Waits for the end of a run and counts it. */
  async end(victim: Victim): Promise<VictimEnd> {
    const end = await victim.ended;
    const run = this.#runs.find((run) => run.victim === victim)!;
    run.ended = this.#clock++;
    run.killed = end.killed;
    const isFault = end.crash !== undefined && !(run.mayDieOf?.test(end.crash) ?? false);
    for (const tally of this.#tallies(run.part)) {
      tally.runs++;
      if (end.killed) tally.kills++;
      if (isFault) tally.crashes++;
    }
    if (isFault) this.failures.push(`a victim died of itself: ${end.crash}`);
    return end;
  }

  /** Compares what is recorded with what is there, byte for byte. */
  async inspect(part?: Tally): Promise<void> {
    const { union, warnings } = await this.#read();
    const present = new Set(await readdir(this.work.output).catch(() => []));
    let [torn, invented, lost] = [0, 0, 0];
    for (let i = 0; i < this.work.sources; i++) {
      const [id, name] = [sourceId(i), `${sourceId(i)}.jsonl`];
      if (present.has(name) && !this.#whole.has(id)) {
        if (await this.#isWhole(i)) this.#whole.add(id);
        else torn++;
      }
      if (union.isComplete(id)) {
        this.#known.add(id);
        if (!present.has(name)) invented++;
      } else if (this.#known.delete(id)) {
        lost++;
      }
    }
    for (const tally of this.#tallies(part)) {
      tally.torn += torn;
      tally.invented += invented;
      tally.lost += lost;
      tally.warnings += warnings.length;
    }
    for (const warning of warnings) this.failures.push(warning);
  }

  /** Runs the work to its end, undisturbed, and looks at everything once more. */
  async finish(): Promise<Tally> {
    const { report, crash } = await this.end(await this.start());
    const { sources, error } = report;
    if (error !== undefined) this.failures.push(`the last run: ${error.code}: ${error.message}`);
    if (sources !== undefined) {
      this.tally.lost += this.work.sources - sources.completed - sources.skipped;
    } else if (crash === undefined) {
      this.tally.lost += this.work.sources;
    }
    this.#whole.clear();
    await this.inspect();
    this.tally.missing += this.work.sources - this.#whole.size - this.tally.torn;
    await this.#countRepeated();
    return this.tally;
  }

  /** How many sources are recorded complete. */
  get recorded(): number {
    return this.#known.size;
  }

  /** How many sources a run has opened so far. */
  async opened(victim: Victim): Promise<number> {
    return (await openedIn(this.#runs.find((run) => run.victim === victim)!.trace)).size;
  }

  #tallies(part: Tally | undefined): Tally[] {
    return part === undefined ? [this.tally] : [this.tally, part];
  }

  async #isWhole(source: number): Promise<boolean> {
    const path = join(this.work.output, `${sourceId(source)}.jsonl`);
    return (await readFile(path, "utf8")) === expectedOutput(source);
  }

  async #read(): Promise<{ union: Union; warnings: string[] }> {
    const union = new Union();
    const warnings: string[] = [];
    await using store = await openStore(
      this.work.checkpoint,
      ({ message }) => void warnings.push(message),
    );
    for await (const { origin, records } of store.read()) {
      for (const bytes of records) {
        const record = decodeRecord(bytes);
        if (typeof record === "string") {
          warnings.push(`${origin}: a ${record} record`);
        } else {
          union.add(record);
          if (!basename(origin).startsWith(`${record.writer}.`)) {
            this.failures.push(`${origin} has a record of the writer ${record.writer}`);
          }
        }
      }
    }
    return { union, warnings };
  }

  /** What a killed run had opened and a run that was started after its end opened again. */
  async #countRepeated(): Promise<void> {
    const opened = await Promise.all(this.#runs.map(({ trace }) => openedIn(trace)));
    this.#runs.forEach((run, index) => {
      if (!run.killed) return;
      const later = this.#runs.flatMap((other, at) =>
        other.started > run.ended ? [...opened[at]!] : []
      );
      const again = opened[index]!.intersection(new Set(later)).size;
      for (const tally of this.#tallies(run.part)) {
        tally.repeated += again;
        tally.mostRepeated = Math.max(tally.mostRepeated, again);
      }
    });
  }
}

async function openedIn(trace: string): Promise<Set<string>> {
  const text = await readFile(trace, "utf8").catch(() => "");
  return new Set(text.split("\n").filter((line) => line.startsWith("open ")));
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
