import { messageOf, printable } from "../../core/errors.ts";
import type { StoreCapabilities } from "../../core/store.ts";
import type { Harness } from "./case.ts";

const CAPABILITIES: readonly (keyof StoreCapabilities)[] = ["durable", "shared", "files"];

/** What a module gives instead of a harness, after the module's name; undefined when it is one. */
export function harnessFault(exported: Readonly<Record<string, unknown>>): string | undefined {
  const { default: harness, ...named } = exported;
  if (harness === undefined) {
    const names = Object.keys(named).map((name) => printable(name));
    return names.length === 0
      ? "exports nothing"
      : `has no default export, only ${
        names.join(", ")
      }: write "export default" before the harness`;
  }
  if (typeof harness === "function") {
    const name = printable(harness.name) || "without a name";
    return isClass(harness)
      ? `exports the class ${name} by default, not a harness: export an object whose open() opens one`
      : `exports the function ${name} by default, not a harness: export the object itself`;
  }
  if (typeof harness !== "object" || harness === null) {
    return `exports ${printable(messageOf(harness))} by default, not a harness`;
  }
  const faults = faultsOf(harness);
  return faults.length === 0 ? undefined : `has a default export whose ${faults.join(", ")}`;
}

function faultsOf({ name, open, capabilities, module }: Partial<Harness>): string[] {
  const faults: string[] = [];
  const expect = (isThere: boolean, value: unknown, what: string, wanted: string): void => {
    if (!isThere) faults.push(`${what} is ${value === undefined ? "missing" : `no ${wanted}`}`);
  };
  expect(typeof name === "string" && name !== "", name, "name", "text, or an empty one");
  expect(typeof open === "function", open, "open()", "function");
  if (typeof capabilities !== "object" || capabilities === null) {
    expect(false, capabilities, "capabilities", "object");
  } else {
    for (const capability of CAPABILITIES) {
      const value: unknown = capabilities[capability];
      expect(typeof value === "boolean", value, `capabilities.${capability}`, "boolean");
    }
  }
  expect(module === undefined || URL.canParse(module), module, "module", "URL: import.meta.url is");
  return faults;
}

function isClass(value: { toString(): string }): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
