import { printable } from "./errors.ts";
import type { Fact } from "./fact.ts";
import { DrainedChildren, LEAF, OPEN, ShapeTable } from "./shape.ts";

/** What a fact changed about a source. */
export type LedgerChange =
  /** Every descendant is drained. Reported once. */
  | { readonly kind: "completed"; readonly source: string }
  /** Two facts cannot both hold: the source can never complete in this ledger. */
  | {
    readonly kind: "contradicted";
    readonly source: string;
    readonly reason: string;
    /** It had been reported complete: that has to be undone. */
    readonly wasComplete: boolean;
  }
  /** Not a fact at all; it was ignored. */
  | { readonly kind: "rejected"; readonly reason: string };

/** A task that is not drained yet. */
class OpenTask {
  readonly parent: OpenTask | undefined;
  readonly index: number;
  readonly drained = new DrainedChildren();
  /** How many children it has; -1 while nobody said. */
  expected = -1;
  highestChild = -1;
  #first: OpenTask | undefined;
  #rest: Map<number, OpenTask> | undefined;

  constructor(parent: OpenTask | undefined, index: number) {
    this.parent = parent;
    this.index = index;
  }

  openChild(index: number): OpenTask | undefined {
    return index === 0 ? this.#first : this.#rest?.get(index);
  }

