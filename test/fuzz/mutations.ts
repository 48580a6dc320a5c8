import type { ForeignContent } from "./foreign.ts";
import type { Template, WriterFiles } from "./templates.ts";

const PAGE = 4096;
const WAL_HEADER = 32;
const FRAME = 24 + PAGE;

/** What a mutation may draw on. */
export interface MutationContext {
  readonly random: () => number;
  readonly templates: readonly Template[];
  readonly foreign: readonly ForeignContent[];
}

/** A way to damage a writer's files. */
export interface MutationKind {
  readonly name: string;
  /** Why no reader can tell what is missing, where that is so. */
  readonly untellable?: string;
  /** Whether a template has what this needs. */
  readonly fits?: (template: Template) => boolean;
  readonly mutate: (template: Template, context: MutationContext) => WriterFiles;
}

type ByteMutation = (bytes: Uint8Array, context: MutationContext, layout: Layout) => Uint8Array;

/** Where blocks begin in a file: pages, or the frames of a log. */
interface Layout {
  readonly start: number;
  readonly block: number;
  readonly header: number;
}

const PAGES: Layout = { start: 0, block: PAGE, header: 100 };
const FRAMES: Layout = { start: WAL_HEADER, block: FRAME, header: 44 };

const layoutOf = (suffix: string) => suffix === "-wal" ? FRAMES : PAGES;

function below(random: () => number, limit: number): number {
  return Math.floor(random() * Math.max(1, limit));
}

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[below(random, values.length)]!;
}

/** The file that is mutated: the database, or its log where there is one. */
function targetOf(template: Template, random: () => number): string {
  const logged = (template.files.get("-wal")?.length ?? 0) > 0;
  return logged && random() < 0.5 ? "-wal" : "";
}

/** A mutation of one file's bytes. */
function bytewise(name: string, change: ByteMutation): MutationKind {
  return {
    name,
    mutate: (template, context) => {
      const suffix = targetOf(template, context.random);
      const bytes = Uint8Array.from(template.files.get(suffix)!);
      return new Map(template.files).set(suffix, change(bytes, context, layoutOf(suffix)));
    },
  };
}

function blocksOf(bytes: Uint8Array, { start, block }: Layout): number {
  return Math.max(1, Math.floor((bytes.length - start) / block));
}

function offsetOf(index: number, { start, block }: Layout): number {
  return start + index * block;
}

/** Anywhere, but half of the time in a header, of which there are few bytes. */
function place(bytes: Uint8Array, { random }: MutationContext, layout: Layout): number {
  if (random() < 0.5) return below(random, bytes.length);
  if (random() < 0.3) return below(random, Math.min(bytes.length, 2 * PAGE)) % 300;
  const at = offsetOf(below(random, blocksOf(bytes, layout)), layout) +
    below(random, layout.header);
  return Math.min(at, bytes.length - 1);
}

function flip(times: (random: () => number) => number): ByteMutation {
  return (bytes, context, layout) => {
    for (let left = times(context.random); left > 0; left--) {
      const at = place(bytes, context, layout);
      bytes[at] = bytes[at]! ^ (1 << below(context.random, 8));
    }
    return bytes;
  };
}

function fill(value: (random: () => number) => number, most: number): ByteMutation {
  return (bytes, context, layout) => {
    const at = place(bytes, context, layout);
    const end = Math.min(bytes.length, at + 1 + below(context.random, most));
    for (let i = at; i < end; i++) bytes[i] = value(context.random);
    return bytes;
  };
}

/** Replaces the block at an index of the file by the same or another block of a source. */
function replaceBlock(
  bytes: Uint8Array,
  source: Uint8Array,
  layout: Layout,
  to: number,
  from: number,
): Uint8Array {
  const block = source.subarray(offsetOf(from, layout), offsetOf(from + 1, layout));
  const at = offsetOf(to, layout);
  bytes.set(block.subarray(0, Math.max(0, bytes.length - at)), at);
  return bytes;
}

/** A block of one of these files, mostly of the same place. */
function blockOf(sources: (template: Template, context: MutationContext) => WriterFiles[]) {
  return (template: Template, context: MutationContext): WriterFiles => {
    const { random } = context;
    const suffix = targetOf(template, random);
    const layout = layoutOf(suffix);
    const bytes = Uint8Array.from(template.files.get(suffix)!);
    const source = pick(random, sources(template, context)).get(suffix) ?? bytes;
    const to = below(random, blocksOf(bytes, layout));
    const from = random() < 0.8 ? to : below(random, blocksOf(source, layout));
    return new Map(template.files).set(suffix, replaceBlock(bytes, source, layout, to, from));
  };
}

