import { TidemarkError } from "./errors.ts";

/** The longest source id, in UTF-16 code units. */
export const LONGEST_SOURCE_ID = 65_536;

/** The id of a source that is known by its position alone. No content id is equal to it. */
export function positionalSourceId(position: readonly number[]): string {
  return `#${position.join("_")}`;
}

/**
 * The id of a source that gives a content id: the content id itself. A leading `#` is
 * doubled, so that it cannot be taken for a position.
 * @throws {TidemarkError} `SOURCE_ID_INVALID` when it is empty, too long, or not a text.
 */
export function contentSourceId(contentId: unknown): string {
  if (typeof contentId !== "string") {
    throw invalid(contentId === null ? "is null" : `is a ${typeof contentId}, not a text`);
  }
  if (contentId === "") throw invalid("is empty");
  if (contentId.length > LONGEST_SOURCE_ID) {
    throw invalid(`has ${contentId.length} characters, more than ${LONGEST_SOURCE_ID}: use a hash`);
  }
  return contentId.startsWith("#") ? `#${contentId}` : contentId;
}

function invalid(what: string): TidemarkError {
  return new TidemarkError("SOURCE_ID_INVALID", `a source's id ${what}`);
}
