import type { Context } from "../../context";
import { engineLog } from "../../engine-log";
import type { DatabaseConfiguration, PlatformDatabase } from "../../platform/platform";
import { randomId } from "../../random-id";
import { restamp } from "../../rollout/ledger";
import { Unfinished } from "../handler";
import { acquire } from "./acquire";
import { configure, declaredConfiguration, observeConfiguration, opened } from "./configuration";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";
import { passedBy } from "./restore-point";
import { type TenantDatabaseOutputs, asInputs, expiryOf, outputsOf } from "./outputs";
import { typeToken, urnOf } from "../self";
import { missingStrings } from "./parts";
import { migrateNew, reportVersion, templateFor } from "./schema";
import { milliseconds, patienceOf } from "./timeouts";

export interface CreateOptions {
  /** For who keeps many: what is new has its incarnation as its owner, so that there is one random name to keep. */
  readonly ownedByIncarnation?: boolean;
  /** Whether to wait for a new database's first answer where nothing is asked of it. Default true. */
  readonly isAwaited?: boolean;
}

/** Comes to own the database, then brings its schema and its settings to what is declared. */
export async function createTenantDatabase(
  inputs: TenantDatabaseInputs,
  context: Context,
  { ownedByIncarnation = false, isAwaited = true }: CreateOptions = {},
): Promise<{ id: string; outputs: TenantDatabaseOutputs }> {
  const at = (made: PlatformDatabase) => ({ ...made, group: inputs.group });
  const scope = await context.scope();
  const expiresAt = expiryOf(inputs);
  const isAsked = isAwaited || inputs.seed !== undefined;
  const ready = async (made: PlatformDatabase): Promise<void> => {
    if (context.platform.awaitDatabase) return;
    const deadline = milliseconds(inputs.timeouts?.create);
    // What is asked about its schema finds out whether it is there yet.
    if (inputs.schema !== undefined && !inputs.seed) await context.sql(at(made)).expectReady(deadline);
    else if (isAsked) await context.sql(at(made)).ready(deadline);
  };
  const { claim, database, registry, how, adopted, missing } = await acquire(
    context,
    inputs,
    expiresAt,
    (anew) => templateFor(context, inputs, anew),
    // Of two waits in a row, one is saved. A failure is met again below, where it belongs to what exists by then.
    (made) => void ready(made).catch(() => {}),
    namesOf(ownedByIncarnation),
  );
  const desired = declaredConfiguration(inputs);
  // The size went along with the create: current Turso databases refuse to be told it again.
  let observed: DatabaseConfiguration =
    how === "created" ? { sizeLimit: inputs.sizeLimit } : await observeConfiguration(context, database, desired);
  let outputs = outputsOf(context, inputs, database, observed, {
    scope,
    status: "ready",
    incarnation: claim.incarnation,
    adopted: adopted || undefined,
    expiresAt,
    restores: passedBy(inputs.restoreFrom),
  });
  const say = (text: string): Promise<void> => engineLog("info", text, urnOf(inputs.self, typeToken("tenantDatabase")));
  const setUp = async (to: DatabaseConfiguration): Promise<void> => {
    observed = await configure(context, database.name, observed, to);
    outputs = { ...outputs, ...asInputs(inputs, observed) };
  };
  try {
    if (how === "created") await ready(database);
    if (context.platform.awaitDatabase) {
      // Also one that an earlier run has begun.
      const onStatus = (status: string): void => {
        if (status !== "ready") void say(`${database.name} is ${status}`);
      };
      const { parts } = await context.platform.awaitDatabase(database.name, patienceOf(inputs), onStatus);
      outputs = outputsOf(context, inputs, { ...database, parts }, observed, outputs);
      const unknown = missingStrings(database.name, inputs, parts, outputs.connectionStrings);
      if (unknown) await say(unknown);
    }
    // Where an earlier run broke off behind the copy, it is known by now.
    if (inputs.seed && how !== "adopted") await restamp(context.sql(outputs));
    const schema = schemaOf(inputs);
    if (schema?.rollout && how !== "created") {
      // It may have been in use: only the rollout says when its turn is.
      outputs = { ...outputs, schemaVersion: await reportVersion(context, outputs, undefined) };
    } else if (schema) {
      const schemaVersion = await migrateNew(context, outputs, schema, registry, async (what) => {
        if (what === "writes" || observed.blockReads === true) await setUp(opened(desired));
      });
      outputs = { ...outputs, schemaVersion };
    }
    await setUp(desired);
    if (typeof missing === "string") await say(missing);
    else if (missing) throw missing;
  } catch (error) {
    throw new Unfinished(error, claim.owner, outputs);
  }
  return { id: claim.owner, outputs };
}

function namesOf(isOne: boolean): { owner: string; incarnation: string } {
  const incarnation = randomId();
  return { incarnation, owner: isOne ? incarnation : randomId() };
}
