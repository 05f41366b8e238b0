/**
 * The frozen public entry. Its name and the names of its exports are in users' state: every resource's stored provider
 * text is a call to `require("tenantry/runtime").<kind>`, and texts of old releases must find what they name for ever.
 *
 * Here, and only here, the host's habits are met: `configure` is called once a kind and not waited for, everything is
 * positional, and what a reply may hold is limited.
 */
import { contextOf, storeConfig } from "./context";
import { watchCancel } from "./engine-cancel";
import { engineLog } from "./engine-log";
import { watchEngine } from "./engine-watch";
import { HostError, silenceHost } from "./host-error";
import { cancelRun } from "./http/cancellation";
import { TenantryError } from "./platform/errors";
import { respond } from "./response";
import { apiToken as apiTokenHandler } from "./resources/api-token";
import { databaseToken as databaseTokenHandler } from "./resources/database-token";
import { group as groupHandler } from "./resources/group";
import { type CommonInputs, type Handler, Unfinished } from "./resources/handler";
import { invite as inviteHandler } from "./resources/invite";
import { member as memberHandler } from "./resources/member";
import { previewBranch as previewBranchHandler } from "./resources/preview-branch";
import { schemaRollout as schemaRolloutHandler } from "./resources/schema-rollout";
import { schemaTemplate as schemaTemplateHandler } from "./resources/schema-template";
import { typeToken, urnOf } from "./resources/self";
import { tenantDatabase as tenantDatabaseHandler } from "./resources/tenant-database";
import { tenantFleet as tenantFleetHandler } from "./resources/tenant-fleet";
import { hasUnknown } from "./resources/unknown";

type Properties = Record<string, unknown> & { readonly __provider?: string };

/** What the dynamic provider's host calls. */
export interface HostedResource {
  configure(request: { config: { get(key: string): string | undefined } }): void;
  check(
    olds: Properties,
    news: Properties,
  ): Promise<{ inputs: object; failures: { property: string; reason: string }[] }>;
  diff(id: string, olds: Properties, news: Properties): Promise<object>;
  create(inputs: Properties): Promise<{ id: string; outs: object }>;
  read(id: string, outputs: Properties): Promise<{ id: string; props: object }>;
  update(id: string, olds: Properties, news: Properties): Promise<{ outs: object }>;
  delete(id: string, outputs: Properties): Promise<void>;
}

const configKeys = [
  "platform",
  "organization",
  "apiToken",
  "apiUrl",
  "databaseUrl",
  "signingKey",
  "proxyPassword",
  "concurrency",
  "connections",
  "maxRemovals",
];

watchEngine(process.argv[2]);
watchCancel(cancelRun);
silenceHost();

export const group = host("group", groupHandler);
export const tenantDatabase = host("tenantDatabase", tenantDatabaseHandler);
export const databaseToken = host("databaseToken", databaseTokenHandler);
export const schemaTemplate = host("schemaTemplate", schemaTemplateHandler);
export const tenantFleet = host("tenantFleet", tenantFleetHandler);
export const schemaRollout = host("schemaRollout", schemaRolloutHandler);
export const member = host("member", memberHandler);
export const invite = host("invite", inviteHandler);
export const apiToken = host("apiToken", apiTokenHandler);
export const previewBranch = host("previewBranch", previewBranchHandler);

function host<I extends CommonInputs, O extends I>(kind: string, handler: Handler<I, O>): HostedResource {
  /** Our own properties, without the host's. */
  const own = <T>({ __provider: _, ...rest }: Properties): T => rest as T;
  const context = (of: CommonInputs) => contextOf(of.connection);

  const note = async (self: string, text: string | undefined | void): Promise<void> => {
    if (text) await engineLog("info", text, urnOf(self, typeToken(kind)));
  };

  /** Runs one operation; whatever goes wrong leaves as a HostError that keeps what exists. */
  async function operate<T>(provider: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unfinished)) throw new HostError(error);
      const properties = { ...respond(error.outputs as object), __provider: provider };
      throw new HostError(error.reason, { id: error.id, properties });
    }
  }

  return {
    configure({ config }) {
      storeConfig(Object.fromEntries(configKeys.map((key) => [key, config.get(`tenantry:${key}`)])));
    },

    check: (olds, news) =>
      operate(undefined, async () => {
        const inputs = own<I>(news);
        const wrong = (reason: string) => ({ inputs: news, failures: [{ property: "", reason }] });
        if (hasUnknown(inputs.connection)) return { inputs: news, failures: [] };
        try {
          const { platform } = context(inputs);
          const isNew = Object.keys(olds).length === 0;
          const checked = handler.check({
            news: inputs,
            olds: isNew ? undefined : own<I>(olds),
            capabilities: platform.capabilities,
            platform: platform.name,
          });
          // A failure's property would make the engine print its value, which may be a secret.
          const failures = checked.failures.map((reason) => ({ property: "", reason }));
          await note(inputs.self, checked.note);
          if (isNew && failures.length === 0 && !hasUnknown(checked.inputs)) {
            handler.expect?.({ inputs: checked.inputs as I, context: context(inputs) });
          }
          return { inputs: respond(checked.inputs), failures };
        } catch (error) {
          if (error instanceof TenantryError) return wrong(error.message);
          throw error;
        }
      }),

    diff: (id, olds, news) =>
      operate(undefined, async () => {
        const inputs = own<I>(news);
        if (hasUnknown(inputs.connection)) return { changes: true };
        const diff = await handler.diff({ id, olds: own<O>(olds), news: inputs, context: context(inputs) });
        await note(inputs.self, diff.note);
        return { changes: diff.changes, replaces: diff.replaces ?? [], deleteBeforeReplace: diff.deleteBeforeReplace };
      }),

    create: (news) =>
      operate(news.__provider, async () => {
        const inputs = own<I>(news);
        const { id, outputs } = await handler.create({ inputs, context: context(inputs) });
        return { id, outs: respond(outputs) };
      }),

    read: (id, props) =>
      operate(undefined, async () => {
        const outputs = own<O>(props);
        const found = await handler.read({ id, outputs, context: context(outputs) });
        return found ? { id, props: respond(found) } : { id: "", props: {} };
      }),

    update: (id, olds, news) =>
      operate(news.__provider, async () => {
        const inputs = own<I>(news);
        return {
          outs: respond(await handler.update({ id, olds: own<O>(olds), news: inputs, context: context(inputs) })),
        };
      }),

    delete: (id, props) =>
      operate(undefined, async () => {
        const outputs = own<O>(props);
        await note(outputs.self, await handler.delete({ id, outputs, context: context(outputs) }));
      }),
  };
}
