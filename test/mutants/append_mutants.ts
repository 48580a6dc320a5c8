import { type MemoryCheckpoint, memoryCheckpoint, MemoryStore } from "../../stores/memory.ts";
import { type Mutant, mutated, recordIn, replaced, rewritten } from "./mutant.ts";

/** Appends that resolved before they were written, by directory. */
const behind = new Map<string, Promise<void>>();

async function late(step: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  await step();
}

/** Bugs in how records are kept. */
export const appendMutants: Readonly<Record<string, Mutant>> = {
  drops_last_state: mutated(
    {
      bug: "keeps the first record of each source in a batch",
      expected: "several records of one source in a batch count by their clocks",
      related: /on its way to disk/,
    },
    (inner) => ({
      append(records) {
        const known = new Set<string>();
        const first = rewritten(records, (record) => {
          if (known.has(record.source)) return undefined;
          known.add(record.source);
          return record;
        });
        return inner.append(first);
      },
    }),
  ),
  loses_tail: mutated(
    {
      bug: "loses what is beyond 32,768 records of a batch",
      expected: "append() keeps a batch of 70,000 records",
    },
    (inner) => ({ append: (records) => inner.append(records.slice(0, 32_768)) }),
  ),
  resolves_early: mutated(
    {
      bug: "resolves before the records are on disk",
      expected: "append() that resolved right before its process was killed is there",
      related: /killed|another process/,
    },
    (inner, directory) => ({
      async append(records) {
        const before = behind.get(directory);
        const copies = records.map((record) => record.slice());
        const written = late(async () => {
          await before;
          await inner.append(copies);
        });
        written.catch(() => {});
        behind.set(directory, written);
        // An empty append tells whether the store is closed.
        await inner.append([]);
      },
      async *read() {
        await behind.get(directory);
        yield* inner.read();
      },
      async close() {
        await behind.get(directory);
        await inner.close();
      },
    }),
  ),
  tears_batches: mutated(
    {
      bug: "commits a batch in parts",
      expected: "append() whose process is killed in the middle keeps all of the batch or none",
      related: /large batch whose process is killed|waits for an append/,
    },
    (inner) => ({
      async append(records) {
        for (let start = 0; start <= records.length; start += 50) {
          await inner.append(records.slice(start, start + 50));
        }
      },
    }),
  ),
  refuses_long_ids: mutated(
    {
      bug: "throws on an id of more than 5,000 characters",
      expected: "ids of 10,000 characters come back as they were",
    },
    (inner) => ({
      async append(records) {
        if (records.some((bytes) => (recordIn(bytes)?.source.length ?? 0) > 5000)) {
          throw new RangeError("the key is too long");
        }
        await inner.append(records);
      },
    }),
  ),
  normalises_ids: mutated(
    {
      bug: "normalises the Unicode of ids",
      expected: "ids that Unicode could take for each other come back as they were",
    },
    (inner) => ({
      append: (records) =>
        inner.append(
          rewritten(
            records,
            (record) => ({ ...record, source: record.source.normalize("NFKC") }),
          ),
        ),
    }),
  ),
  cuts_ids: mutated(
    {
      bug: "takes ids for texts that end with a null character",
      expected: "ids with control characters come back as they were",
    },
    (inner) => ({
      append: (records) =>
        inner.append(
          rewritten(
            records,
            (record) => ({ ...record, source: record.source.split("\0")[0] || "empty" }),
          ),
        ),
    }),
  ),
  replaces_surrogates: mutated(
    {
      bug: "keeps ids as UTF-8",
      expected: "ids that half a character ends come back as they were",
    },
    (inner) => ({
      append: (records) =>
        inner.append(
          rewritten(records, (record) => ({ ...record, source: record.source.toWellFormed() })),
        ),
    }),
  ),
  drops_empty: mutated(
    {
      bug: "drops empty records",
      expected: "append() keeps bytes of every value and every length",
      related: /part of a larger buffer|one empty record/,
    },
    (inner) => ({ append: (records) => inner.append(records.filter(({ length }) => length > 0)) }),
  ),
  drops_twins: mutated(
    {
      bug: "drops a record whose bytes are equal to one in the same batch",
      expected: "append() keeps a record that is appended twice twice",
    },
    (inner) => ({
      append: (records) =>
        inner.append(
          records.filter((record, i) =>
            !records.slice(Math.max(0, i - 8), i).some((other) => Buffer.from(other).equals(record))
          ),
        ),
    }),
  ),
  keeps_whole_buffers: mutated(
    {
      bug: "keeps the whole buffer of which a record is a part",
      expected: "append() keeps a part of a larger buffer",
    },
    (inner) => ({
      append: (records) =>
        inner.append(
          records.map((record) =>
            record.buffer.byteLength === 1000 ? new Uint8Array(record.buffer) : record
          ),
        ),
    }),
  ),
  keeps_callers_bytes: {
    bug: "keeps the caller's bytes instead of a copy",
    expected: "append() is not affected by what becomes of the bytes afterwards",
    memory: true,
    async open(directory) {
      const checkpoint: MemoryCheckpoint = memoryCheckpoint(directory);
      const inner = new MemoryStore(checkpoint);
      return replaced(inner, {
        async append(records) {
          await inner.append(records);
          const own = checkpoint.writers.find(({ name }) => name === inner.writer)!;
          own.records.splice(own.records.length - records.length, records.length);
          for (const record of records) own.records.push(record);
        },
      });
    },
  },
};
