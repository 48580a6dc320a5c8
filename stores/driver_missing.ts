import { TidemarkError } from "../core/errors.ts";
import { reasonOf } from "./file_error.ts";

/** The error for a driver that is not installed, or not for this system. */
export function driverMissing(store: string, driver: string, cause: unknown): TidemarkError {
  const isBuiltIn = driver.startsWith("node:");
  if (cause instanceof Error && cause.name === "NotCapable") {
    const flags = `--allow-read --allow-write --allow-env --allow-sys${
      isBuiltIn ? "" : " --allow-ffi"
    }`;
    return new TidemarkError(
      "DRIVER_MISSING",
      `The ${store} store was not permitted to load "${driver}": run Deno with ${flags} ` +
        `(${reasonOf(cause)})`,
      { cause, subject: driver },
    );
  }
  const remedy = isBuiltIn
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
