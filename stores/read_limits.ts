/** Once it has so many records, a store yields them. */
export const READ_BATCH_RECORDS = 4096;
/** How many bytes of records a store gathers before it yields them. */
export const READ_BATCH_BYTES: number = 4 << 20;
