import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** Those that would change files behind the back of the others; they must not occur. */
export const FORBIDDEN: readonly string[] = [
  "truncate",
  "copy_file_range",
  "sendfile",
  "splice",
  "msync",
  "sync_file_range",
];

/** The system calls by which files and directories change. */
export const TRACED: readonly string[] = [
  "open",
  "openat",
  "close",
  "dup",
  "dup2",
  "dup3",
  "fcntl",
  "lseek",
  "write",
  "pwrite64",
  "writev",
  "pwritev",
  "pwritev2",
  "ftruncate",
  "fallocate",
  "fsync",
  "fdatasync",
  "rename",
  "renameat",
  "renameat2",
  "link",
  "linkat",
  "unlink",
  "unlinkat",
  "mkdir",
  "mkdirat",
  "rmdir",
  ...FORBIDDEN,
];

/** One end of a system call, as strace saw it. */
export interface CallEvent {
  readonly thread: string;
  readonly call: string;
  readonly phase: "begin" | "end";
  /** What stands between the parentheses, as far as it is known in this phase. */
  readonly args: string;
  /** What the call returned, at its end; -1 for an error. */
  readonly result: number;
}

const LINE = /^(\d+)\s+(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$/s;
const UNFINISHED = /^(.*?)\s*<unfinished \.\.\.>$/s;
const FINISHED = /^(.*)\)\s+= (-?\d+|\?)/s;

/** Reads a log that `strace -f -xx` wrote. */
export async function* callEvents(path: string): AsyncGenerator<CallEvent> {
  const begun = new Map<string, string>();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) {
    const [, thread = "", resumed, started, rest = ""] = LINE.exec(line) ?? [];
    const call = resumed ?? started;
    if (call === undefined) continue;
    const unfinished = UNFINISHED.exec(rest);
    if (unfinished !== null) {
      begun.set(thread, unfinished[1]!);
      yield { thread, call, phase: "begin", args: unfinished[1]!, result: -1 };
      continue;
    }
    const finished = FINISHED.exec(rest);
    if (finished === null) throw new Error(`a line of strace that is not understood: ${line}`);
    const args = resumed === undefined ? finished[1]! : `${begun.get(thread) ?? ""}${finished[1]!}`;
    begun.delete(thread);
    if (resumed === undefined) yield { thread, call, phase: "begin", args, result: -1 };
    const result = finished[2] === "?" ? -1 : Number(finished[2]);
    yield { thread, call, phase: "end", args, result };
  }
}

/** Every quoted text of a call, as bytes. */
export function textsIn(args: string): Buffer[] {
  return [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map(([, hex, cut]) => {
    if (cut !== undefined) throw new Error("strace cut a text: raise the limit of -s");
    return Buffer.from(hex!.replaceAll("\\x", ""), "hex");
  });
}

/** The numbers of a call that stand for themselves, in order. */
export function numbersIn(args: string): number[] {
  const bare = args.replace(/"(?:\\x[0-9a-f]{2})*"/g, "").replace(/<[^>]*>/g, "");
  return bare.split(/[,[\]{}\s]+/).filter((word) => /^-?\d+$/.test(word)).map(Number);
}
