import { fileURLToPath } from "node:url";
import type { OptionKind } from "../core/option_check.ts";

/** What a path that is an option has to be. */
export const PATH: OptionKind = {
  needs: "a path or a file: URL",
  fits: (v) => v instanceof URL ? v.protocol === "file:" : typeof v === "string" && v !== "",
};

/** The path that was given, which may be relative. */
export function pathOf(given: string | URL): string {
  return given instanceof URL ? fileURLToPath(given) : given;
}
