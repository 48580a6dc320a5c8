import { cpus } from "node:os";
import process from "node:process";

/** The runtime and machine that a figure was measured on. */
export function machine(): string {
  const runtime = process.versions["deno"] === undefined
    ? `Node ${process.versions.node}`
    : `Deno ${process.versions["deno"]}`;
  const cores = cpus();
  return `${runtime}, ${cores.length} × ${cores[0]?.model.trim() ?? "unknown CPU"}`;
}

/** The middle one of several measurements. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
