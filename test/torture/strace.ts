import { spawnSync } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** The points at which a process is killed, by what it calls the system for. */
export const POINTS = {
  write: ["write", "writev"],
  pwrite: ["pwrite64", "pwritev"],
  fdatasync: ["fdatasync"],
  fsync: ["fsync"],
  msync: ["msync"],
  rename: ["rename", "renameat", "renameat2"],
  link: ["link", "linkat"],
  ftruncate: ["ftruncate"],
  unlink: ["unlink", "unlinkat"],
  close: ["close"],
} as const;
export type Point = keyof typeof POINTS;
/** Whether the call has been made when the process is killed. */
export type Side = "before" | "after";

/** How long a call's end is held up, which is when the process is killed. */
const HOLD_US = 120_000;

/** How many calls of a thread are held up, of which one should be on our files. */
const HELD_AT_MOST = 6;

/** One call in a trace. */
export interface Call {
  readonly syscall: string;
  /** How many times its thread had made that call by then. */
  readonly count: number;
  readonly line: string;
}

/** Why strace cannot be used, and what to do about it. */
export function straceMissing(): string | undefined {
  const found = spawnSync("strace", ["-V"], { stdio: "ignore" });
  return found.error === undefined
    ? undefined
    : 'strace cannot be run: install the Debian package "strace" (apt-get install strace)';
}

/** At which call a process is killed, or at the first one on our files after that. */
export interface KillPoint {
  readonly syscall: string;
  /** How many times a thread has to make the call. */
  readonly count: number;
  readonly side: Side;
}

/**
 * The command that the command of a process is appended to. The trace goes to its file
 * descriptor 3.
 * @param at The calls that are held up, so that {@link killWhenHeld} can kill there.
 */
export function straceCommand(at?: KillPoint): string[] {
  const traced = at === undefined ? Object.values(POINTS).flat().join(",") : at.syscall;
  const inject = at === undefined ? [] : [
    "-e",
    `inject=${at.syscall}:delay_${at.side === "before" ? "enter" : "exit"}=${HOLD_US}` +
    `:when=${at.count}..${at.count + HELD_AT_MOST - 1}`,
  ];
  return ["strace", "-f", "-y", "-o", "|cat >&3", "-e", `trace=${traced}`, ...inject];
}

const LINE = /^(\d+) +(\w+)\(/;
const RESUMED = /^(\d+) +<\.\.\. /;

/** All calls of a trace that concern the files that `isOurs` knows by their paths. */
export async function callsOf(
  trace: Readable,
  isOurs: (line: string) => boolean,
): Promise<Call[]> {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  for await (const line of createInterface({ input: trace })) {
    const [, thread, syscall] = LINE.exec(line) ?? [];
    if (syscall === undefined) continue;
    const count = (counts.get(`${thread} ${syscall}`) ?? 0) + 1;
    counts.set(`${thread} ${syscall}`, count);
    if (isOurs(line)) calls.push({ syscall, count, line });
  }
  return calls;
}

/**
 * Kills a process as soon as it is held up at a call on our files.
 * @returns the call at which it was killed, if it was.
 */
export async function killWhenHeld(
  trace: Readable,
  isOurs: (line: string) => boolean,
  at: KillPoint,
): Promise<string | undefined> {
  const counts = new Map<string, number>();
  const begun = new Map<string, string>();
  let killedAt: string | undefined;
  const isHeld = (line: string, isWhole: boolean): boolean => {
    const [, thread] = LINE.exec(line) ?? RESUMED.exec(line) ?? [];
    if (thread === undefined) return false;
    const call = LINE.test(line) ? line : begun.get(thread) ?? "";
    if (!isOurs(call)) return false;
    if (at.side === "after") return line.endsWith("(DELAYED)");
    return !isWhole && LINE.test(line) && (counts.get(thread) ?? 0) + 1 >= at.count;
  };
  for await (const [line, isWhole] of linesAsTheyCome(trace)) {
    if (killedAt === undefined && isHeld(line, isWhole)) {
      killedAt = line;
      kill(Number(/^\d+/.exec(line)![0]));
    } else if (killedAt !== undefined && line.startsWith(killedAt) && / = -?\d/.test(line)) {
      // The process was quicker: the call has been made before it was killed.
      if (at.side === "before") killedAt = undefined;
    }
    const thread = isWhole ? LINE.exec(line)?.[1] : undefined;
    if (thread !== undefined) {
      counts.set(thread, (counts.get(thread) ?? 0) + 1);
      begun.set(thread, line);
    }
  }
  return killedAt;
}

/** Lines, and also what there is of one: strace writes a call before it lets it happen. */
async function* linesAsTheyCome(
  trace: Readable,
): AsyncGenerator<readonly [line: string, isWhole: boolean]> {
  let left = "";
  for await (const chunk of trace as AsyncIterable<Buffer>) {
    const lines = (left + chunk.toString("latin1")).split("\n");
    left = lines.pop()!;
    for (const line of lines) yield [line, true];
    if (left !== "") yield [left, false];
  }
}

function kill(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended.
  }
}
