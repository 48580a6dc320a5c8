/** Reads the checkpoints that a job names and prints, line by line, what came of each. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { openStore, type StoreWarning } from "../../mod.ts";
import type { FuzzedStore } from "./templates.ts";
import { decodedIdentity } from "./shapes.ts";

/** What the reading process is told, in a file. */
export interface ReadJob {
  readonly store: FuzzedStore;
  /** What each template's records say. */
  readonly identities: Readonly<Record<string, readonly string[]>>;
  readonly checkpoints: readonly {
    readonly path: string;
    /** The template of each file, by the file's name. */
    readonly files: Readonly<Record<string, string>>;
  }[];
}

/** What was read of one file. */
export interface FileReading {
  readonly file: string;
  /** How many of the writer's records arrived as they were written. */
  readonly intact: number;
  readonly written: number;
  /** What arrived and nobody had written. */
  readonly invented: readonly string[];
  /** What was said of the file, by the store or by the records' own check. */
  readonly warnings: readonly string[];
}

/** A line of the reading process. */
export type ReadLine =
  | { readonly started: string }
  | { readonly finished: string; readonly readings: readonly FileReading[] };

interface Arrival {
  readonly seen: Set<string>;
  readonly warnings: string[];
  readonly invented: string[];
}

const print = (line: ReadLine) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function read(
  { store: name, identities }: ReadJob,
  { path, files }: ReadJob["checkpoints"][number],
  written: ReadonlySet<string>,
): Promise<FileReading[]> {
  const arrivals = new Map<string, Arrival>(
    Object.keys(files).map((file) => [file, { seen: new Set(), warnings: [], invented: [] }]),
  );
  const onWarning = ({ message, subject = "" }: StoreWarning) =>
    void arrivals.get(basename(subject))?.warnings.push(message);
  await using store = await openStore(`${name}:${path}`, onWarning);
  for await (const { origin, records } of store.read()) {
    const arrival = arrivals.get(basename(origin))!;
    for (const bytes of records) {
      const identity = decodedIdentity(bytes);
      if (identity === undefined) arrival.warnings.push("a record is damaged");
      else if (written.has(identity)) arrival.seen.add(identity);
      else arrival.invented.push(identity);
    }
  }
  return [...arrivals].map(([file, { seen, warnings, invented }]) => {
    const expected = identities[files[file]!]!;
    return {
      file,
      intact: expected.filter((identity) => seen.has(identity)).length,
      written: expected.length,
      invented,
      warnings: [...new Set(warnings)],
    };
  });
}

const job = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as ReadJob;
const written = new Set(Object.values(job.identities).flat());
for (const checkpoint of job.checkpoints) {
  print({ started: checkpoint.path });
  print({ finished: checkpoint.path, readings: await read(job, checkpoint, written) });
}
