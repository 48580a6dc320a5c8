import process from "node:process";
import { messageOf } from "../mod.ts";
import { isTidemarkError } from "./known_error.ts";

/** Tells the user on standard error what went wrong. */
export function complain(error: unknown): void {
  if (isTidemarkError(error)) {
    process.stderr.write(`tidemark: ${error.message} [${error.code}]\n`);
    // Where a module's own code went wrong is in the stack of its error only.
    const cause = error.code === "MODULE_INVALID" ? error.cause : undefined;
    if (cause instanceof Error && cause.stack !== undefined) {
      process.stderr.write(`${cause.stack}\n`);
    }
  } else {
    process.stderr.write(`tidemark: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
  }
}

/** An error as a part of a JSON document. */
export function errorOf(error: unknown): { readonly code: string; readonly message: string } {
  return {
    code: isTidemarkError(error) ? error.code : "UNKNOWN",
    message: messageOf(error),
  };
}
