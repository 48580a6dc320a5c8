import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FileReading, ReadJob, ReadLine } from "./read_checkpoints.ts";
import { runtimeArguments } from "./templates.ts";

const script = fileURLToPath(new URL("./read_checkpoints.ts", import.meta.url));

/** How long one checkpoint may take. */
const DEADLINE_MS = 30_000;

/** How the reading of some checkpoints ended. */
export interface ReadingOutcome {
  /** Per checkpoint that was read to its end, in the order of the job. */
  readonly readings: ReadonlyMap<string, readonly FileReading[]>;
  /** What the process died of, or that it hung, and at which checkpoint. */
  readonly death?: { readonly at: string; readonly how: string; readonly hung: boolean };
}

/** Reads checkpoints in a process of its own, which may die of it. */
export async function readInProcess(job: ReadJob, jobFile: string): Promise<ReadingOutcome> {
  writeFileSync(jobFile, JSON.stringify(job));
  const child = spawn(process.execPath, [...runtimeArguments(script), jobFile], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const readings = new Map<string, readonly FileReading[]>();
  let at = "the start";
  let errors = "";
  let hung = false;
  const giveUp = () => {
    hung = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(giveUp, DEADLINE_MS);
  child.stderr.on("data", (chunk: Buffer) => errors = (errors + chunk.toString()).slice(-2000));
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, DEADLINE_MS);
    const line = JSON.parse(text) as ReadLine;
    if ("started" in line) at = line.started;
    else readings.set(line.finished, line.readings);
  });
  const drained = new Promise((resolve) => lines.once("close", resolve));
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>(
    (resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    },
  );
  await drained;
  clearTimeout(timer);
  if (code === 0) return { readings };
  const how = hung ? "no answer" : `code ${code}, signal ${signal}: ${errors.trim()}`;
  return { readings, death: { at, how, hung } };
}
