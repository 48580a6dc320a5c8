import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, printable, TidemarkError } from "../../core/errors.ts";
import type { Harness } from "./case.ts";
import { harnessFault } from "./harness_fault.ts";

/** The stores that the suite knows by name. */
export const KNOWN_HARNESSES = ["lmdb", "sqlite", "node:sqlite", "memory"] as const;

const A_HARNESS =
  "a harness is { name, capabilities: { durable, shared, files }, open(directory) }";

const KNOWN: Readonly<Record<string, () => Promise<{ readonly default: Harness }>>> = {
  "lmdb": () => import("./stores/lmdb.ts"),
  "sqlite": () => import("./stores/sqlite.ts"),
  "node:sqlite": () => import("./stores/node_sqlite.ts"),
  "memory": () => import("./stores/memory.ts"),
};

/**
 * Finds a harness by the name of a known store, or as the default export of a module.
 * @param name One of {@link KNOWN_HARNESSES}, a path, or the URL of a module.
 * @throws {TidemarkError} `MODULE_INVALID` when there is no harness there.
 */
export async function loadHarness(name: string): Promise<Harness> {
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (known !== undefined) return (await known()).default;
  // A single letter before the colon is a Windows drive.
  const url = /^[a-z]{2,}:/.test(name) ? name : await urlOf(name);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(url) as typeof exported;
  } catch (cause) {
    throw invalid(name, `could not be loaded: ${printable(messageOf(cause))}`, cause);
  }
  const fault = harnessFault(exported);
  if (fault !== undefined) throw invalid(name, `${fault} (${A_HARNESS})`);
  const harness = exported["default"] as Harness;
  if (harness.module !== undefined) return harness;
  // Not spread, which would lose what an object of a class has from its class.
  return {
    name: harness.name,
    capabilities: harness.capabilities,
    module: url,
    open: (directory, options) => harness.open(directory, options),
    remove: async (directory) => await harness.remove?.(directory),
  };
}

async function urlOf(path: string): Promise<string> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw invalid(path, `is no file and none of the stores ${KNOWN_HARNESSES.join(", ")}`);
  }
  return pathToFileURL(absolute).href;
}

function invalid(name: string, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError("MODULE_INVALID", `${printable(name)} ${what}`, {
    cause,
    subject: name,
  });
}
