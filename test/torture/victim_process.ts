import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { VictimReport } from "./victim.ts";
import type { Work } from "./work.ts";

/** What runs victims. */
export type Runtime = "node" | "deno";

const script = fileURLToPath(new URL("./victim.ts", import.meta.url));

/** The runtime's program itself: killing a script that starts it would not kill it. */
function programOf(runtime: Runtime): string {
  const own = "Deno" in globalThis ? "deno" : "node";
  if (runtime === own) return process.execPath;
  const installed = runtime === "deno" ? "deno/deno" : "node/bin/node";
  const path = fileURLToPath(new URL(`../../node_modules/${installed}`, import.meta.url));
  return existsSync(path) ? path : runtime;
}

/** How a victim is started. */
export interface VictimOptions {
  readonly runtime: Runtime;
  readonly work: Work;
  /** A command that the victim's is appended to. */
  readonly wrapper?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a victim ended. */
export interface VictimEnd {
  /** It was killed by us. */
  readonly killed: boolean;
  /** It died of itself: of a signal or of an error that is not Tidemark's. */
  readonly crash?: string;
  readonly report: VictimReport;
}

/** A run of the work in a process of its own. */
export class Victim {
  readonly ended: Promise<VictimEnd>;
  readonly #child: ChildProcess;
  #output = "";
  #errors = "";

  constructor({ runtime, work, wrapper = [], environment = {} }: VictimOptions) {
    const run = runtime === "deno" ? ["run", "-A", "--quiet", script] : [script];
    const command = [...wrapper, programOf(runtime), ...run, JSON.stringify(work)];
    const child = this.#child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    child.stdout!.on("data", (chunk: Buffer) => this.#output += chunk.toString());
    child.stderr!.on("data", (chunk: Buffer) => this.#errors += chunk.toString());
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(this.#end(code, signal)));
    });
  }

  /** What the wrapper writes to its file descriptor 3. */
  get wrapperOutput(): Readable {
    return this.#child.stdio[3] as Readable;
  }

  /** Sends the victim, or its wrapper, a signal, unless it has ended. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  #end(code: number | null, signal: NodeJS.Signals | null): VictimEnd {
    if (signal === "SIGKILL" || code === 137) return { killed: true, report: {} };
    if (code === 0) return { killed: false, report: JSON.parse(this.#output) as VictimReport };
    const crash = `code ${code}, signal ${signal}: ${this.#errors.trim().slice(-500)}`;
    return { killed: false, crash, report: {} };
  }
}
