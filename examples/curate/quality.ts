import type { Passage } from "./passages.ts";

/** Measures of a text that hold in any language. */
export interface Statistics {
  readonly characters: number;
  readonly words: number;
  /** Characters per word. */
  readonly meanWordLength: number;
  /** Distinct words per word. */
  readonly distinctWords: number;
  /** Shannon entropy of the characters, in bits. */
  readonly entropy: number;
}

/** A passage with its measures. */
export interface MeasuredPassage extends Passage {
  readonly statistics: Statistics;
  /** The rules that it broke; a passage to use has none. */
  readonly rejectedBy: readonly RuleName[];
}

interface Measured {
  readonly text: string;
  readonly words: readonly string[];
  readonly lines: readonly string[];
  readonly statistics: Statistics;
}

const STOP_WORDS = new Set(["the", "be", "to", "of", "and", "that", "have", "with"]);

/**
 * The document rules of Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A) with the bounds
 * on length made for passages, its repetition rule for pairs of words, and the end-of-line
 * rule of C4 (Raffel et al. 2020, arXiv:1910.10683, section 2.2). Each says whether a passage
 * is fine.
 */
const RULES = {
  "gopher word count": ({ words }: Measured): boolean =>
    words.length >= 20 && words.length <= 1_000,
  "gopher word length": ({ statistics: { meanWordLength } }: Measured): boolean =>
    meanWordLength >= 3 && meanWordLength <= 10,
  "gopher symbols": ({ text, words }: Measured): boolean =>
    count(text, /#|…/g) <= 0.1 * words.length,
  "gopher bullets": ({ lines }: Measured): boolean =>
    lines.filter((line) => /^[•‣*-]/.test(line)).length <= 0.9 * lines.length,
  "gopher ellipses": ({ lines }: Measured): boolean =>
    lines.filter((line) => line.endsWith("…")).length <= 0.3 * lines.length,
  "gopher alphabetic": ({ words }: Measured): boolean =>
    words.filter((word) => /\p{L}/u.test(word)).length >= 0.8 * words.length,
  "gopher stop words": ({ words }: Measured): boolean =>
    new Set(words.map(bare).filter((word) => STOP_WORDS.has(word))).size >= 2,
  "gopher repetition": ({ text, words }: Measured): boolean =>
    commonestPair(words) <= 0.2 * text.length,
  "c4 terminal punctuation": ({ text }: Measured): boolean => /[.!?]["')\]]*$/.test(text),
} as const;

/** The name of a quality rule. */
export type RuleName = keyof typeof RULES;

/** Measures a passage and applies every rule to it. */
export function measure(passage: Passage): MeasuredPassage {
  const { text } = passage;
  const words = text.split(/\s+/).filter((word) => word !== "");
  const measured = { text, words, lines: text.split("\n"), statistics: statisticsOf(text, words) };
  const names = Object.keys(RULES) as RuleName[];
  return {
    ...passage,
    statistics: measured.statistics,
    rejectedBy: names.filter((name) => !RULES[name](measured)),
  };
}

function statisticsOf(text: string, words: readonly string[]): Statistics {
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  return {
    characters: text.length,
    words: words.length,
    meanWordLength: round(letters / Math.max(1, words.length)),
    distinctWords: round(new Set(words.map(bare)).size / Math.max(1, words.length)),
    entropy: round(entropyOf(text)),
  };
}

function entropyOf(text: string): number {
  const common = new Uint32Array(128);
  const others = new Map<number, number>();
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 128) common[unit]!++;
    else others.set(unit, (others.get(unit) ?? 0) + 1);
  }
  let bits = 0;
  for (const n of [...common, ...others.values()]) {
    if (n > 0) bits -= (n / text.length) * Math.log2(n / text.length);
  }
  return bits;
}

/** How many characters the pair of words takes that occurs most often, if it occurs twice. */
function commonestPair(words: readonly string[]): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (let i = 1; i < words.length; i++) {
    const pair = `${words[i - 1]} ${words[i]}`;
    const n = (counts.get(pair) ?? 0) + 1;
    counts.set(pair, n);
    if (n > 1) most = Math.max(most, n * pair.length);
  }
  return most;
}

/** A word without case and punctuation. */
export function bare(word: string): string {
  const lower = word.toLowerCase();
  return /[^a-z]/.test(lower) ? lower.replace(/[^\p{L}\p{N}]+/gu, "") : lower;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
