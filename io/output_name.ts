import { createHash } from "node:crypto";
import { printable, TidemarkError } from "../core/errors.ts";
import { TEMPORARY_PREFIX } from "./temporary_file.ts";

const PLAIN = /^[a-z0-9_][a-z0-9._-]{0,99}$/;
const POSITION = /^#[0-9_]{1,30}$/;
// Windows takes these for devices, whatever follows a dot.
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;
const LONGEST_SLUG = 40;
const LONGEST_NAME_BYTES = 200;

/**
 * A file name for a source id: the id itself where every file system can hold it, else what is
 * readable of it, `~` and a digest. No two ids share a name, also where case does not count.
 */
export function outputName(id: string): string {
  if (PLAIN.test(id) && !DEVICE.test(id)) return id;
  // A plain name has no "~", and the digest is longer than any position.
  if (POSITION.test(id)) return `source~${id.slice(1)}`;
  const readable = id.toWellFormed().normalize("NFC").replace(/[^\p{L}\p{N}._]+/gu, "-");
  const slug = Array.from(readable).slice(0, LONGEST_SLUG).join("").replace(/^[.-]+|[.-]+$/g, "");
  const safe = DEVICE.test(slug) ? slug.replaceAll(".", "-") : slug;
  return `${safe || "source"}~${
    createHash("sha256").update(JSON.stringify(id)).digest("hex").slice(0, 32)
  }`;
}

/**
 * Checks a name that was chosen for a source's file.
 * @throws {TidemarkError} `OPTION_INVALID` when it is not one plain file name.
 */
export function checkOutputName(name: unknown, source: string): string {
  const fault = typeof name !== "string"
    ? `is ${name === null ? "null" : `a ${typeof name}`}, not a text`
    : name === "" || name === "." || name === ".."
    ? "is no file name"
    : /[/\\:*?"<>|]|\p{Cc}/u.test(name)
    ? "has a character that file names cannot have everywhere"
    : DEVICE.test(name)
    ? "is the name of a device on Windows"
    : name.startsWith(TEMPORARY_PREFIX)
    ? `starts with "${TEMPORARY_PREFIX}", which temporary files do`
    : new TextEncoder().encode(name).length > LONGEST_NAME_BYTES
    ? `is longer than ${LONGEST_NAME_BYTES} bytes`
    : undefined;
  if (fault !== undefined) {
    throw new TidemarkError(
      "OPTION_INVALID",
      `the file name for source "${printable(source)}" ${fault}${
        typeof name === "string" ? `: "${printable(name)}"` : ""
      }`,
      { subject: source },
    );
  }
  return name as string;
}
