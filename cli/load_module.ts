import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, printable, type Runnable, type RunReport, TidemarkError } from "../mod.ts";
import { isTidemarkError } from "./known_error.ts";

/** What a module gives the command. */
export interface LoadedModule {
  readonly pipeline: Runnable;
  /** The checkpoint of a run for which nobody chose one. */
  readonly checkpoint: string | undefined;
  /** What to print after a run that was not interrupted. */
  readonly summary: ((report: RunReport) => unknown) | undefined;
}

/**
 * Loads a pipeline module. Its default export is a pipeline, or a function of the arguments
 * that returns one. It may also export `checkpoint`, a text or a function of the arguments that
 * returns one, and `summary(report, args)`, which returns a text.
 * @throws {TidemarkError} `MODULE_INVALID`, or what the module itself threw when that is one.
 */
export async function loadModule(path: string, args: readonly string[]): Promise<LoadedModule> {
  const exported = await importModule(path);
  const { default: made, checkpoint, summary } = exported;
  const pipeline: unknown = typeof made === "function"
    ? await called(path, "default", () => (made as ModuleFunction)(args))
    : await made;
  if (!isRunnable(pipeline)) {
    throw invalid(
      path,
      made === undefined
        ? "has no default export"
        : typeof made === "function"
        ? "has a default function that returned no pipeline"
        : "has a default export that is no pipeline and no function",
    );
  }
  if (typeof made !== "function" && args.length > 0) {
    throw new TidemarkError(
      "OPTION_INVALID",
      `unknown: ${args.map((arg) => printable(arg)).join(" ")}; ${
        printable(path)
      } exports a pipeline and takes no ` +
        "arguments (see tidemark run --help, or export a function of the arguments)",
      { subject: args[0]! },
    );
  }
  const place: unknown = typeof checkpoint === "function"
    ? await called(path, "checkpoint", () => (checkpoint as ModuleFunction)(args))
    : checkpoint;
  if (place !== undefined && typeof place !== "string") {
    throw invalid(path, "has a checkpoint that is no text");
  }
  if (summary !== undefined && typeof summary !== "function") {
    throw invalid(path, "has a summary that is no function");
  }
  return {
    pipeline,
    checkpoint: place,
    summary: summary === undefined
      ? undefined
      : (report) =>
        (summary as (report: RunReport, args: readonly string[]) => unknown)(report, args),
  };
}

type ModuleFunction = (args: readonly string[]) => unknown;

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) throw moduleInvalid(path, "does not exist");
  if (found.isDirectory()) throw moduleInvalid(path, "is a directory; name the file in it");
  try {
    return await import(pathToFileURL(absolute).href) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw fromModule(path, "could not be loaded", error);
  }
}

async function called(path: string, name: string, call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    throw fromModule(path, `threw in its ${name} function`, error);
  }
}

/** An error that a module made says best itself what is wrong. */
function fromModule(path: string, what: string, error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error;
  return new TidemarkError(
    "MODULE_INVALID",
    `${printable(path)} ${what}: ${messageOf(error)}${remedyFor(error)}`,
    {
      cause: error,
      subject: path,
    },
  );
}

/** What to do about an error that most people meet only once. */
function remedyFor(error: unknown): string {
  if ((Object(error) as { code?: unknown }).code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return "; TypeScript needs Node 22.18 or later, tsx, or Deno";
  }
  return error instanceof SyntaxError && /outside a module|token 'export'/.test(error.message)
    ? '; say "type": "module" in its package.json (`npm pkg set type=module`)'
    : "";
}

function invalid(path: string, what: string): TidemarkError {
  return moduleInvalid(
    path,
    `${what}; a pipeline module's default export is a pipeline, or a function of the arguments ` +
      "that returns one",
  );
}

function moduleInvalid(path: string, what: string): TidemarkError {
  return new TidemarkError("MODULE_INVALID", `${printable(path)} ${what}`, { subject: path });
}

function isRunnable(value: unknown): value is Runnable {
  return typeof value === "object" && value !== null && "run" in value &&
    typeof value.run === "function";
}
