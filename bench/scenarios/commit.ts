import { openRecordLog, type RecordLog } from "../logs/record_log.ts";
import {
  besideStores,
  type Contender,
  type Figures,
  type Scenario,
  type Subject,
} from "../scenario.ts";
import { completions } from "../source_names.ts";
import { quantile } from "../statistics.ts";

const BASELINES = ["append + fdatasync", "JSONL done-file", "bare better-sqlite3", "bare lmdb"];
const QUICK = { sizes: [1, 10, 100, 1_000, 10_000], duration: 60 };
const FULL = { sizes: [1, 10, 100, 1_000, 10_000, 100_000], duration: 1_000 };
/** So that a slow disk shows more than its first sync. */
const LEAST_APPENDS = 3;

class Committing implements Subject {
  readonly durability: string;
  readonly #log: RecordLog;
  readonly #size: number;
  readonly #duration: number;
  #next = 0;

  constructor(log: RecordLog, size: number, duration: number) {
    this.durability = log.durability;
    this.#log = log;
    this.#size = size;
    this.#duration = duration;
  }

  async round(): Promise<Figures> {
    const latencies: number[] = [];
    let spent = 0;
    while (spent < this.#duration || latencies.length < LEAST_APPENDS) {
      const records = completions(this.#next, this.#size, "bench");
      this.#next += this.#size;
      const began = performance.now();
      await this.#log.append(records);
      const latency = performance.now() - began;
      latencies.push(latency);
      spent += latency;
    }
    return {
      rate: (latencies.length * this.#size * 1_000) / spent,
      p50: quantile(latencies, 0.5),
      // Of fewer appends it would be no more than the slowest.
      ...(this.#size === 1 ? { p99: quantile(latencies, 0.99) } : {}),
    };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}

/** Durable records per second by the size of batches. */
export const commit: Scenario = {
  name: "commit",
  summary: "durable records per second by batch size, from record to disk, one batch at a time",
  usesStores: true,
  columns: [
    { key: "rate", title: "records", unit: "1/s", compared: true },
    { key: "p50", title: "append p50", unit: "ms" },
    { key: "p99", title: "p99", unit: "ms" },
  ],
  contests: ({ full, stores }) => {
    const { sizes, duration } = full ? FULL : QUICK;
    return sizes.map((size) => {
      const contender = (name: string): Contender => ({ name, parameters: { size, duration } });
      return {
        name: `batches of ${size.toLocaleString("en")}`,
        contenders: besideStores(BASELINES, stores, contender),
        baselines: BASELINES,
      };
    });
  },
  open: async (setting) => {
    const { size, duration } = setting.parameters;
    return new Committing(await openRecordLog(setting), Number(size), Number(duration));
  },
};
