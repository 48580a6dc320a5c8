import { DatabaseSync } from "node:sqlite";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildImage } from "../stores/lmdb/page_image.ts";

/** Content of another format than the store's own. */
export interface ForeignContent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const text = (content: string) => new TextEncoder().encode(content);

/** What may come to lie under a writer's name. */
export function foreignContents(directory: string): ForeignContent[] {
  const prose = text("this is prose, and no database at all. ".repeat(300));
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  return [
    { name: "nothing", bytes: new Uint8Array() },
    { name: "text", bytes: prose },
    { name: "JSON", bytes: text(JSON.stringify({ records: Array(2000).fill("complete") })) },
    { name: "gzip", bytes: gzipSync(prose) },
    { name: "PNG", bytes: png },
    { name: "zeros", bytes: new Uint8Array(40_960) },
    {
      name: "LMDB of data version 1",
      bytes: buildImage({ version: 1, entries: [[7, text("value")]] }),
    },
    { name: "LMDB of another program", bytes: buildImage({ version: 2, entries: [], flags: 0 }) },
    { name: "LMDB of a newer format", bytes: buildImage({ version: 3, entries: [] }) },
    { name: "SQLite of another program", bytes: database(directory, 0x1234, 1) },
    { name: "SQLite of a newer format", bytes: database(directory, 0x54696465, 7) },
    { name: "SQLite without our table", bytes: database(directory, 0x54696465, 1) },
  ];
}

function database(directory: string, application: number, format: number): Uint8Array {
  const path = join(directory, "foreign.sqlite");
  const foreign = new DatabaseSync(path);
  foreign.exec(
    `pragma application_id = ${application}; pragma user_version = ${format}; ` +
      "create table other (a, b); insert into other values (1, 'one')",
  );
  foreign.close();
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}
