/**
 * Curates a text corpus: reads, normalises, cuts into passages, measures their quality by
 * published rules, fingerprints them for near-duplicate search, and writes one JSON Lines file
 * per document. Run it with `npm start`, kill it, and run it again.
 *
 * A passage that breaks a rule is kept with the names of the rules that it broke, as quality
 * signals are published with RedPajama-V2, so that rules can be changed without another run.
 * @module
 */

import {
  files,
  jsonLinesSink,
  pipeline,
  readText,
  type Runnable,
  type RunReport,
} from "../../mod.ts";
import { fingerprint } from "./fingerprint.ts";
import { type CurateOptions, parseOptions } from "./options.ts";
import { cutIntoPassages, normalise } from "./passages.ts";
import { measure } from "./quality.ts";
import { summarise } from "./summary.ts";

/** The pipeline for the arguments of the command line: `--input`, `--output`. */
export default function curate(args: readonly string[]): Runnable {
  const { input, cwd, output }: CurateOptions = parseOptions(args);
  return pipeline("curate")
    .source(files(input, { cwd, id: "name" }))
    .map(readText(), { name: "read" })
    .map((file) => ({ name: file.name, text: normalise(file.text) }), { name: "normalise" })
    .flatMap(cutIntoPassages, { name: "cut" })
    .map(measure, { name: "measure" })
    .map(fingerprint, { name: "fingerprint" })
    .sink(jsonLinesSink(output, { stage: "write" }));
}

/**
 * Where progress is recorded unless `--checkpoint` says otherwise: with the output, so that
 * whoever deletes the one deletes the other.
 */
export function checkpoint(args: readonly string[]): string {
  return parseOptions(args).output;
}

/** What a person wants to read after a run. */
export async function summary(report: RunReport, args: readonly string[]): Promise<string> {
  const { completed, skipped } = report.sources;
  return await summarise(parseOptions(args).output, completed + skipped);
}
