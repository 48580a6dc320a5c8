import { randomFrom } from "../random.ts";

/** What flows through a simulated pipeline. */
export interface Item {
  /** The position of the item's source in the list of all sources. */
  readonly source: number;
  readonly version: number;
  /** What became of the source on the way to this item. Unique among a source's items. */
  readonly trail: string;
}

export type StageKind = "map" | "filter" | "flatMap" | "batch" | "flatBatch";

/** One stage between the source and the sink. */
export interface StageShape {
  readonly name: string;
  readonly kind: StageKind;
  /** A stage that is an object rather than a function. */
  readonly isObject: boolean;
  readonly batchSize: number;
  /** How a fan-out gives its children. */
  readonly stream: "array" | "iterable" | "async iterable";
  /** Calls may take time. */
  readonly isAsync: boolean;
  readonly attempts: number;
  readonly concurrency: number | undefined;
  /** The most children of a fan-out. */
  readonly spread: number;
  readonly salt: number;
}

/** The last stage. */
export interface SinkShape {
  readonly name: string;
  /** What it took is durable with each call, or with the source's commit. */
  readonly commits: boolean;
  readonly isObject: boolean;
  readonly batchSize: number;
  readonly isAsync: boolean;
  readonly attempts: number;
  readonly concurrency: number | undefined;
}

/** A pipeline: every seed has its own. */
export interface Shape {
  readonly sources: number;
  /** Undefined: the sources are known by their position. */
  readonly ids: readonly string[] | undefined;
  readonly isVersioned: boolean;
  /** How the source stage gives them; `one` gives one for each initial task. */
  readonly input: "array" | "iterable" | "async iterable" | "one";
  /** The source stage is an object rather than values. */
  readonly isObject: boolean;
  /** How many initial tasks the sources are dealt to. */
  readonly chunks: number;
  readonly sourceAttempts: number;
  readonly sourceConcurrency: number;
  readonly stages: readonly StageShape[];
  /** Undefined: the pipeline is its source alone. */
  readonly sink: SinkShape | undefined;
}

const ODD_IDS = [
  "a",
  "a_1",
  "a_1_1",
  "0_0",
  "__proto__",
  "constructor",
  "#0",
  "#0_1",
  "##",
  " ",
  "\u0000",
  "line\nfeed",
  "\ud800",
  "\u{1f600}/ä",
  "\u202e",
  "x".repeat(300),
];

/** The shape of a seed's pipeline. */
export function shapeOf(random: () => number): Shape {
  const chance = (p: number) => random() < p;
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]) => list[below(list.length)]!;
  const sources = chance(0.04) ? 25 + below(15) : 1 + below(10);
  const isPositional = chance(0.2);
  const offset = below(ODD_IDS.length);
  const ids = isPositional ? undefined : Array.from(
    { length: sources },
    (_, i) => chance(0.5) && i < ODD_IDS.length ? ODD_IDS[(offset + i) % ODD_IDS.length]! : `s${i}`,
  );
  const attempts = () => (chance(0.5) ? 1 : 2 + below(2));
  const concurrency = () => (chance(0.6) ? undefined : 1 + below(4));
  const stages = Array.from({ length: chance(0.15) ? 0 : 1 + below(3) }, (_, i): StageShape => {
    const kind = pick(["map", "filter", "flatMap", "flatMap", "batch", "flatBatch"] as const);
    return {
      name: `${kind}${i}`,
      kind,
      isObject: chance(0.4),
      batchSize: kind === "batch" || kind === "flatBatch" ? 1 + below(5) : 1,
      stream: pick(["array", "array", "iterable", "async iterable"] as const),
      isAsync: chance(0.6),
      attempts: attempts(),
      concurrency: concurrency(),
      spread: sources > 10 ? 2 : 1 + below(4),
      salt: below(2 ** 31),
    };
  });
  const input = pick(["array", "iterable", "async iterable", "one"] as const);
  const isObject = input === "one" || chance(0.4);
  const chunks = isObject && chance(0.3) ? Math.min(sources, 2 + below(2)) : 1;
  return {
    sources,
    ids,
    isVersioned: chance(0.5),
    input,
    isObject,
    chunks: input === "one" ? sources : chunks,
    sourceAttempts: attempts(),
    sourceConcurrency: 1 + below(3),
    stages,
    sink: stages.length === 0 && chance(0.15) ? undefined : {
      name: "sink",
      commits: chance(0.5),
      isObject: chance(0.5),
      batchSize: chance(0.3) ? 2 + below(3) : 1,
      isAsync: chance(0.8),
      attempts: attempts(),
      concurrency: concurrency(),
    },
  };
}

/** What the checkpoint should call a source. */
export function keyOf(shape: Shape, source: number): string {
  const id = shape.ids?.[source];
  if (id !== undefined) return id.startsWith("#") ? `#${id}` : id;
  if (shape.chunks === 1) return `#${source}`;
  const [chunk, index] = placeOf(shape, source);
  return `#${chunk}_${index}`;
}

/** The initial task that a source comes from, and its position there. */
export function placeOf(shape: Shape, source: number): [chunk: number, index: number] {
  const size = Math.ceil(shape.sources / shape.chunks);
  return [Math.floor(source / size), source % size];
}

/** The version of a source as text, when the pipeline has versions. */
export function versionText(shape: Shape, version: number): string | undefined {
  return shape.isVersioned ? `v${version}` : undefined;
}

/**
 * What a stage makes of an item when nothing goes wrong: the definition of the pipeline,
 * which its stages and the oracle share. Null is a filtered slot.
 */
export function outcomeOf(stage: StageShape, item: Item): readonly (Item | null)[] {
  const random = randomFrom(digest(`${stage.salt} ${item.source} ${item.version} ${item.trail}`));
  switch (stage.kind) {
    case "map":
    case "batch":
      return [random() < 0.1 ? null : { ...item, trail: `${item.trail}m` }];
    case "filter":
      return [random() < 0.25 ? null : item];
    case "flatMap":
    case "flatBatch":
      return Array.from(
        { length: Math.floor(random() * (stage.spread + 1)) },
        (_, i) => (random() < 0.1 ? null : { ...item, trail: `${item.trail}.${i}` }),
      );
    default:
      return stage.kind satisfies never;
  }
}

/** The trails of all that should reach the sink from a source: followed item by item. */
export function expectedTrails(shape: Shape, source: number, version: number): string[] {
  const follow = (item: Item, depth: number): string[] =>
    depth === shape.stages.length ? [item.trail] : outcomeOf(shape.stages[depth]!, item).flatMap((
      i,
    ) => (i === null ? [] : follow(i, depth + 1)));
  return shape.sink === undefined ? [] : follow({ source, version, trail: "" }, 0);
}

/** FNV-1a. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
