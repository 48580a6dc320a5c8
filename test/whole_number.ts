import { InvalidArgumentError } from "commander";

/** Parses a script's option that is a whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("not a whole number");
  }
  return value;
}
