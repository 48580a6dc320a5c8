import { TidemarkError } from "../core/errors.ts";
import { reasonOf } from "./file_error.ts";

/** The error for a driver that is not installed, or not for this system. */
export function driverMissing(store: string, driver: string, cause: unknown): TidemarkError {
  if (cause instanceof Error && cause.name === "NotCapable") {
    return new TidemarkError(
      "DRIVER_MISSING",
      `The ${store} store was not permitted to load "${driver}": run Deno with --allow-read ` +
        `--allow-write --allow-env --allow-sys --allow-ffi (${reasonOf(cause)})`,
      { cause, subject: driver },
    );
  }
  const remedy = driver.startsWith("node:")
    ? "this runtime does not have it: use a newer one, or another driver"
    : `install it with "npm install ${driver}"`;
  return new TidemarkError(
    "DRIVER_MISSING",
    `The ${store} store needs the package "${driver}", which cannot be loaded: ${remedy} (${
      reasonOf(cause)
    })`,
    { cause, subject: driver },
  );
}
