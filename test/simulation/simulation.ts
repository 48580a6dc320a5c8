import type { Union } from "../../core/union.ts";
import type { History } from "./history.ts";
import type { Outputs } from "./outputs.ts";
import type { Shape } from "./shape.ts";
import type { Shelf } from "./shelf.ts";
import type { Weather } from "./weather.ts";
import type { World } from "./world.ts";

/** What the processes of one seed have in common. */
export interface Simulation {
  readonly seed: number;
  readonly world: World;
  readonly shape: Shape;
  readonly shelf: Shelf;
  readonly outputs: Outputs;
  readonly history: History;
  /** The real union, fed with every record in the order in which it became durable. */
  union: Union;
  /** Changes for the better in the last phase. */
  weather: Weather;
  /** The version that each source has now. */
  readonly versions: number[];
}
