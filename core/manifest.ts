import { printable, TidemarkError } from "./errors.ts";

/** The checkpoint layout that this release reads and writes. */
export const CHECKPOINT_FORMAT = 1;

/** What a checkpoint says about itself and the pipeline that it belongs to. */
export interface Manifest {
  readonly format: number;
  readonly pipeline: string;
  /** The names of the stages in order. */
  readonly stages: readonly string[];
}

/** A manifest as the text that a store keeps. */
export function encodeManifest(pipeline: string, stages: readonly string[]): string {
  return `${JSON.stringify({ format: CHECKPOINT_FORMAT, pipeline, stages }, null, 2)}\n`;
}

function parse(text: string): Manifest | undefined {
  try {
    const value = JSON.parse(text) as Partial<Manifest> | null;
    if (typeof value?.format !== "number") return undefined;
    if (value.format > CHECKPOINT_FORMAT) return { format: value.format, pipeline: "", stages: [] };
    const { format, pipeline, stages } = value;
    if (typeof pipeline !== "string" || !Array.isArray(stages)) return undefined;
    return stages.every((s) => typeof s === "string") ? { format, pipeline, stages } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks that a checkpoint belongs to the pipeline.
 * @throws {TidemarkError} `CHECKPOINT_MANIFEST` when the manifest cannot be read,
 * `CHECKPOINT_FORMAT` when a newer release wrote it, `CHECKPOINT_MISMATCH` when it belongs to
 * another pipeline.
 */
export function checkManifest(
  text: string,
  pipeline: string,
  stages: readonly string[],
  options: { readonly where: string; readonly acceptChanged: boolean },
): void {
  const { where } = options;
  const manifest = parse(text);
  if (manifest === undefined) {
    throw new TidemarkError(
      "CHECKPOINT_MANIFEST",
      `the manifest of ${where} is damaged. The records beside it are not affected: ` +
        `delete manifest.json, and the next run writes it anew`,
      { subject: where },
    );
  }
  if (manifest.format > CHECKPOINT_FORMAT) {
    throw new TidemarkError(
      "CHECKPOINT_FORMAT",
      `${where} has format ${manifest.format}; this release knows ${CHECKPOINT_FORMAT}. ` +
        `Update tidemark, or use another checkpoint`,
      { subject: where },
    );
  }
  if (options.acceptChanged) return;
  const advice = `Use another checkpoint to start afresh, or resume with resumeChanged ` +
    `(--resume-changed) to keep what is complete in it`;
  if (manifest.pipeline !== pipeline) {
    throw new TidemarkError(
      "CHECKPOINT_MISMATCH",
      `${where} belongs to the pipeline "${printable(manifest.pipeline)}", not to ` +
        `"${printable(pipeline)}". ${advice}`,
      { subject: where },
    );
  }
  if (JSON.stringify(manifest.stages) !== JSON.stringify(stages)) {
    throw new TidemarkError(
      "CHECKPOINT_MISMATCH",
      `${where} was written when the pipeline's stages were ${list(manifest.stages)}; now they ` +
        `are ${list(stages)}. ${advice}`,
      { subject: where },
    );
  }
}

function list(stages: readonly string[]): string {
  return stages.map((stage) => printable(stage)).join(" → ");
}
