import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomFrom } from "../random.ts";
import { foreignContents } from "./foreign.ts";
import { type MutationKind, MUTATIONS } from "./mutations.ts";
import type { FileReading, ReadJob } from "./read_checkpoints.ts";
import { readInProcess } from "./reading_process.ts";
import type { Shape } from "./shapes.ts";
import {
  FUZZED,
  type FuzzedStore,
  type Template,
  type WriterFiles,
  writeTemplates,
} from "./templates.ts";

const FILES_PER_CHECKPOINT = 20;
const CHECKPOINTS_PER_PROCESS = 20;
/** How many files of each problem are kept to be looked at. */
const MOST_KEPT = 20;
const BYSTANDER = "bystander";

/** Options of {@link fuzz}. */
export interface FuzzOptions {
  readonly store: FuzzedStore;
  readonly files: number;
  readonly seed: number;
  /** @default all */
  readonly shapes?: readonly Shape[];
}

/** What came of the files that were mutated in one way. */
export interface KindTally {
  readonly kind: string;
  /** Why no reader can tell what is missing, where that is so. */
  readonly untellable?: string;
  files: number;
  /** Files all of whose records arrived. */
  harmless: number;
  /** Files of which a record did not arrive as it was written. */
  damaged: number;
  /** How many records the damaged files held, and how many of them arrived. */
  written: number;
  salvaged: number;
  crashes: number;
  hangs: number;
  invented: number;
  /** Damaged files that no warning named. */
  unnamed: number;
}

/** What came of a fuzzing. */
export interface FuzzReport {
  readonly kinds: readonly KindTally[];
  /** Untouched files that were warned about. */
  readonly alarms: number;
  /** Checkpoints in which an untouched file beside the mutated ones did not arrive. */
  readonly othersLost: number;
  /** Descriptions of what must not be, with where the files were kept. */
  readonly problems: readonly string[];
  readonly ok: boolean;
}

interface Mutated {
  readonly name: string;
  readonly template: Template;
  readonly kind: MutationKind;
  readonly files: WriterFiles;
}

interface FuzzedCheckpoint {
  readonly path: string;
  readonly mutated: readonly Mutated[];
  readonly bystander: Template;
}

