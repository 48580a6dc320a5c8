import { crc32c } from "../../core/crc32c.ts";
import { encodeRecord } from "../../core/record_codec.ts";
import type { World } from "./world.ts";

/** Bytes in a writer's log. */
export interface ShelfRecord {
  readonly bytes: Uint8Array;
  /** Not as its writer meant it: whoever reads it must not take it for a record. */
  readonly isDamaged: boolean;
}

/** The durable checkpoint: a manifest, and a log per writer. It outlives every process. */
export class Shelf {
  readonly logs: Map<string, ShelfRecord[]> = new Map();
  manifest: string | undefined;

  /** Adds to a writer's log. */
  add(writer: string, record: ShelfRecord): void {
    const log = this.logs.get(writer);
    if (log === undefined) this.logs.set(writer, [record]);
    else log.push(record);
  }
}

/** A record cut off or with some bits flipped, as a crash in the middle of a write leaves it. */
export function torn(bytes: Uint8Array, world: World): ShelfRecord {
  const damaged = world.chance(0.5)
    ? bytes.slice(0, world.below(bytes.length))
    : bytes.with(world.below(bytes.length), world.below(256));
  const isDamaged = damaged.length !== bytes.length || damaged.some((b, i) => b !== bytes[i]);
  return { bytes: damaged, isDamaged };
}

/** Puts records on the shelf that nobody here wrote: garbage, and those of a newer release. */
export function placeForeign(shelf: Shelf, sources: readonly string[], world: World): void {
  for (const source of sources) {
    const bytes = encodeRecord({ source, state: "complete", clock: 9, writer: "newer", at: 0 });
    bytes[4] = 2;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, crc32c(bytes, 4), true);
    shelf.add("foreign", { bytes, isDamaged: true });
    const garbage = Uint8Array.from({ length: world.below(60) }, () => world.below(256));
    shelf.add("foreign", { bytes: garbage, isDamaged: true });
    world.count("foreign");
  }
}