  addChild(index: number): OpenTask {
    const child = new OpenTask(this, index);
    if (index === 0) this.#first = child;
    else (this.#rest ??= new Map()).set(index, child);
    this.noteChild(index);
    return child;
  }

  noteChild(index: number): void {
    if (index > this.highestChild) this.highestChild = index;
  }

  drainChild(index: number, shape: number): void {
    if (index === 0) this.#first = undefined;
    else this.#rest?.delete(index);
    this.drained.add(index, shape);
  }

  *openChildren(): Generator<OpenTask> {
    if (this.#first !== undefined) yield this.#first;
    if (this.#rest !== undefined) yield* this.#rest.values();
  }
}

interface SourceAccount {
  opened: boolean;
  /** The source's own task while it is open. */
  root: OpenTask | undefined;
  /** What the source's tree looks like once all of it is drained. */
  rootShape: number;
  contradiction: string | undefined;
  pending: number;
  readonly shapes: ShapeTable;
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFact(value: unknown): value is Fact {
  if (typeof value !== "object" || value === null) return false;
  const fact = value as Partial<Record<string, unknown>>;
  if (typeof fact["source"] !== "string" || fact["source"] === "") return false;
  if (fact["kind"] === "opened") return true;
  if (!Array.isArray(fact["path"]) || !fact["path"].every(isIndex)) return false;
  if (fact["kind"] === "drained") return true;
  return fact["kind"] === "expanded" && isIndex(fact["children"]);
}

/**
 * The account of what is drained. It keeps which descendants of a source are open rather
 * than how many, so it is exact for every order, repetition and loss of facts, and two
 * ledgers merge by union. Subtrees that drained collapse, so its memory follows what is
 * open.
 *
 * The idea of tracking a source's whole tree of tuples is Apache Storm's acker; the counter
 * that {@link pending} reports is NeMo Curator's.
 */
export class Ledger {
  readonly #sources = new Map<string, SourceAccount>();

  /** Takes facts in. Never throws: what is not a fact is reported as rejected. */
  apply(facts: Iterable<Fact>): LedgerChange[] {
    const changes: LedgerChange[] = [];
    for (const fact of facts) {
      if (!isFact(fact)) {
        changes.push({ kind: "rejected", reason: "not a fact about a task of a source" });
        continue;
      }
      const change = this.#take(fact);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  /** Whether the source was opened, all its descendants are drained, and no two facts clash. */
  isComplete(source: string): boolean {
    const account = this.#sources.get(source);
    return account !== undefined && isComplete(account);
  }

  /** Why the source can never complete in this ledger, if two of its facts clash. */
  contradiction(source: string): string | undefined {
    return this.#sources.get(source)?.contradiction;
  }

  /** The source's counter: how many of its known tasks are not drained. */
  pending(source: string): number {
    return this.#sources.get(source)?.pending ?? 0;
  }

  /** How many sources the ledger holds an account of. */
  get size(): number {
    return this.#sources.size;
  }

  /** Drops a source's account, once nobody can send another fact about it. */
  forget(source: string): void {
    this.#sources.delete(source);
  }

  /** Takes in everything that another ledger knows. */
  merge(other: Ledger): LedgerChange[] {
    const changes: LedgerChange[] = [];
    for (const [source, account] of other.#sources) {
      if (account.contradiction === undefined) {
        changes.push(...this.apply(factsOf(source, account)));
      } else {
        const mine = this.#account(source);
        const change = contradict(source, mine, account.contradiction);
        if (change !== undefined) changes.push(change);
      }
    }
    return changes;
  }

  /** Every fact that the ledger was given, once, except those of sources that contradict themselves. */
  *facts(): Generator<Fact> {
    for (const [source, account] of this.#sources) {
      if (account.contradiction === undefined) yield* factsOf(source, account);
    }
  }

  #account(source: string): SourceAccount {
    let account = this.#sources.get(source);
    if (account === undefined) {
      account = {
        opened: false,
        root: new OpenTask(undefined, 0),
        rootShape: OPEN,
        contradiction: undefined,
        pending: 0,
        shapes: new ShapeTable(),
      };
      this.#sources.set(source, account);
    }
    return account;
  }

  #take(fact: Fact): LedgerChange | undefined {
    const account = this.#account(fact.source);
    if (account.contradiction !== undefined) return undefined;
    const before = isComplete(account);
    const clash = applyFact(account, fact);
    if (clash !== undefined) return contradict(fact.source, account, clash);
    return !before && isComplete(account) ? { kind: "completed", source: fact.source } : undefined;
  }
}

function isComplete(account: SourceAccount): boolean {
  return account.opened && account.rootShape !== OPEN && account.contradiction === undefined;
}

function contradict(
  source: string,
  account: SourceAccount,
  reason: string,
): LedgerChange | undefined {
  if (account.contradiction !== undefined) return undefined;
  const wasComplete = isComplete(account);
  account.contradiction = reason;
  account.root = undefined;
  return { kind: "contradicted", source, reason, wasComplete };
}

/** Takes one fact in. Returns what it clashes with, if it does. */
function applyFact(account: SourceAccount, fact: Fact): string | undefined {
  if (fact.kind === "opened") {
    if (!account.opened) account.pending++;
    account.opened = true;
    return undefined;
  }
  const children = fact.kind === "drained" ? 0 : fact.children;
  const { path } = fact;
  if (account.root === undefined) {
    return clashWithShape(account.shapes, account.rootShape, path, 0, children);
  }
  let task = account.root;
  for (let depth = 0; depth < path.length; depth++) {
    const index = path[depth]!;
    if (task.expected >= 0 && index >= task.expected) {
      return `${at(path, depth + 1)} is beyond its parent's ${task.expected} children`;
    }
    const shape = task.drained.get(index);
    if (shape !== OPEN) return clashWithShape(account.shapes, shape, path, depth + 1, children);
    const open = task.openChild(index);
    if (open === undefined && children === 0 && depth === path.length - 1) {
      drainUnheard(account, task, index);
      return undefined;
    }
    task = open ?? task.addChild(index);
  }
  return children === 0 ? drain(account, task, path) : expand(account, task, path, children);
}

function drain(
  account: SourceAccount,
  task: OpenTask,
  path: readonly number[],
): string | undefined {
  if (task.expected > 0 || task.highestChild >= 0) {
    return `${at(path, path.length)} drained, but it also has children`;
  }
  account.pending--;
  collapse(account, task, LEAF);
  return undefined;
}

/** Drains a child that no fact was about before: so it needs no {@link OpenTask}, as most leaves. */
function drainUnheard(account: SourceAccount, parent: OpenTask, index: number): void {
  account.pending--;
  parent.noteChild(index);
  parent.drained.add(index, LEAF);
  if (parent.drained.size === parent.expected) collapse(account, parent, shapeOf(account, parent));
}

function expand(
  account: SourceAccount,
  task: OpenTask,
  path: readonly number[],
  children: number,
): string | undefined {
  if (task.expected === children) return undefined;
  if (task.expected >= 0) {
    return `${
      at(path, path.length)
    } was expanded into ${task.expected} children and into ${children}`;
  }
  if (task.highestChild >= children) {
    return `${
      at(path, path.length)
    } was expanded into ${children} children, but child ${task.highestChild} exists`;
  }
  task.expected = children;
  account.pending += children - 1;
  if (task.drained.size === children) collapse(account, task, shapeOf(account, task));
  return undefined;
}

/** Replaces a drained task by its shape, and its ancestors as far as they are drained with it. */
function collapse(account: SourceAccount, task: OpenTask, shape: number): void {
  let drained = task;
  let drainedShape = shape;
  for (;;) {
    const { parent } = drained;
    if (parent === undefined) {
      account.root = undefined;
      account.rootShape = drainedShape;
      return;
    }
    parent.drainChild(drained.index, drainedShape);
    if (parent.drained.size !== parent.expected) return;
    drainedShape = shapeOf(account, parent);
    drained = parent;
  }
}

function shapeOf(account: SourceAccount, task: OpenTask): number {
  return task.expected === 1
    ? account.shapes.internOne(task.drained.get(0))
    : account.shapes.intern(task.drained.runs(task.expected));
}

function clashWithShape(
  shapes: ShapeTable,
  from: number,
  path: readonly number[],
  start: number,
  children: number,
): string | undefined {
  let shape = from;
  for (let depth = start; depth < path.length; depth++) {
    const child = shapes.child(shape, path[depth]!);
    if (child === OPEN) {
      return shape === LEAF
        ? `${at(path, depth)} drained, but it also has children`
        : `${at(path, depth + 1)} is beyond its parent's ${shapes.count(shape)} children`;
    }
    shape = child;
  }
  const count = shapes.count(shape);
  if (count === children) return undefined;
  return count === 0 || children === 0
    ? `${at(path, path.length)} drained, but it also has children`
    : `${at(path, path.length)} was expanded into ${count} children and into ${children}`;
}

function at(path: readonly number[], length: number): string {
  return printable(length === 0 ? "the source itself" : `task ${path.slice(0, length).join("_")}`);
}

function* factsOf(source: string, account: SourceAccount): Generator<Fact> {
  if (account.opened) yield { kind: "opened", source };
  if (account.root !== undefined) yield* factsOfTask(source, account.shapes, account.root, []);
  else yield* factsOfShape(source, account.shapes, account.rootShape, []);
}

function* factsOfTask(
  source: string,
  shapes: ShapeTable,
  task: OpenTask,
  path: readonly number[],
): Generator<Fact> {
  if (task.expected >= 0) yield { kind: "expanded", source, path, children: task.expected };
  for (const [index, shape] of task.drained.entries()) {
    yield* factsOfShape(source, shapes, shape, [...path, index]);
  }
  for (const child of task.openChildren()) {
    yield* factsOfTask(source, shapes, child, [...path, child.index]);
  }
}

function* factsOfShape(
  source: string,
  shapes: ShapeTable,
  shape: number,
  path: readonly number[],
): Generator<Fact> {
  const children = shapes.count(shape);
  if (children === 0) {
    yield { kind: "drained", source, path };
    return;
  }
  yield { kind: "expanded", source, path, children };
  for (let i = 0; i < children; i++) {
    yield* factsOfShape(source, shapes, shapes.child(shape, i), [...path, i]);
  }
}
