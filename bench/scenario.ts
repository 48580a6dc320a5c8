import type { Harness } from "../test/conformance/mod.ts";

/** Measured values by the key of their column. */
export type Figures = Readonly<Record<string, number>>;

/** One value that a scenario measures. */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** Whether the ratio to the baseline is that of this value. Exactly one column's is. */
  readonly compared?: boolean;
}

/** What a contender is told, beside its name. */
export type Parameters = Readonly<Record<string, string | number>>;

/** Something that is measured beside others, in a process of its own. */
export interface Contender {
  readonly name: string;
  /** The store that it works on: a name or path that `loadHarness` takes. */
  readonly store?: string;
  readonly parameters: Parameters;
  /** The name of what its scenario prepares for it. Contenders with the same name share it. */
  readonly prepared?: string;
  /** How many processes prepare it at once where the store is durable. One by default. */
  readonly preparers?: number;
}

/** Contenders that are measured in turn, so that their ratios are of the same moments. */
export interface Contest {
  readonly name: string;
  readonly contenders: readonly Contender[];
  /** Contenders to compare with: the first that could be measured. */
  readonly baselines: readonly string[];
  /** Measurements of each that count, where that is not for the user to say. */
  readonly rounds?: number;
  /** Each round has a process of its own and nothing warms up, as when a run starts. */
  readonly fresh?: boolean;
}

/** A store that takes part. */
export interface StoreChoice {
  /** What `loadHarness` takes. */
  readonly spec: string;
  /** What the harness calls it. */
  readonly name: string;
  readonly durable: boolean;
}

/** What a scenario plans its contests from. */
export interface Plan {
  /** Whether the long form was asked for. */
  readonly full: boolean;
  readonly stores: readonly StoreChoice[];
  readonly seed: number;
}

/** Where and with what a contender works. */
export interface Setting {
  readonly contender: string;
  readonly parameters: Parameters;
  readonly harness: Harness | undefined;
  /** A directory of its own, which exists. */
  readonly directory: string;
  /** Where the scenario's `prepare` has put what the contender reads. */
  readonly prepared: string;
}

/** A contender that is ready to be measured. */
export interface Subject extends AsyncDisposable {
  /** What has become of written data when a round ends. */
  readonly durability: string;
  round(): Promise<Figures>;
}

/** One of several equal parts of some work. */
export interface Share {
  /** From 0. */
  readonly part: number;
  readonly parts: number;
}

/** One thing to measure. */
export interface Scenario {
  readonly name: string;
  /** What is measured and how, in one sentence. */
  readonly summary: string;
  /** Whether stores take part. */
  readonly usesStores: boolean;
  readonly columns: readonly Column[];
  contests(plan: Plan): readonly Contest[];
  /** What the quick form leaves out. */
  readonly leftOut?: string;
  /**
   * Puts data where contenders find it, in processes of its own where the store is durable.
   * @param share Which of so many equal parts this process does, from 0.
   */
  prepare?(setting: Setting, share: Share): Promise<void>;
  open(setting: Setting): Promise<Subject>;
}

/** A contender cannot take part here; the message says why. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** What a store promises of records that it has taken. */
export function durabilityOf(harness: Harness): string {
  return harness.capabilities.durable ? "on disk" : "memory only";
}

/** Each of the stores beside each of the baselines, all of them made alike. */
export function besideStores(
  baselines: readonly string[],
  stores: readonly StoreChoice[],
  contender: (name: string) => Contender,
): Contender[] {
  return [
    ...baselines.map(contender),
    ...stores.map(({ name, spec }) => ({ ...contender(name), store: spec })),
  ];
}

/** A subject whose rounds begin from its setting and leave nothing open. */
export abstract class FreshSubject implements Subject {
  readonly durability: string;
  protected readonly setting: Setting;

  constructor(setting: Setting) {
    this.setting = setting;
    // What is measured without a store here is files.
    this.durability = setting.harness === undefined ? "on disk" : durabilityOf(setting.harness);
  }

  abstract round(): Promise<Figures>;

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What is written nowhere. */
export const NOT_WRITTEN = "nothing written";
