import { Buffer } from "node:buffer";
import { dirname } from "node:path";

const SECTOR = 512;

/** A change of a file's bytes that may not have reached the disk. */
interface Change {
  /** Undefined for a change of the length. */
  readonly bytes: Buffer | undefined;
  readonly at: number;
  /** The call has returned: a sync that begins now covers it. */
  done: boolean;
}

/** A file apart from its names. */
export class Inode {
  durable: Buffer = Buffer.alloc(0);
  readonly changes: Change[] = [];
  /** As the processes see it. */
  length = 0;
}

/** A change of a directory's entries that may not have reached the disk. */
interface EntryChange {
  readonly removed: readonly string[];
  readonly added: readonly (readonly [path: string, inode: Inode | "directory"])[];
  done: boolean;
}

/** What the disk had when the power failed. */
export interface CrashState {
  readonly directories: readonly string[];
  readonly files: ReadonlyMap<string, Buffer>;
}

/** How much of what was not synced reached the disk. */
export const SURVIVALS = ["nothing", "everything", "a beginning", "some", "some sectors"] as const;

/** One of {@link SURVIVALS}. */
export type Survival = (typeof SURVIVALS)[number];

/**
 * A disk that keeps what was synced and, of the rest, whatever it likes (Pillai et al., "All
 * File Systems Are Not Created Equal", 2014): a file's bytes are durable after a sync of the
 * file, its name after a sync of the directory, and nothing else is promised.
 */
export class Disk {
  readonly #root: string;
  /** As the processes see it. */
  readonly entries: Map<string, Inode | "directory"> = new Map();
  readonly #durable = new Map<string, Inode | "directory">();
  readonly #entryChanges = new Map<string, EntryChange[]>();

  /** @param root Everything below it is kept; it is there itself. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Notes a change of a file that has begun. Returns what to call when it has ended. */
  change(inode: Inode, at: number, bytes: Buffer | undefined): () => void {
    const change: Change = { bytes, at, done: false };
    inode.changes.push(change);
    inode.length = bytes === undefined ? at : Math.max(inode.length, at + bytes.length);
    return () => void (change.done = true);
  }

  /** Notes a change of names that has happened. */
  rename(removed: readonly string[], added: EntryChange["added"]): void {
    for (const path of removed) this.entries.delete(path);
    for (const [path, inode] of added) this.entries.set(path, inode);
    const change: EntryChange = { removed, added, done: true };
    const directories = new Set(
      [...removed, ...added.map(([path]) => path)].map((p) => dirname(p)),
    );
    for (const directory of directories) {
      const changes = this.#entryChanges.get(directory) ?? [];
      this.#entryChanges.set(directory, [...changes, change]);
    }
  }

  /** Begins a sync of a file. Returns what to call when it has ended. */
  sync(inode: Inode): () => void {
    const covered = inode.changes.filter(({ done }) => done);
    return () => {
      for (const change of covered) {
        const at = inode.changes.indexOf(change);
        if (at < 0) continue;
        inode.changes.splice(at, 1);
        inode.durable = applied(inode.durable, change);
      }
    };
  }

  /** Begins a sync of a directory. Returns what to call when it has ended. */
  syncDirectory(directory: string): () => void {
    const covered = [...(this.#entryChanges.get(directory) ?? [])];
    return () => {
      for (const change of covered) this.#settle(change);
    };
  }

  #settle(change: EntryChange): void {
    for (const changes of this.#entryChanges.values()) {
      const at = changes.indexOf(change);
      if (at >= 0) changes.splice(at, 1);
    }
    applyEntries(this.#durable, change);
  }

  /** What is there when the power fails now. */
  crash(survival: Survival, random: () => number): CrashState {
    const entries = new Map(this.#durable);
    for (
      const change of chosen(
        [...new Set([...this.#entryChanges.values()].flat())],
        survival,
        random,
      )
    ) {
      applyEntries(entries, change);
    }
    const reachable = (path: string): boolean => {
      const parent = dirname(path);
      return parent === this.#root || (entries.get(parent) === "directory" && reachable(parent));
    };
    const there = [...entries].filter(([path]) => reachable(path));
    const contents = new Map<Inode, Buffer>();
    const contentOf = (inode: Inode): Buffer => {
      const known = contents.get(inode) ?? survivingContent(inode, survival, random);
      contents.set(inode, known);
      return known;
    };
    return {
      directories: there.filter(([, inode]) => inode === "directory").map(([path]) => path),
      files: new Map(
        there.flatMap(([path, inode]) => inode === "directory" ? [] : [[path, contentOf(inode)]]),
      ),
    };
  }
}

function applyEntries(entries: Map<string, Inode | "directory">, change: EntryChange): void {
  for (const path of change.removed) entries.delete(path);
  for (const [path, inode] of change.added) entries.set(path, inode);
}

function applied(content: Buffer, { at, bytes }: Pick<Change, "at" | "bytes">): Buffer {
  if (bytes === undefined) {
    return at <= content.length
      ? Buffer.from(content.subarray(0, at))
      : Buffer.concat([content, Buffer.alloc(at - content.length)]);
  }
  const end = at + bytes.length;
  const next = end <= content.length
    ? content
    : Buffer.concat([content, Buffer.alloc(end - content.length)]);
  bytes.copy(next, at);
  return next;
}

function survivingContent(inode: Inode, survival: Survival, random: () => number): Buffer {
  let content: Buffer = Buffer.from(inode.durable);
  for (const change of chosen(inode.changes, survival, random)) {
    if (survival !== "some sectors" || change.bytes === undefined) {
      content = applied(content, change);
      continue;
    }
    for (let from = 0; from < change.bytes.length;) {
      const to = Math.min(change.bytes.length, from + SECTOR - ((change.at + from) % SECTOR));
      if (random() < 0.5) {
        content = applied(content, {
          at: change.at + from,
          bytes: change.bytes.subarray(from, to),
        });
      }
      from = to;
    }
  }
  return content;
}

/** The changes that reached the disk, in their order. */
function chosen<T>(changes: readonly T[], survival: Survival, random: () => number): readonly T[] {
  switch (survival) {
    case "nothing":
      return [];
    case "everything":
      return changes;
    case "a beginning":
      return changes.slice(0, Math.floor(random() * (changes.length + 1)));
    case "some":
    case "some sectors":
      return changes.filter(() => random() < 0.5);
  }
}
