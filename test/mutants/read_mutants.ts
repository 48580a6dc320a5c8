import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { encodeRecord } from "../../core/record_codec.ts";
import type { RecordBatch } from "../../core/store.ts";
import { LogStore } from "../../examples/log_store/log_store.ts";
import { statement } from "../conformance/statements.ts";
import {
  changed,
  isShared,
  type Mutant,
  mutated,
  recordIn,
  replaced,
  rewritten,
} from "./mutant.ts";

const DAMAGE = /^read\(\) (of a writer's file|goes past directories)/;

/** Bugs in how records are read. */
export const readMutants: Readonly<Record<string, Mutant>> = {
  merges_by_arrival: mutated(
    {
      bug: "yields only the record of a source that it met last, whatever its clock",
      expected: "the union of many writers does not depend on who opened first",
      related: /union|tie|reopen|undoes|later is complete/,
    },
    (inner) => ({
      async *read() {
        const last = new Map<string, RecordBatch>();
        for await (const { origin, records } of inner.read()) {
          const opaque = records.filter((bytes) => {
            const source = recordIn(bytes)?.source;
            if (source !== undefined) last.set(source, { origin, records: [bytes] });
            return source === undefined;
          });
          if (opaque.length > 0) yield { origin, records: opaque };
        }
        yield* last.values();
      },
    }),
  ),
  resurrects: mutated(
    {
      bug: "leaves out reopenings, so that a reopened source is complete again",
      expected: "a source that another writer reopened stays reopened",
      related: /union|tie|reopen|undoes|by their clocks/,
    },
    (inner) => ({
      read: () =>
        changed(
          inner,
          (records) =>
            rewritten(records, (record) => (record.state === "reopened" ? undefined : record)),
        ),
    }),
  ),
  ignores_other_writers: mutated(
    {
      bug: "reads only the files that were there when it was opened",
      expected: "read() yields what others have added since",
      related: isShared,
    },
    (inner, directory) => {
      const there = new Set(readdirSync(directory));
      return {
        async *read() {
          for await (const batch of inner.read()) {
            if (there.has(basename(batch.origin))) yield batch;
          }
        },
      };
    },
  ),
  reads_once: mutated(
    {
      bug: "keeps what its first read found and looks no further",
      expected: "a writer that adds after the union was read is seen by the next read()",
      related: isShared,
    },
    (inner) => {
      let done = false;
      return {
        async *read() {
          if (!done) yield* inner.read();
          done = true;
          // An empty append tells whether the store is closed.
          await inner.append([]);
        },
      };
    },
  ),
  yields_its_own: mutated(
    {
      bug: "yields its own appends too",
      expected: "read() leaves out this store's own appends",
      related: /read\(\) of a writer yields|close\(\) of one handle/,
    },
    (inner) => {
      let own: Uint8Array[] = [];
      return {
        async append(records) {
          await inner.append(records);
          own.push(...records.slice(0, 100).map((record) => record.slice()));
        },
        async *read() {
          yield* inner.read();
          const records = own;
          own = [];
          if (records.length > 0) yield { origin: "own", records };
        },
      };
    },
  ),
  sorts_batches: mutated(
    {
      bug: "yields a batch sorted by its bytes",
      expected: "append() keeps the order within a batch and between batches",
      related: /every value|part of a larger buffer/,
    },
    (inner) => ({
      read: () =>
        changed(
          inner,
          (records) => records.toSorted((a, b) => Buffer.compare(a, b)),
        ),
    }),
  ),
  reads_in_one_piece: mutated(
    {
      bug: "yields everything in one batch",
      expected: "read() yields large checkpoints in batches",
      related: /abandoned|that has begun|where each batch/,
    },
    (inner) => ({
      async *read() {
        const all: Uint8Array[] = [];
        for await (const { records } of inner.read()) {
          for (const record of records) all.push(record);
        }
        if (all.length > 0) yield { origin: "all", records: all };
      },
    }),
  ),
  names_no_origin: mutated(
    {
      bug: "does not say where a batch comes from",
      expected: "read() says where each batch comes from",
    },
    (inner) => ({
      async *read() {
        for await (const { records } of inner.read()) yield { origin: "checkpoint", records };
      },
    }),
  ),
  reuses_buffers: mutated(
    {
      bug: "reads into the buffers that the last read filled",
      expected: "read() yields records that may be kept",
    },
    (inner) => {
      let lent: Uint8Array[] = [];
      return {
        async *read() {
          for (const record of lent) record.fill(0xee);
          lent = [];
          for await (const { origin, records } of inner.read()) {
            const copies = records.map((record) => record.slice());
            for (const copy of copies) lent.push(copy);
            yield { origin, records: copies };
          }
        },
      };
    },
  ),
  forgets_when_abandoned: mutated(
    {
      bug: "takes a file for read as soon as its reading has begun",
      expected: "read() can be abandoned and taken up again",
      related: /abandoned again and again/,
    },
    (inner) => ({
      async *read() {
        const batches: RecordBatch[] = [];
        for await (const batch of inner.read()) batches.push(batch);
        for (const batch of batches) {
          // An empty append tells whether the store is closed.
          await inner.append([]);
          yield batch;
        }
      },
    }),
  ),
  ends_when_abandoned: mutated(
    {
      bug: "takes everything for read when its reading is abandoned",
      expected: "read() that is abandoned again and again comes to every writer",
      related: /abandoned and taken up|that has begun/,
    },
    (inner) => ({
      async *read() {
        const batches = inner.read()[Symbol.asyncIterator]();
        let next = await batches.next();
        try {
          for (; !next.done; next = await batches.next()) yield next.value;
        } finally {
          while (!next.done) next = await batches.next();
        }
      },
    }),
  ),
  stumbles_over_notes: mutated(
    {
      bug: "throws when there is a file that it does not know",
      expected: "read() goes past directories, dangling links and notes beside a writer's file",
    },
    (inner, directory) => ({
      async *read() {
        if (readdirSync(directory).includes("notes.txt")) throw new Error("what is notes.txt?");
        yield* inner.read();
      },
    }),
  ),
  trusts_prototypes: mutated(
    {
      bug: "looks ids up in an object that has a prototype",
      expected: "ids named like parts of an object come back as they were",
    },
    (inner) => ({
      read: () =>
        changed(
          inner,
          (records) => rewritten(records, (record) => (record.source in {} ? undefined : record)),
        ),
    }),
  ),
  invents_from_damage: {
    bug: "makes records of whatever a damaged file holds, without a checksum",
    expected: "read() of a writer's file that has a flipped bit in every 512 bytes names it and " +
      "yields the others",
    related: DAMAGE,
    async open(directory, { onWarning }) {
      const damaged: string[] = [];
      const inner = await LogStore.open(directory, (warning) => {
        damaged.push(warning.subject!);
        onWarning(warning);
      });
      return replaced(inner, {
        async *read() {
          yield* inner.read();
          for (const origin of damaged.splice(0)) {
            const found = readFileSync(origin, "latin1").matchAll(/[a-z]{4,}ed .{1,3}/gs);
            const records = [...found].map(([id]) => encodeRecord(statement(id, "complete", 1)));
            yield { origin, records };
          }
        },
      });
    },
  },
  stops_at_damage: {
    bug: "throws when a file is damaged",
    expected: "read() of a writer's file that is text names it and yields the others",
    related: DAMAGE,
    async open(directory) {
      let damaged: string | undefined;
      const inner = await LogStore.open(directory, ({ message }) => void (damaged = message));
      return replaced(inner, {
        async *read() {
          for await (const batch of inner.read()) {
            if (damaged !== undefined) throw new Error(damaged);
            yield batch;
          }
          if (damaged !== undefined) throw new Error(damaged);
        },
      });
    },
  },
  hides_damage: {
    bug: "skips a damaged file without a word",
    expected: "read() of a writer's file that is cut in half names it and yields the others",
    related: DAMAGE,
    open: (directory) => LogStore.open(directory),
  },
};
