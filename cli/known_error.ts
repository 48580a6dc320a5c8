import { RunError, TidemarkError } from "../mod.ts";

/**
 * Whether an error is one of Tidemark's. By its name too, because a pipeline module may have
 * loaded another copy of Tidemark than the command.
 */
export function isTidemarkError(thrown: unknown): thrown is TidemarkError {
  return thrown instanceof TidemarkError || isNamed(thrown, "TidemarkError") || isRunError(thrown);
}

/** The same for the error of a run that had begun. */
export function isRunError(thrown: unknown): thrown is RunError {
  return thrown instanceof RunError || (isNamed(thrown, "RunError") && "report" in thrown);
}

function isNamed(thrown: unknown, name: string): thrown is Error {
  return thrown instanceof Error && thrown.name === name &&
    typeof (thrown as { code?: unknown }).code === "string";
}
