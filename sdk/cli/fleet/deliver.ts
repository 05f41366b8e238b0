import type { Context } from "../../../provider/context";
import { TenantryError } from "../../../provider/platform/errors";
import type { MintedToken, TokenSpec } from "../../../provider/platform/platform";
import type { MadeRecord } from "../../../provider/resources/tenant-fleet/record";
import { inTurn } from "../../../provider/rollout/fleet/pool";

/** A tenant's address and a token for it alone. */
export interface Delivery extends MintedToken {
  readonly id: string;
  readonly name: string;
  readonly url: string;
}

/** What is done with each as soon as its token is there. */
export type HandOver = (one: Delivery) => Promise<void>;

export interface Handed {
  /** In the order in which they were asked for. */
  readonly done: readonly Delivery[];
  readonly failed: readonly { readonly id: string; readonly why: string }[];
}

/** One tenant's failure is its own, unless it is everybody's: then it is thrown, once nothing is under way any more. */
export async function mintAll(
  context: Context,
  records: readonly MadeRecord[],
  spec: TokenSpec,
  concurrency: number,
  handOver: HandOver,
): Promise<Handed> {
  const done = new Map<string, Delivery>();
  const failed: { id: string; why: string }[] = [];
  let stopped: TenantryError | undefined;
  await inTurn(
    records,
    concurrency,
    async (record) => {
      const { id } = record;
      try {
        const delivery = await mint(context, record, spec);
        await handOver(delivery);
        done.set(id, delivery);
      } catch (error) {
        if (error instanceof TenantryError && isEverybodys(error)) stopped ??= error;
        failed.push({ id, why: error instanceof Error ? error.message : String(error) });
      }
    },
    () => stopped === undefined,
  );
  if (stopped && done.size === 0) throw stopped;
  const order = records.flatMap(({ id }) => done.get(id) ?? []);
  const begun = new Set([...done.keys(), ...failed.map(({ id }) => id)]);
  const rest = records
    .filter(({ id }) => !begun.has(id))
    .map(({ id }) => ({ id, why: `not begun: ${stopped?.message}` }));
  return { done: order, failed: [...failed, ...rest] };
}

const isEverybodys = ({ code }: TenantryError): boolean =>
  (["credentials-missing", "credentials-rejected", "forbidden", "organization-not-found"] as const).some(
    (one) => one === code,
  );

/** A token goes by the database's name: what has that name has to be the database that state knows. */
async function mint(
  context: Context,
  { id, name, hostname, databaseId }: MadeRecord,
  spec: TokenSpec,
): Promise<Delivery> {
  const present = await context.listing.database(name);
  if (present?.id !== databaseId) {
    throw new TenantryError(
      "database-not-found",
      present ? `its database "${name}" is another one by now.` : `its database "${name}" is gone.`,
      { fix: "Run `pulumi refresh`." },
    );
  }
  const minted = await context.platform.mintToken({ database: name }, spec);
  return { id, name, url: context.platform.databaseUrl({ name, hostname }), ...minted };
}
