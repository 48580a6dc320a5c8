import type { ContestResult, Row } from "./contest.ts";
import type { Column, Scenario } from "./scenario.ts";
import type { Summary } from "./statistics.ts";

/** What stands above a scenario's contests. */
export function headLines(scenario: Scenario, full: boolean): string[] {
  const { name, summary, leftOut } = scenario;
  return [
    "",
    `== ${name}: ${summary}`,
    ...(full || leftOut === undefined ? [] : [`   left out of the quick form: ${leftOut}`]),
  ];
}

/** A contest as a table for people. */
export function contestLines(columns: readonly Column[], result: ContestResult): string[] {
  const shown = columns.filter(({ key }) => result.rows.some((row) => row.figures?.[key]));
  const head = [
    result.name,
    ...shown.map(({ title, unit }) => unit === "" ? title : `${title}, ${unit}`),
    shown.length > 1 ? `ratio of ${columns.find(({ compared }) => compared)!.title}` : "ratio",
    "durability",
  ];
  const table = [head, ...result.rows.map((row) => cells(shown, result, row))];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    `  ${
      row.map((cell, column) =>
        isText(column, row.length) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
      ).join("  ")
    }`.trimEnd()
  );
  const absent = result.rows.filter((row) => row.outcome !== "measured")
    .map((row) => `  ${row.contender}: ${row.outcome}: ${row.reason}`);
  return ["", ...lines, ...absent];
}

function isText(column: number, columns: number): boolean {
  return column === 0 || column === columns - 1;
}

function cells(columns: readonly Column[], result: ContestResult, row: Row): string[] {
  const name = row.contender === result.baseline ? `${row.contender} *` : row.contender;
  return [
    name,
    ...columns.map(({ key }) => row.figures?.[key] ? cell(row.figures[key]) : ""),
    row.ratio === undefined ? "" : `${row.ratio.toFixed(2)} ×`,
    row.outcome === "measured" ? row.durability! : row.outcome,
  ];
}

function cell({ median, min, max, values }: Summary): string {
  if (values.length === 1) return figure(median);
  return `${figure(median)} (${figure(min)}–${figure(max)})`;
}

function figure(value: number): string {
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
