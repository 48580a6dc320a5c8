import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { appendsOf, identityOf, type Shape, SHAPES } from "./shapes.ts";
import type { TemplateJob } from "./write_templates.ts";

/** The stores whose files are fuzzed, with what they call their files. */
export const FUZZED = { lmdb: ".mdb", sqlite: ".sqlite" } as const;
export type FuzzedStore = keyof typeof FUZZED;

/** A writer's files by what follows the writer's name and extension: "", "-wal", "-lock", … */
export type WriterFiles = ReadonlyMap<string, Uint8Array>;

/** A checkpoint that a real writer left, to be mutated. */
export interface Template {
  readonly name: string;
  readonly closed: boolean;
  readonly files: WriterFiles;
  /** The same files when fewer records had been appended, the oldest first. */
  readonly older: readonly WriterFiles[];
  /** What its records say. */
  readonly identities: readonly string[];
}

const script = fileURLToPath(new URL("./write_templates.ts", import.meta.url));

/** The command line that runs a script in this runtime. */
export function runtimeArguments(file: string): string[] {
  return "Deno" in globalThis ? ["run", "-A", "--quiet", file] : [file];
}

/** Has a writer for each shape and end, and a second one like it, leave its files. */
export async function writeTemplates(
  store: FuzzedStore,
  directory: string,
  shapes: readonly Shape[] = SHAPES,
): Promise<Template[]> {
  const jobs = shapes.flatMap((shape) =>
    [true, false].flatMap((closed) =>
      ["", "-twin"].map((twin): TemplateJob => {
        const label = `${shape}-${closed ? "closed" : "killed"}${twin}`;
        return { store, path: join(directory, label), shape, label, closed };
      })
    )
  );
  await runWriter(jobs);
  return jobs.map(templateOf);
}

function templateOf({ store, path, shape, label, closed }: TemplateJob): Template {
  const older = readdirSync(path).filter((entry) => entry.startsWith("older-"))
    .sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  return {
    name: label,
    closed,
    files: readFiles(join(path, ".tidemark"), FUZZED[store]),
    older: older.map((entry) => readFiles(join(path, entry), FUZZED[store])),
    identities: appendsOf(shape, label).flat().map(identityOf),
  };
}

function readFiles(directory: string, extension: string): WriterFiles {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(directory)) {
    const at = name.indexOf(extension);
    if (at >= 0) files.set(name.slice(at + extension.length), readFileSync(join(directory, name)));
  }
  return files;
}

/** Runs the writer until all is written, and kills it. */
function runWriter(jobs: readonly TemplateJob[]): Promise<void> {
  const child = spawn(process.execPath, [...runtimeArguments(script), JSON.stringify(jobs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.once("data", () => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`the writer ended with code ${code}, signal ${signal}`));
    });
  });
}
