import type { Row } from "./row";
import { connect } from "./rows/connect";
import { fleetRows } from "./rows/fleet";
import { forEachTenant } from "./rows/for-each-tenant";
import { largeFleetRows } from "./rows/large-fleet";
import { libsqlServer1000 } from "./rows/libsql-server";
import { localCreate } from "./rows/local-create";
import { localQuery } from "./rows/local-query";
import { move200mb } from "./rows/move";
import { plan10000 } from "./rows/plan";
import { provisionExisting } from "./rows/provision-existing";
import { rollout1000 } from "./rows/rollout";

export const ROWS: readonly Row[] = [
  ...fleetRows,
  ...largeFleetRows,
  localQuery,
  localCreate,
  rollout1000,
  libsqlServer1000,
  plan10000,
  connect,
  provisionExisting,
  forEachTenant,
  move200mb,
];
