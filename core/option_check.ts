import { printable, TidemarkError } from "./errors.ts";

/** What the value of an option has to be. */
export interface OptionKind {
  /** The end of "must be …". */
  readonly needs: string;
  /** It cannot be left out. */
  readonly required?: boolean;
  /** The value holds options of its own. */
  readonly parts?: Readonly<Record<string, OptionKind>>;
  fits(value: unknown): boolean;
}

/** The kind of every option there is. */
export type OptionKinds<T extends object> = { readonly [Option in keyof T]-?: OptionKind };

/** Any text. */
export const TEXT: OptionKind = { needs: "a text", fits: (v) => typeof v === "string" };
/** True or false, and nothing that merely counts as one of them. */
export const BOOLEAN: OptionKind = {
  needs: "true or false",
  fits: (v) => typeof v === "boolean",
};
/** Any function. */
export const FUNCTION: OptionKind = {
  needs: "a function",
  fits: (v) => typeof v === "function",
};
/** For counts of something that there has to be one of. */
export const WHOLE_FROM_1: OptionKind = {
  needs: "a whole number from 1",
  fits: (v) => Number.isSafeInteger(v) && (v as number) >= 1,
};
/** For times and factors. */
export const NUMBER_FROM_0: OptionKind = {
  needs: "a number from 0",
  fits: (v) => Number.isFinite(v) && (v as number) >= 0,
};

/** One of a few texts. */
export function oneOf(...texts: readonly string[]): OptionKind {
  return {
    needs: texts.map((text) => `"${text}"`).join(" or "),
    fits: (v) => texts.some((text) => text === v),
  };
}

/** What is of one kind or another. */
export function either(...kinds: readonly OptionKind[]): OptionKind {
  return {
    needs: kinds.map((kind) => kind.needs).join(" or "),
    fits: (v) => kinds.some((kind) => kind.fits(v)),
  };
}

/** An object with options of its own. */
export function objectOf<T extends object>(parts: OptionKinds<T>): OptionKind {
  return { needs: "an object", parts, fits: isObject };
}

/**
 * Checks that options are an object, have no member that nobody would read, and that each value
 * is of its kind. `owner` is what they were given to, as in `files()`.
 * @throws {TidemarkError} `OPTION_INVALID`, naming the option.
 */
export function checkOptions<T extends object>(
  owner: string,
  options: T,
  kinds: OptionKinds<T>,
): void {
  checkObject(owner, "", options, kinds);
}

/**
 * Checks the value of one option.
 * @throws {TidemarkError} `OPTION_INVALID`, naming the option.
 */
export function checkOption(
  owner: string,
  option: string,
  value: unknown,
  kind: OptionKind,
): void {
  if (value === undefined && kind.required !== true) return;
  if (kind.parts !== undefined) checkObject(owner, option, value, kind.parts);
  else if (!kind.fits(value)) {
    throw invalid(option, `${owner}: ${option} must be ${kind.needs}, not ${shown(value)}`);
  }
}

function checkObject(
  owner: string,
  within: string,
  options: unknown,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  const place = within === "" ? owner : `${owner}: ${within}`;
  const known = Object.keys(kinds).join(", ");
  if (!isObject(options)) {
    throw invalid(
      within || "options",
      `${place} takes an object of options (${known}), not ${shown(options)}`,
    );
  }
  const odd = Object.keys(options).find((option) => !Object.hasOwn(kinds, option));
  if (odd !== undefined) {
    throw invalid(odd, `${place} has no option "${printable(odd)}": it knows ${known}`);
  }
  for (const [option, kind] of Object.entries(kinds)) {
    const path = within === "" ? option : `${within}.${option}`;
    checkOption(owner, path, (options as Record<string, unknown>)[option], kind);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of any kind, for a message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `"${printable(value)}"`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return "a list";
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "" || name === "Object") return "an object";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${printable(name)}`;
}

function invalid(option: string, message: string): TidemarkError {
  return new TidemarkError("OPTION_INVALID", message, { subject: option });
}
