import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ContenderProcess, NotMeasured } from "./contender_process.ts";
import type { Assignment } from "./message.ts";
import type { Contender, Contest, Figures, Scenario } from "./scenario.ts";
import { summarize, type Summary } from "./statistics.ts";

/** What came out for one contender. */
export interface Row {
  readonly contender: string;
  readonly outcome: "measured" | "skipped" | "failed";
  /** Why it was not measured. */
  readonly reason?: string;
  readonly durability?: string;
  readonly figures?: Readonly<Record<string, Summary>>;
  /** How many times the baseline's median its compared value's median is. */
  readonly ratio?: number;
}

/** What came out of one contest. */
export interface ContestResult {
  readonly name: string;
  /** The contender that the ratios are to. */
  readonly baseline?: string;
  readonly rows: readonly Row[];
}

interface Entrant {
  readonly contender: Contender;
  readonly assignment: Assignment;
  readonly measured: Figures[];
  process: ContenderProcess | undefined;
  durability: string;
  failure: NotMeasured | undefined;
}

/** Measures a scenario's contests in a directory, where it keeps what was prepared. */
export class Arena {
  readonly #scenario: Scenario;
  readonly #directory: string;
  readonly #rounds: number;
  #entrants = 0;

  constructor(scenario: Scenario, directory: string, rounds: number) {
    this.#scenario = scenario;
    this.#directory = directory;
    this.#rounds = rounds;
  }

  /** Measures the contenders in turn, round after round. */
  async hold(contest: Contest): Promise<ContestResult> {
    const entrants = contest.contenders.map((contender) => this.#entrant(contender));
    const fresh = contest.fresh === true;
    const rounds = contest.rounds ?? this.#rounds;
    try {
      // Nothing is measured yet, so they need not wait for each other.
      await Promise.all(entrants.map((e) => attempt(e, () => this.#admit(e, fresh))));
      // The first round warms up and does not count.
      for (let round = fresh ? 1 : 0; round <= rounds; round++) {
        for (const entrant of entrants) {
          await attempt(entrant, async () => {
            const figures = await (fresh ? freshRound(entrant) : entrant.process!.round());
            if (round > 0) entrant.measured.push(figures);
          });
        }
      }
    } finally {
      await Promise.all(entrants.map(async ({ process, assignment }) => {
        await process?.[Symbol.asyncDispose]();
        rmSync(assignment.directory, { recursive: true, force: true });
      }));
    }
    return this.#result(contest, entrants);
  }

  #entrant(contender: Contender): Entrant {
    const { store, prepared } = contender;
    const assignment: Assignment = {
      scenario: this.#scenario.name,
      contender: contender.name,
      parameters: contender.parameters,
      ...(store === undefined ? {} : { store }),
      compiled: join(this.#directory, "compiled"),
      directory: join(this.#directory, `${this.#scenario.name}-${++this.#entrants}`),
      prepared: prepared === undefined
        ? ""
        : join(this.#directory, encodeURIComponent(`prepared ${prepared}`)),
    };
    return {
      contender,
      assignment,
      measured: [],
      process: undefined,
      durability: "",
      failure: undefined,
    };
  }

  async #admit(entrant: Entrant, fresh: boolean): Promise<void> {
    const { assignment } = entrant;
    mkdirSync(assignment.directory);
    await prepare(assignment, entrant.contender.preparers ?? 1);
    if (fresh) return;
    entrant.process = await ContenderProcess.start(assignment);
    entrant.durability = entrant.process.durability;
  }

  #result(contest: Contest, entrants: readonly Entrant[]): ContestResult {
    const compared = this.#scenario.columns.find((column) => column.compared)!.key;
    const figures = new Map(
      entrants.filter((e) => e.failure === undefined).map((e) => [e.contender.name, summaries(e)]),
    );
    const baseline = contest.baselines.find((name) => figures.has(name));
    const base = baseline === undefined ? undefined : figures.get(baseline)?.[compared];
    const rows = entrants.map(({ contender: { name }, failure, durability }): Row => {
      if (failure !== undefined) {
        return { contender: name, outcome: failure.outcome, reason: failure.message };
      }
      const own = figures.get(name)!;
      // Of the medians that are printed, so that whoever reads the table can check it.
      const ratio = base && own[compared] && own[compared].median / base.median;
      return {
        contender: name,
        outcome: "measured",
        durability,
        figures: own,
        ...(ratio !== undefined && Number.isFinite(ratio) ? { ratio } : {}),
      };
    });
    return { name: contest.name, ...(baseline === undefined ? {} : { baseline }), rows };
  }
}

/** A contender that fails leaves the others be. */
async function attempt(entrant: Entrant, step: () => Promise<void>): Promise<void> {
  if (entrant.failure !== undefined) return;
  try {
    await step();
  } catch (thrown) {
    if (!(thrown instanceof NotMeasured)) throw thrown;
    entrant.failure = thrown;
  }
}

/** Prepares what an assignment reads, unless another contender had it prepared. */
async function prepare(assignment: Assignment, parts: number): Promise<void> {
  const { prepared } = assignment;
  if (prepared === "" || mkdirSync(prepared, { recursive: true }) === undefined) return;
  try {
    await Promise.all(Array.from({ length: parts }, async (_, part) => {
      const share = { ...assignment, prepare: { part, parts } };
      await using _process = await ContenderProcess.start(share);
    }));
  } catch (thrown) {
    rmSync(prepared, { recursive: true, force: true });
    throw thrown;
  }
}

async function freshRound(entrant: Entrant): Promise<Figures> {
  await using process = await ContenderProcess.start(entrant.assignment);
  entrant.durability = process.durability;
  return await process.round();
}

function summaries({ measured }: Entrant): Record<string, Summary> {
  const keys = Object.keys(measured[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => [key, summarize(measured.map((figures) => figures[key]!))]),
  );
}
