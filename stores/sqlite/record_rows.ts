/** Rows of a writer's table, which may be damaged. */
import { READ_BATCH_BYTES, READ_BATCH_RECORDS } from "../read_limits.ts";
import { recordsOf } from "../record_block.ts";
import type { RecordDatabase } from "./record_table.ts";

/** More missing rows than this are rather a wrong number. */
const PLAUSIBLE_GAP = 1 << 20;

/** One row. */
export interface Row {
  readonly seq: number;
  /** A blob, unless the file is damaged. */
  readonly data: unknown;
}

/** What some rows hold. */
export interface CheckedRows {
  readonly records: Uint8Array[];
  /** How many of the rows were looked at: a row holds few records or many. */
  readonly taken: number;
  /** The number after which to go on; the one before when these cannot be passed. */
  readonly last: number;
  /** They are all sound and numbered without gaps. */
  readonly isWhole: boolean;
}

/** Rows by their numbers. */
export async function rowsAfter(
  database: RecordDatabase,
  seq: number,
  limit: number,
): Promise<readonly Row[]> {
  return await database
    .selectFrom("record")
    .select(["seq", "data"])
    .where("seq", ">", seq)
    .orderBy("seq")
    .limit(limit)
    .execute();
}

/** Rows by the order in which they lie. */
export async function rowsFrom(
  database: RecordDatabase,
  offset: number,
  limit: number,
): Promise<readonly Row[]> {
  return await database.selectFrom("record").select(["seq", "data"])
    .limit(limit).offset(offset).execute();
}

/** The records of a row; undefined when it is damaged or out of place. */
export function blockIn(
  data: unknown,
  identity: number | undefined,
  seq: number,
): Uint8Array[] | undefined {
  return data instanceof Uint8Array ? recordsOf(data, identity, seq) : undefined;
}

/**
 * Takes rows' records out.
 * @param identity The file's; undefined where it is not known.
 * @param before The number of the row before the first one.
 */
export function checkRows(
  rows: readonly Row[],
  identity: number | undefined,
  before: number,
): CheckedRows {
  const records: Uint8Array[] = [];
  let sound = before;
  let taken = 0;
  let isWhole = true;
  for (; taken < rows.length && records.length < READ_BATCH_RECORDS; taken++) {
    const { seq, data } = rows[taken]!;
    const found = blockIn(data, identity, seq);
    isWhole &&= found !== undefined && seq === before + 1 + taken;
    if (found === undefined) continue;
    for (const record of found) records.push(record);
    sound = Math.max(sound, seq);
  }
  const last = identity !== undefined && sound > before
    ? sound
    : positionAfter(rows.slice(0, taken), before);
  return { records, taken, last, isWhole };
}

/**
 * The position after rows whose numbers may be altered, which must not make all that is
 * added later look old; it is the same when they cannot be passed.
 */
function positionAfter(rows: readonly Row[], before: number): number {
  const last = rows.at(-1)!.seq;
  const ascend = rows.every((row, index) => row.seq > (rows[index - 1]?.seq ?? before));
  if (ascend) return last - before - rows.length < PLAUSIBLE_GAP ? last : before;
  return before + rows.length;
}

/** As many rows as are likely to stay within the limits of a batch. */
export function nextLimit(rows: number, records: readonly Uint8Array[], limit: number): number {
  const bytes = records.reduce((sum, record) => sum + record.length, 0);
  const fitting = rows *
    Math.min(READ_BATCH_BYTES / (bytes + 1), READ_BATCH_RECORDS / (records.length + 1));
  return Math.max(1, Math.min(Math.floor(fitting), limit * 4));
}
