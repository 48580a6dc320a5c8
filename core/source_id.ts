import { printable, TidemarkError } from "./errors.ts";

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
export function contentSourceId(contentId: string): string {
  const fault = typeof contentId !== "string"
    ? `is ${contentId === null ? "null" : `a ${typeof contentId}`}, not a text`
    : contentId === ""
    ? "is empty"
    : contentId.length > LONGEST_SOURCE_ID
    ? `has ${contentId.length} characters, more than ${LONGEST_SOURCE_ID}: use a hash`
    : undefined;
  if (fault !== undefined) {
    throw new TidemarkError("SOURCE_ID_INVALID", `a source's id ${fault}`, {
      subject: printable(String(contentId)),
    });
  }
  return contentId.startsWith("#") ? `#${contentId}` : contentId;
}
