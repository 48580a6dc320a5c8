import { spawnSync } from "node:child_process";
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
const HOLD_US = 300_000;

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

/**
 * The command that the command of a process is appended to. The trace goes to its file
 * descriptor 3.
 * @param kill At which call of a thread, and on which side of it, the process is killed;
 * after it, it is only held up, for {@link killWhenHeld}.
 */
export function straceCommand(kill?: {
  readonly syscall: string;
  readonly count: number;
  readonly side: Side;
}): string[] {
  const traced = kill === undefined ? Object.values(POINTS).flat().join(",") : kill.syscall;
  // After the first one that is ours, of those from there on.
  const how = kill?.side === "before"
    ? `signal=KILL:when=${kill.count}`
    : `delay_exit=${HOLD_US}:when=${kill?.count}+`;
  const inject = kill === undefined ? [] : ["-e", `inject=${kill.syscall}:${how}`];
  return ["strace", "-f", "-y", "-o", "|cat >&3", "-e", `trace=${traced}`, ...inject];
}

const LINE = /^(\d+) +(\w+)\(/;

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

/** Kills a process that is held up after a call on our files; returns the lines of its trace. */
export async function killWhenHeld(
  trace: Readable,
  isOurs: (line: string) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: trace })) {
    lines.push(line);
    const process_ = LINE.exec(line)?.[1] ?? /^(\d+) <\.\.\. /.exec(line)?.[1];
    if (process_ === undefined || !line.endsWith("(DELAYED)")) continue;
    // A call that another thread interrupted in the trace has its path in an earlier line.
    const begun = lines.findLast((l) => l.startsWith(`${process_} `) && LINE.test(l))!;
    if (isOurs(begun)) {
      try {
        process.kill(Number(process_), "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }
  return lines;
}

/** The call that a process was killed in front of: the last that has no result. */
export function killedAt(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => LINE.test(line) && /(= \?|<unfinished \.\.\.>)$/.test(line));
}
