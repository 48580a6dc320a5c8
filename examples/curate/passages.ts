/** A document, or what was made of it so far. */
export interface Document {
  readonly name: string;
  readonly text: string;
}

/** A paragraph, or a part of a long one that ends where a sentence does. */
export interface Passage {
  readonly document: string;
  /** Its place in the document, from 0. */
  readonly passage: number;
  readonly text: string;
}

/** About how many words a passage has at most. */
const LONGEST = 120;

// Soft hyphens, zero-width characters and all controls but line ends and tabs.
const INVISIBLE = /(?![\n\t])\p{Cc}|[\u00ad\u200b-\u200f\u2060\ufeff]/gu;

/** One way to write what can be written in several: composed characters, plain quotes and spaces. */
export function normalise(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(INVISIBLE, "")
    .replace(/[‘’‚‛′]/g, "'")
    .replace(/[“”„‟″«»]/g, '"')
    .replace(/[\u2010\u2011]/g, "-")
    .replace(/\.{3,}/g, "…")
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .trim();
}

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

/** Cuts a document at blank lines, and long paragraphs between sentences. */
export function* cutIntoPassages(document: Document): Generator<Passage> {
  let passage = 0;
  for (const paragraph of document.text.split(/\n{2,}/)) {
    for (const text of cutParagraph(paragraph)) {
      yield { document: document.name, passage: passage++, text };
    }
  }
}

function* cutParagraph(paragraph: string): Generator<string> {
  let held = "";
  let words = 0;
  for (const { segment } of sentences.segment(paragraph)) {
    const more = segment.split(/\s+/).length - 1;
    if (words > 0 && words + more > LONGEST) {
      yield held.trim();
      held = "";
      words = 0;
    }
    held += segment;
    words += more;
  }
  if (held.trim() !== "") yield held.trim();
}
