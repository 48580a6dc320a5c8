import { Checkpoint } from "../../core/checkpoint.ts";
import type { Fact } from "../../core/fact.ts";
import { Ledger, type LedgerChange } from "../../core/ledger.ts";
import type { CheckpointRecord } from "../../core/record.ts";
import { decodeRecord, type RecordFault } from "../../core/record_codec.ts";
import { Scheduler } from "../../core/scheduler.ts";
import { Sources } from "../../core/sources.ts";
import { Union } from "../../core/union.ts";
import { SimulatedStore } from "./simulated_store.ts";

/** A bug that the simulator must find. */
export interface Bug {
  readonly what: string;
  /** The check that should find it. */
  readonly check: string;
  /** Puts the bug into the running program and says how it was without it. */
  readonly install: () => () => void;
}

/** Puts methods in the place of a class's own. */
function replace<T extends object>(prototype: T, methods: Partial<T> & ThisType<T>): () => void {
  const before = Object.getOwnPropertyDescriptors(prototype);
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(methods));
  return () => void Object.defineProperties(prototype, before);
}

const counterLedger = (): () => void => {
  const counters = new WeakMap<Ledger, Map<string, { opened: boolean; pending: number }>>();
  const of = (ledger: Ledger, source: string) => {
    const mine = counters.get(ledger) ?? new Map<string, { opened: boolean; pending: number }>();
    counters.set(ledger, mine);
    const counter = mine.get(source) ?? { opened: false, pending: 0 };
    mine.set(source, counter);
    return counter;
  };
  return replace(Ledger.prototype, {
    apply(facts: Iterable<Fact>): LedgerChange[] {
      for (const fact of facts) {
        const counter = of(this, fact.source);
        if (fact.kind === "opened") counter.opened = true;
        counter.pending += fact.kind === "opened"
          ? 1
          : fact.kind === "drained"
          ? -1
          : fact.children - 1;
      }
      return [];
    },
    isComplete(source: string): boolean {
      const { opened, pending } = of(this, source);
      return opened && pending === 0;
    },
    pending(source: string): number {
      return of(this, source).pending;
    },
    forget(source: string): void {
      counters.get(this)?.delete(source);
    },
  });
};

/** The union takes what a store yields in as texts, so that a bug in `add` meets it too. */
const addsOneByOne: Partial<Union> & ThisType<Union> = {
  addEncoded(bytes: Uint8Array): RecordFault | undefined {
    const record = decodeRecord(bytes);
    if (typeof record === "string") return record;
    this.add(record);
    return undefined;
  },
};

const unionByArrival = (): () => void => {
  const arrived = new WeakMap<Union, Map<string, CheckpointRecord>>();
  const of = (union: Union) => {
    const mine = arrived.get(union) ?? new Map<string, CheckpointRecord>();
    arrived.set(union, mine);
    return mine;
  };
  return replace(Union.prototype, {
    ...addsOneByOne,
    add(record: CheckpointRecord): boolean {
      of(this).set(record.source, record);
      return true;
    },
    get(source: string): CheckpointRecord | undefined {
      return of(this).get(source);
    },
    isComplete(source: string, version?: string): boolean {
      const record = of(this).get(source);
      return record?.state === "complete" && (version === undefined || record.version === version);
    },
    nextClock(source: string): number {
      return (of(this).get(source)?.clock ?? 0) + 1;
    },
  });
};

const resolvesEarly = (): () => void => {
  const { append, close } = SimulatedStore.prototype;
  const writing = new WeakMap<SimulatedStore, Promise<void>>();
  return replace(SimulatedStore.prototype, {
    append(records: readonly Uint8Array[]): Promise<void> {
      const before = writing.get(this) ?? Promise.resolve();
      writing.set(this, before.then(() => append.call(this, records)).catch(() => {}));
      return Promise.resolve();
    },
    async close(): Promise<void> {
      await writing.get(this);
      await close.call(this);
    },
  });
};

