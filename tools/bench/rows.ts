import type { Row } from "./row";
import { fleetRows } from "./rows/fleet";
import { localCreate } from "./rows/local-create";
import { localQuery } from "./rows/local-query";

export const ROWS: readonly Row[] = [...fleetRows, localQuery, localCreate];
