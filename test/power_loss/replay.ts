import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { type CallEvent, callEvents, FORBIDDEN, numbersIn, textsIn } from "./syscalls.ts";
import { Disk, Inode } from "./disk.ts";

/** A kind of sync that can be left out of account, to see whether that would be noticed. */
export const SYNCS = ["file", "directory"] as const;

/** Options of {@link replay}. */
export interface ReplayOptions {
  /** The directory that the processes worked in. */
  readonly root: string;
  /** Syncs that count for nothing. */
  readonly ignored: readonly (typeof SYNCS)[number][];
  /** Called whenever something has changed, with what was acknowledged by then. */
  readonly onMoment: (disk: Disk, acknowledged: readonly string[]) => Promise<void>;
}

interface OpenFile {
  readonly path: string;
  readonly inode: Inode | "directory" | undefined;
  readonly appends: boolean;
  /** Each write returns when it is on disk. */
  readonly synced: boolean;
  offset: number;
}

/** Plays a log of system calls on a {@link Disk}. Standard output's lines are acknowledgements. */
export async function replay(log: string, options: ReplayOptions): Promise<void> {
  const player = new Player(options);
  for await (const event of callEvents(log)) {
    if (player.play(event)) await options.onMoment(player.disk, player.acknowledged);
  }
}

class Player {
  readonly disk: Disk;
  readonly acknowledged: string[] = [];
  readonly #options: ReplayOptions;
  readonly #open = new Map<number, OpenFile>();
  /** What ends with a thread's call. */
  readonly #ends = new Map<string, () => void>();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.disk = new Disk(options.root);
  }

  /** Returns whether anything has changed that a crash could show. */
  play(event: CallEvent): boolean {
    const { call, phase, args, thread } = event;
    if (phase === "begin") {
      const end = this.#begin(call, args);
      if (end === undefined) return false;
      this.#ends.set(thread, end);
      return true;
    }
    const end = this.#ends.get(thread);
    if (end !== undefined) {
      this.#ends.delete(thread);
      end();
      return true;
    }
    return event.result >= 0 && this.#finish(call, args, event.result);
  }

  /** Writes and syncs take effect while they last. */
  #begin(call: string, args: string): (() => void) | undefined {
    const fd = numbersIn(args)[0] ?? -1;
    const file = this.#open.get(fd);
    switch (call) {
      case "write":
      case "writev":
      case "pwrite64":
      case "pwritev":
      case "pwritev2": {
        const bytes = Buffer.concat(textsIn(args));
        if (fd === 1) {
          this.acknowledged.push(...bytes.toString().split("\n").filter((line) => line !== ""));
          return () => {};
        }
        if (file === undefined || !(file.inode instanceof Inode)) return undefined;
        return this.#write(call, file, file.inode, args, bytes);
      }
      case "fsync":
      case "fdatasync": {
        if (file?.inode === undefined) return undefined;
        const kind = file.inode === "directory" ? "directory" : "file";
        if (this.#options.ignored.includes(kind)) return undefined;
        return file.inode === "directory"
          ? this.disk.syncDirectory(file.path)
          : this.disk.sync(file.inode);
      }
      case "ftruncate":
        return file?.inode instanceof Inode
          ? this.disk.change(file.inode, numbersIn(args)[1]!, undefined)
          : undefined;
      case "fallocate":
        if (file?.inode instanceof Inode) throw new Error("fallocate is not played");
        return undefined;
      default:
        if (FORBIDDEN.includes(call) && file?.inode instanceof Inode) {
          throw new Error(`${call} is not played`);
        }
        return undefined;
    }
  }

  #write(call: string, file: OpenFile, inode: Inode, args: string, bytes: Buffer): () => void {
    const positioned = call.startsWith("p");
    const at = positioned
      ? numbersIn(args).at(call === "pwritev2" ? -2 : -1)!
      : file.appends
      ? inode.length
      : file.offset;
    if (!positioned) file.offset = at + bytes.length;
    const written = this.disk.change(inode, at, bytes);
    return () => {
      written();
      if (file.synced && !this.#options.ignored.includes("file")) this.disk.sync(inode)();
    };
  }

  #finish(call: string, args: string, result: number): boolean {
    const [first, second] = textsIn(args).map((text) => resolve(text.toString()));
    switch (call) {
      case "open":
      case "openat":
        return this.#opened(first!, args, result);
      case "close":
        this.#open.delete(numbersIn(args)[0]!);
        return false;
      case "dup":
      case "dup2":
      case "dup3":
        return this.#duplicated(args, result);
      case "fcntl":
        return args.includes("F_DUPFD") && this.#duplicated(args, result);
      case "lseek": {
        const file = this.#open.get(numbersIn(args)[0]!);
        if (file !== undefined) file.offset = result;
        return false;
      }
      case "rename":
      case "renameat":
      case "renameat2":
        return this.#renamed(first!, second!, true);
      case "link":
      case "linkat":
        return this.#renamed(first!, second!, false);
      case "unlink":
      case "unlinkat":
      case "rmdir":
        if (!this.disk.entries.has(first!)) return false;
        this.disk.rename([first!], []);
        return true;
      case "mkdir":
      case "mkdirat":
        if (!this.#isInside(first!)) return false;
        this.disk.rename([], [[first!, "directory"]]);
        return true;
      default:
        return false;
    }
  }

  #opened(path: string, args: string, fd: number): boolean {
    if (path === this.#options.root) {
      this.#open.set(fd, { path, inode: "directory", appends: false, synced: false, offset: 0 });
      return false;
    }
    if (!this.#isInside(path)) {
      // The descriptor may have belonged to one of ours that was closed unseen.
      this.#open.delete(fd);
      return false;
    }
    const known = this.disk.entries.get(path);
    const inode = known ?? new Inode();
    this.#open.set(fd, {
      path,
      inode,
      appends: args.includes("O_APPEND"),
      synced: /O_D?SYNC/.test(args),
      offset: 0,
    });
    if (known === undefined) this.disk.rename([], [[path, inode]]);
    if (args.includes("O_TRUNC") && inode instanceof Inode && inode.length > 0) {
      this.disk.change(inode, 0, undefined)();
    }
    return known === undefined;
  }

  #duplicated(args: string, fd: number): boolean {
    const file = this.#open.get(numbersIn(args)[0]!);
    if (file === undefined) this.#open.delete(fd);
    else this.#open.set(fd, file);
    return false;
  }

  #renamed(from: string, to: string, moves: boolean): boolean {
    const inode = this.disk.entries.get(from);
    if (inode === undefined) return false;
    this.disk.rename(moves ? [from] : [], [[to, inode]]);
    return true;
  }

  #isInside(path: string): boolean {
    return path.startsWith(`${this.#options.root}/`);
  }
}