/** Mutates files that real writers left, and has them read. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-fuzz-"));
  const fuzzing = new Fuzzing(options, directory);
  await fuzzing.run();
  if (!fuzzing.hasKept) rmSync(directory, { recursive: true });
  return fuzzing.report();
}

class Fuzzing {
  readonly #options: FuzzOptions;
  readonly #directory: string;
  readonly #random: () => number;
  readonly #tallies = new Map<MutationKind, KindTally>();
  readonly #problems: string[] = [];
  readonly #kept = new Map<string, number>();
  #templates: readonly Template[] = [];
  #identities: ReadJob["identities"] = {};
  #alarms = 0;
  #othersLost = 0;
  #checkpoints = 0;

  constructor(options: FuzzOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.#random = randomFrom(options.seed);
  }

  get hasKept(): boolean {
    return this.#kept.size > 0;
  }

  async run(): Promise<void> {
    const { store, files, shapes } = this.#options;
    this.#templates = await writeTemplates(store, join(this.#directory, "templates"), shapes);
    this.#identities = Object.fromEntries(this.#templates.map((t) => [t.name, t.identities]));
    const foreign = foreignContents(this.#directory);
    const possible = MUTATIONS.map((kind) => ({
      kind,
      templates: this.#templates.filter((template) => kind.fits?.(template) ?? true),
    })).filter(({ templates }) => templates.length > 0);
    for (let done = 0; done < files;) {
      const checkpoints: FuzzedCheckpoint[] = [];
      while (checkpoints.length < CHECKPOINTS_PER_PROCESS && done < files) {
        const mutated: Mutated[] = [];
        for (; mutated.length < FILES_PER_CHECKPOINT && done < files; done++) {
          const { kind, templates } = possible[done % possible.length]!;
          const template = templates[Math.floor(this.#random() * templates.length)]!;
          const context = { random: this.#random, templates: this.#templates, foreign };
          const name = `m${String(done).padStart(6, "0")}`;
          mutated.push({ name, template, kind, files: kind.mutate(template, context) });
        }
        checkpoints.push(this.#lay(mutated));
      }
      await this.#readAll(checkpoints);
      for (const { path } of checkpoints) rmSync(path, { recursive: true, force: true });
    }
  }

  /** Puts the files into a checkpoint, beside one that nothing is wrong with. */
  #lay(mutated: readonly Mutated[]): FuzzedCheckpoint {
    const path = join(this.#directory, `checkpoint-${this.#checkpoints++}`);
    const closed = this.#templates.filter((template) => template.closed);
    const bystander = closed[Math.floor(this.#random() * closed.length)]!;
    const records = join(path, ".tidemark");
    mkdirSync(records, { recursive: true });
    this.#write(records, BYSTANDER, bystander.files);
    for (const { name, files } of mutated) this.#write(records, name, files);
    return { path, mutated, bystander };
  }

  #write(directory: string, name: string, files: WriterFiles): void {
    const extension = FUZZED[this.#options.store];
    for (const [suffix, bytes] of files) {
      writeFileSync(join(directory, `${name}${extension}${suffix}`), bytes);
    }
  }

  async #readAll(checkpoints: readonly FuzzedCheckpoint[]): Promise<void> {
    let left = [...checkpoints];
    while (left.length > 0) {
      const { readings, death } = await readInProcess(
        this.#job(left),
        join(this.#directory, "job"),
      );
      for (const checkpoint of left) {
        const found = readings.get(checkpoint.path);
        if (found !== undefined) this.#judge(checkpoint, found);
      }
      if (death === undefined) return;
      const killer = left.find(({ path }) => path === death.at);
      if (killer === undefined) throw new Error(`the reading process failed: ${death.how}`);
      left = left.filter(({ path }) => path !== death.at && !readings.has(path));
      await this.#findKiller(killer, death);
    }
  }

  #job(checkpoints: readonly FuzzedCheckpoint[]): ReadJob {
    const extension = FUZZED[this.#options.store];
    return {
      store: this.#options.store,
      identities: this.#identities,
      checkpoints: checkpoints.map(({ path, mutated, bystander }) => ({
        path,
        files: Object.fromEntries([
          [`${BYSTANDER}${extension}`, bystander.name],
          ...mutated.map(({ name, template }) => [`${name}${extension}`, template.name] as const),
        ]),
      })),
    };
  }

  /** Reads the files of a checkpoint that a process died of one by one. */
  async #findKiller(
    { mutated }: FuzzedCheckpoint,
    death: { readonly how: string; readonly hung: boolean },
  ): Promise<void> {
    const job = join(this.#directory, "job");
    let found = 0;
    for (const one of mutated) {
      const alone = this.#lay([one]);
      const outcome = await readInProcess(this.#job([alone]), job);
      const readings = outcome.readings.get(alone.path);
      if (readings !== undefined) {
        this.#judge(alone, readings);
      } else {
        found++;
        const { hung = false, how = "" } = outcome.death ?? {};
        this.#tallyOf(one.kind).files++;
        this.#tallyOf(one.kind)[hung ? "hangs" : "crashes"]++;
        this.#problem(hung ? "hang" : "crash", one, how);
      }
      rmSync(alone.path, { recursive: true, force: true });
    }
    if (found === 0) {
      this.#tallyOf(mutated[0]!.kind)[death.hung ? "hangs" : "crashes"]++;
      for (const one of mutated) this.#problem("crash-together", one, death.how);
    }
  }

  #judge({ mutated, bystander }: FuzzedCheckpoint, readings: readonly FileReading[]): void {
    const extension = FUZZED[this.#options.store];
    const readingOf = (name: string) =>
      readings.find(({ file }) => file === `${name}${extension}`)!;
    const beside = readingOf(BYSTANDER);
    if (beside.intact < beside.written || beside.warnings.length > 0) {
      this.#othersLost++;
      this.#problems.push(
        `beside ${mutated.map(({ name }) => name).join(" ")}: ${beside.intact} of ` +
          `${beside.written} records of ${bystander.name} arrived: ${beside.warnings.join("; ")}`,
      );
    }
    for (const one of mutated) this.#judgeFile(one, readingOf(one.name));
  }

  #judgeFile(one: Mutated, reading: FileReading): void {
    const { kind } = one;
    const tally = this.#tallyOf(kind);
    const { intact, written, invented, warnings } = reading;
    tally.files++;
    if (invented.length > 0) {
      tally.invented += invented.length;
      this.#problem("invented", one, invented[0]!);
    }
    if (kind.name === "untouched" && (warnings.length > 0 || intact < written)) {
      this.#alarms++;
      this.#problem("alarm", one, warnings.join("; "));
    }
    if (intact === written) {
      tally.harmless++;
      return;
    }
    tally.damaged++;
    tally.written += written;
    tally.salvaged += intact;
    if (warnings.length > 0) return;
    tally.unnamed++;
    if (kind.untellable === undefined) {
      this.#problem("unnamed", one, `${intact} of ${written} records arrived without a word`);
    }
  }

  #tallyOf(kind: MutationKind): KindTally {
    let tally = this.#tallies.get(kind);
    if (tally === undefined) {
      tally = {
        kind: kind.name,
        ...(kind.untellable === undefined ? {} : { untellable: kind.untellable }),
        files: 0,
        harmless: 0,
        damaged: 0,
        written: 0,
        salvaged: 0,
        crashes: 0,
        hangs: 0,
        invented: 0,
        unnamed: 0,
      };
      this.#tallies.set(kind, tally);
    }
    return tally;
  }

  #problem(what: string, { name, template, kind, files }: Mutated, how: string): void {
    const kept = this.#kept.get(what) ?? 0;
    this.#kept.set(what, kept + 1);
    let where = "";
    if (kept < MOST_KEPT) {
      where = join(this.#directory, `kept-${what}-${name}`, ".tidemark");
      mkdirSync(where, { recursive: true });
      this.#write(where, name, files);
    }
    this.#problems.push(`${what}: ${template.name}, ${kind.name}: ${how}  ${where}`);
  }

  report(): FuzzReport {
    const kinds = MUTATIONS.flatMap((kind) => this.#tallies.get(kind) ?? []);
    return {
      kinds,
      alarms: this.#alarms,
      othersLost: this.#othersLost,
      problems: this.#problems,
      ok: this.#problems.length === 0,
    };
  }
}
