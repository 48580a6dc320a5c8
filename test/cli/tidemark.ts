import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
/** The address that modules of the tests import the library from. */
export const MOD: string = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);

/** A run of the command in a process of its own. */
export class Run implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout = "";
  stderr = "";

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (this.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** Resolves when standard error has the text; rejects when the process ends without it. */
  async says(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.stderr.includes(text)) resolve();
      };
      this.child.stderr.on("data", look);
      this.child.on("close", () => reject(new Error(`ended without "${text}": ${this.stderr}`)));
      look();
    });
  }

  /** Sends a signal. Not by `child.kill`, after which Deno reports the signal whatever the exit code was. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.child.pid!, name);
  }

  /** Lets what waits for the end of standard input go on. */
  release(): void {
    this.child.stdin.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** How a run is started. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the command. Its standard input stays open. */
export function start(args: readonly string[], { cwd = ROOT, env = {} }: StartOptions = {}): Run {
  const runtime = "Deno" in globalThis ? ["run", "-A", "--config", join(ROOT, "deno.json")] : [];
  const { TIDEMARK_CHECKPOINT: _, ...inherited } = process.env;
  const run = new Run(spawn(process.execPath, [...runtime, join(ROOT, "cli/main.ts"), ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: "1", ...env },
  }));
  onTestFinished(() => run[Symbol.asyncDispose]());
  return run;
}

/** What a run of the command left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end, without standard input. */
export async function tidemark(args: readonly string[], options?: StartOptions): Promise<Ended> {
  const run = start(args, options);
  run.release();
  const { code } = await run.ended;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** The same run, when it exited with 0; else an error that shows what it printed. */
export function succeeded(run: Ended): Ended {
  if (run.code !== 0) throw new Error(`exit code ${run.code}:\n${run.stderr}`);
  return run;
}

/** A new directory that is removed after the test, with these modules in it. */
export async function modules(contents: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-cli-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(directory, name), content);
  }
  return directory;
}
