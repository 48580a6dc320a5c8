import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { messageOf, printable, TidemarkError } from "../core/errors.ts";

/** What a reader needs of the context that a stage's function is given. */
export interface ReaderContext {
  /** Aborts when the run gives up: reading stops then. */
  readonly signal: AbortSignal;
}

/**
 * The bytes of a file, decompressed when its name ends with `.gz`.
 * @throws {TidemarkError} `INPUT_UNREADABLE`
 */
export async function* bytesOf(
  path: string,
  name: string,
  context?: ReaderContext,
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  // Errors of the file reach the iteration below through the pipeline.
  const stream = name.toLowerCase().endsWith(".gz")
    ? pipeline(file, createGunzip({ chunkSize: 1 << 18 }), () => {})
    : file;
  try {
    for await (const chunk of stream) {
      context?.signal.throwIfAborted();
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (context?.signal.aborted) throw error;
    throw new TidemarkError(
      "INPUT_UNREADABLE",
      `${printable(name)} cannot be read: ${messageOf(error)}`,
      { cause: error, subject: path },
    );
  } finally {
    stream.destroy();
  }
}