const recordsBeforeCommit = (): () => void => {
  const { settle } = Sources.prototype;
  const { isDrained } = Checkpoint.prototype;
  let settled: Parameters<typeof settle>[0] | undefined;
  const undo = replace(Sources.prototype, {
    settle(source): void {
      settled = source;
      settle.call(this, source);
      settled = undefined;
    },
  });
  const undoOther = replace(Checkpoint.prototype, {
    isDrained(source: string): boolean {
      const drained = isDrained.call(this, source);
      if (drained && settled !== undefined) {
        const { version } = settled;
        settled = undefined;
        void this.record(source, "complete", { version });
      }
      return drained;
    },
  });
  return () => {
    undo();
    undoOther();
  };
};

const ignoresBound = (): () => void => {
  const openCount = Object.getOwnPropertyDescriptor(Sources.prototype, "openCount")!.get!;
  return replace(Sources.prototype, {
    get openCount(): number {
      return Math.min(1, openCount.call(this) as number);
    },
  });
};

const forgetsReopenings = (): () => void => {
  const { record } = Checkpoint.prototype;
  return replace(Checkpoint.prototype, {
    record(source, state, details): Promise<boolean> {
      if (state === "reopened") return Promise.resolve(true);
      return record.call(this, source, state, details);
    },
  });
};

const resurrects = (): () => void => {
  const { add } = Union.prototype;
  return replace(Union.prototype, {
    ...addsOneByOne,
    add(record: CheckpointRecord): boolean {
      return record.state === "reopened" ? false : add.call(this, record);
    },
  });
};

const dropsRefused = (): () => void => {
  const { append } = SimulatedStore.prototype;
  return replace(SimulatedStore.prototype, {
    append(records: readonly Uint8Array[]): Promise<void> {
      return append.call(this, records).catch(() => {});
    },
  });
};

const losesTail = (): () => void => {
  const { append } = SimulatedStore.prototype;
  return replace(SimulatedStore.prototype, {
    append(records: readonly Uint8Array[]): Promise<void> {
      return append.call(this, records.slice(0, Math.max(1, records.length - 1)));
    },
  });
};

const ignoresVersions = (): () => void => {
  const { isComplete } = Union.prototype;
  return replace(Union.prototype, {
    isComplete(source: string): boolean {
      return isComplete.call(this, source);
    },
  });
};

const standingClock = (): () => void => replace(Union.prototype, { nextClock: () => 1 });

const swallowsFailures = (): () => void => replace(Sources.prototype, { fail: () => {} });

const losesWakeUps = (): () => void => {
  const { pump } = Scheduler.prototype;
  let calls = 0;
  return replace(Scheduler.prototype, {
    pump(): void {
      if (++calls % 50 !== 0) pump.call(this);
    },
  });
};

/** Bugs to put in, by name. They replace what the engine does from outside. */
export const BUGS: Readonly<Record<string, Bug>> = {
  "counter-ledger": {
    what: "the original's counter (+1, n-1, -1) in the place of the ledger",
    check: "nothing complete early",
    install: counterLedger,
  },
  "union-by-arrival": {
    what: "the record read last prevails",
    check: "the union",
    install: unionByArrival,
  },
  "resolves-early": {
    what: "append resolves before the disk has it",
    check: "reports",
    install: resolvesEarly,
  },
  "records-before-commit": {
    what: "a source is recorded before the sink has committed it",
    check: "nothing complete early",
    install: recordsBeforeCommit,
  },
  "ignores-bound": { what: "maxOpenSources is ignored", check: "bound", install: ignoresBound },
  "forgets-reopenings": {
    what: "the owner does not write reopenings",
    check: "reopening",
    install: forgetsReopenings,
  },
  "resurrects": {
    what: "the union does not take reopenings in",
    check: "the union",
    install: resurrects,
  },
  "drops-refused": {
    what: "the owner takes a refused append for done",
    check: "reports",
    install: dropsRefused,
  },
  "loses-tail": {
    what: "the last record of an append is lost",
    check: "reports",
    install: losesTail,
  },
  "ignores-versions": {
    what: "a changed version does not run again",
    check: "the union",
    install: ignoresVersions,
  },
  "standing-clock": {
    what: "every first statement has clock 1",
    check: "the end",
    install: standingClock,
  },
  "swallows-failures": {
    what: "a failed slot does not fail its source",
    check: "reports",
    install: swallowsFailures,
  },
  "loses-wake-ups": {
    what: "the scheduler misses a wake-up in fifty",
    check: "the end",
    install: losesWakeUps,
  },
};