function others({ name }: Template, { templates, random }: MutationContext): WriterFiles[] {
  const twin = name.endsWith("-twin") ? name.slice(0, -5) : `${name}-twin`;
  return templates
    .filter((other) => random() < 0.5 ? other.name === twin : other.name !== name)
    .map(({ files }) => files)
    .concat(templates.find((other) => other.name === twin)!.files);
}

/** Where the log's transactions end: after frames that say how large the database is then. */
function commitEnds(log: Uint8Array): number[] {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const ends: number[] = [];
  for (let at = WAL_HEADER; at + FRAME <= log.length; at += FRAME) {
    if (view.getUint32(at + 4) !== 0) ends.push(at + FRAME);
  }
  return ends;
}

const hasLog = ({ files }: Template) =>
  commitEnds(files.get("-wal") ?? new Uint8Array()).length > 1;

function cutLog({ files }: Template, { random }: MutationContext): Map<string, Uint8Array> {
  const log = files.get("-wal")!;
  const end = pick(random, commitEnds(log).slice(0, -1));
  return new Map(files).set("-wal", log.slice(0, end));
}

function without(files: WriterFiles, suffix: string): WriterFiles {
  const left = new Map(files);
  left.delete(suffix);
  return left;
}

/** All ways of damaging that are tried, in the order of the table. */
export const MUTATIONS: readonly MutationKind[] = [
  { name: "untouched", mutate: ({ files }) => files },
  bytewise("one bit flipped", flip(() => 1)),
  bytewise("bits flipped", flip((random) => 2 + below(random, 2 ** (1 + below(random, 7))))),
  bytewise("bytes overwritten", fill((random) => below(random, 256), 512)),
  bytewise("range zeroed", fill(() => 0, 4 * PAGE)),
  bytewise("truncated", (bytes, { random }) => bytes.slice(0, below(random, bytes.length))),
  bytewise(
    "truncated at a block",
    (bytes, { random }, layout) =>
      bytes.slice(0, offsetOf(below(random, blocksOf(bytes, layout)), layout)),
  ),
  bytewise("lengthened", (bytes, { random }) => {
    const longer = new Uint8Array(bytes.length + 1 + below(random, 3 * PAGE));
    for (let i = 0; i < longer.length; i++) longer[i] = below(random, 256);
    longer.set(bytes);
    return longer;
  }),
  bytewise("blocks swapped", (bytes, { random }, layout) => {
    const [a, b] = [0, 0].map(() => below(random, blocksOf(bytes, layout)));
    const before = bytes.slice();
    replaceBlock(bytes, before, layout, a!, b!);
    return replaceBlock(bytes, before, layout, b!, a!);
  }),
  bytewise("block duplicated", (bytes, { random }, layout) => {
    const [a, b] = [0, 0].map(() => below(random, blocksOf(bytes, layout)));
    return replaceBlock(bytes, bytes.slice(), layout, a!, b!);
  }),
  { name: "block of another file", mutate: blockOf(others) },
  {
    name: "block of an older state",
    fits: ({ older }) => older.length > 0,
    mutate: blockOf(({ older }) => [...older]),
  },
  {
    name: "another format",
    mutate: ({ files }, { random, foreign }) => new Map(files).set("", pick(random, foreign).bytes),
  },
  {
    name: "log removed",
    fits: hasLog,
    mutate: ({ files }) => without(files, "-wal"),
  },
  {
    name: "log removed, -shm too",
    untellable: "what is left is what a process leaves that ends without closing",
    fits: hasLog,
    mutate: ({ files }) => without(without(files, "-wal"), "-shm"),
  },
  { name: "log cut at a commit", fits: hasLog, mutate: cutLog },
  {
    name: "log cut at a commit, -shm gone",
    untellable: "what is left is what a kill at that moment would have left",
    fits: hasLog,
    mutate: (template, context) => without(cutLog(template, context), "-shm"),
  },
  {
    name: "older header, lock gone",
    untellable: "what is left is what a kill in the middle of the last commit would have left",
    fits: ({ files, older, closed }) => !closed && files.has("-lock") && older.length > 0,
    mutate: ({ files, older }, { random }) => {
      const bytes = Uint8Array.from(files.get("")!);
      const source = pick(random, older).get("")!;
      const header = below(random, 2);
      return without(
        new Map(files).set("", replaceBlock(bytes, source, PAGES, header, header)),
        "-lock",
      );
    },
  },
  {
    name: "older copy of all files",
    untellable: "an older state of the checkpoint is a whole one",
    fits: ({ older }) => older.length > 0,
    mutate: ({ older }, { random }) => pick(random, older),
  },
];
