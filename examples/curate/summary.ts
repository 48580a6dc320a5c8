import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { printable } from "../../mod.ts";
import { decodeSignature, type FingerprintedPassage } from "./fingerprint.ts";
import { ALIKE, nearDuplicates } from "./near_duplicates.ts";
import { bare } from "./quality.ts";

/**
 * Describes what is in an output directory. It is read from the files and not from the run, so
 * it is the same after one run and after ten that were killed.
 */
export async function summarise(output: string, expectedFiles: number): Promise<string> {
  const names = (await readdir(output)).filter((name) => name.endsWith(".jsonl"));
  const tally = new Tally();
  for (const name of names) {
    for (const line of (await readFile(join(output, name), "utf8")).split("\n")) {
      if (line !== "") tally.add(JSON.parse(line) as FingerprintedPassage);
    }
  }
  const shown = printable(relative(process.cwd(), output) || ".");
  const missing = expectedFiles > names.length
    ? `\n${
      expectedFiles - names.length
    } finished documents have no file here; delete ${shown} and the checkpoint to make them again\n`
    : "";
  return `${shown}: ${number(names.length)} documents\n${tally.toString()}${missing}`;
}

class Tally {
  #passages = 0;
  #kept = 0;
  #words = 0;
  readonly #rules = new Map<string, number>();
  readonly #terms = new Map<string, number>();
  readonly #signatures: Uint32Array[] = [];
  readonly #openings: string[] = [];

  add(passage: FingerprintedPassage): void {
    this.#passages++;
    for (const rule of passage.rejectedBy) this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
    if (passage.rejectedBy.length > 0) return;
    this.#kept++;
    this.#words += passage.statistics.words;
    this.#signatures.push(decodeSignature(passage.minhash));
    this.#openings.push(`${passage.document}: ${passage.text.slice(0, 48)}`);
    for (const word of passage.text.split(/\s+/)) {
      const term = bare(word);
      if (term.length >= 7) this.#terms.set(term, (this.#terms.get(term) ?? 0) + 1);
    }
  }

  toString(): string {
    const rejected = this.#passages - this.#kept;
    const groups = nearDuplicates(this.#signatures);
    const copies = groups.reduce((sum, group) => sum + group.length - 1, 0);
    const rows: [string, number | undefined, string][] = [
      ["passages", this.#passages, ""],
      ["  kept", this.#kept, `${share(this.#kept, this.#passages)}, ${number(this.#words)} words`],
      ["  rejected", rejected, share(rejected, this.#passages)],
      ...ranked(this.#rules).map(([rule, n]): [string, number, string] => [`    ${rule}`, n, ""]),
      [
        "  near copies",
        copies,
        `of kept ones, in ${number(groups.length)} groups (MinHash, Jaccard ≥ ${ALIKE})`,
      ],
    ];
    const width = Math.max(...rows.map(([label]) => label.length));
    const table = rows.map(([label, n, note]) =>
      `${label.padEnd(width)}  ${number(n ?? 0).padStart(8)}  ${note}`.trimEnd()
    );
    const largest = groups.slice(0, 3).map((group) =>
      `    ${group.length} × ${printable(this.#openings[group[0]!]!)}…`
    );
    const terms = ranked(this.#terms).slice(0, 8).map(([term, n]) =>
      `${printable(term)} ${number(n)}`
    );
    return [
      ...table,
      ...largest,
      ...(terms.length === 0
        ? []
        : [`most common words of 7 letters or more: ${terms.join(", ")}`]),
      "",
    ].join("\n");
  }
}

function ranked(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

function share(part: number, whole: number): string {
  return `${(100 * part / Math.max(1, whole)).toFixed(1)} %`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
