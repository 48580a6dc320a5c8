import { printable, type RunReport, type StageReport } from "../mod.ts";
import { isTidemarkError } from "./known_error.ts";
import { amount, seconds } from "./number_text.ts";

const SHOWN = 5;
/** Of a line that is made of several texts, each cut already. */
const LONGEST_LINE = 1_000;

/**
 * What a person wants to know about a run that has ended.
 * @param checkpoint Where it was recorded; undefined for nowhere.
 */
export function summaryOf(report: RunReport, checkpoint: string | undefined): string {
  const { sources } = report;
  const name = printable(report.pipeline);
  const ran = sources.completed + sources.failed + sources.pending;
  if (ran === 0 && !report.interrupted && sources.skipped > 0) {
    const all = sources.skipped === 1
      ? "the only source was"
      : `all ${amount(sources.skipped, "source")} were`;
    return [
      `${name}: Nothing to do: ${all} complete already.`,
      ...(checkpoint === undefined ? [] : [
        `  That is recorded in ${
          printable(checkpoint)
        }; to run them again, choose another checkpoint or delete its directory .tidemark.`,
      ]),
      ...listed("warning", report.warnings.map((text) => [text])),
      "",
    ].join("\n");
  }
  const failures = report.failures.map(({ label, stage, source, reason, cause }) => [
    `${printable(label ?? source ?? "?")} in ${printable(stage)}: ${printable(reason)}`,
    ...placeOf(cause),
  ]);
  return [
    `${name}: ${report.interrupted ? "interrupted after" : "finished in"} ${
      seconds(report.duration / 1000)
    }`,
    ...sourceLines(report),
    ...stageTable(report.stages),
    ...listed("failure", failures, report.failureCount),
    ...listed("warning", report.warnings.map((text) => [text])),
    ...nextSteps(report, checkpoint !== undefined),
    "",
  ].join("\n");
}

/** Where somebody's own code threw: without it "x is not defined" says little. */
function placeOf(cause: unknown): string[] {
  if (!(cause instanceof Error) || isTidemarkError(cause)) return [];
  const frame = cause.stack?.split("\n").find((line) =>
    /^\s+at .*:\d+:\d+\)?$/.test(line) && !/[ (](node|ext):/.test(line)
  );
  return frame === undefined ? [] : [`  ${frame.trim()}`];
}

function sourceLines({ sources }: RunReport): string[] {
  const parts = [
    `${amount(sources.completed)} completed`,
    ...(sources.skipped > 0 ? [`${amount(sources.skipped)} complete already`] : []),
    ...(sources.failed > 0 ? [`${amount(sources.failed)} failed`] : []),
    ...(sources.pending > 0 ? [`${amount(sources.pending)} pending`] : []),
    ...(sources.unrecorded > 0
      ? [`${amount(sources.unrecorded)} of them done but not recorded`]
      : []),
  ];
  return [`  sources: ${parts.join(", ")}`];
}

function stageTable(stages: readonly StageReport[]): string[] {
  const rows = [
    ["stage", "in", "out", "filtered", "failed", "call time"],
    ...stages.map((stage) => [
      printable(stage.name),
      amount(stage.tasks),
      amount(stage.emitted),
      amount(stage.filtered),
      amount(stage.failed),
      seconds(stage.busy / 1000),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `  ${
      row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
      ).join("  ")
    }`
  );
}

/** @param items What to list, each in one line or more. */
function listed(
  what: string,
  items: readonly (readonly string[])[],
  count: number = items.length,
): string[] {
  if (count === 0) return [];
  const shown = items.slice(0, SHOWN);
  return [
    `  ${amount(count, what)}:`,
    ...shown.flat().map((line) => `    ${printable(line, LONGEST_LINE)}`),
    ...(count > shown.length ? [`    and ${amount(count - shown.length)} more`] : []),
  ];
}

function nextSteps({ sources, interrupted }: RunReport, checkpointed: boolean): string[] {
  const left = sources.failed + sources.pending;
  if (left === 0 && !interrupted) return [];
  if (!checkpointed) {
    return [
      "Nothing was recorded, so the next run starts anew; with --checkpoint it would go on from here.",
    ];
  }
  if (interrupted) {
    return ["What is complete is recorded; run the same command again to do the rest."];
  }
  const what = sources.pending === 0 ? "failed source" : "source";
  return [`Run the same command again to retry the ${left === 1 ? what : amount(left, what)}.`];
}
