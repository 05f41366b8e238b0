import { engineLog } from "../../engine-log";
import { randomId } from "../../random-id";
import type { Handler } from "../handler";
import { requireScope } from "../scope";
import { typeToken, urnOf } from "../self";
import { diffSchemaRollout } from "./diff";
import { type SchemaRolloutInputs, judgeSchemaRollout } from "./inputs";
import type { Say } from "./narration";
import type { SchemaRolloutOutputs } from "./outputs";
import { readSchemaRollout } from "./read";
import { rollOut } from "./run";

/** Lines on the line of the resource with that address. */
const onItsLine =
  (self: string): Say =>
  (kind, text) =>
    engineLog(
      kind === "warning" ? "warning" : "info",
      text,
      urnOf(self, typeToken("schemaRollout")),
      kind === "status",
    );

/** `sayOf` is where the lines about a run go, by the resource's address. */
export const schemaRolloutHandler = (
  sayOf: (self: string) => Say = onItsLine,
): Handler<SchemaRolloutInputs, SchemaRolloutOutputs> => ({
  check: ({ news, capabilities, platform }) => ({
    inputs: { ...news },
    failures:
      capabilities.schemas === "deployments"
        ? [
            `schema: ${platform} deploys a blueprint to all of its tenants itself, without canary, waves, dry run, ` +
              "destructive analysis or a look for drift. Leave the SchemaRollout out: its SchemaTemplate deploys.",
          ]
        : judgeSchemaRollout(news),
  }),

  diff: ({ olds, news, context }) => diffSchemaRollout(olds, news, context),

  async create({ inputs, context }) {
    const id = randomId();
    return { id, outputs: await rollOut(id, inputs, context, await context.scope(), sayOf(inputs.self)) };
  },

  read: ({ outputs, context }) => readSchemaRollout(outputs, context),

  async update({ id, olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    return rollOut(id, news, context, scope, sayOf(news.self));
  },

  // Every database keeps the schema that it has.
  delete: async () => undefined,
});

export const schemaRollout = schemaRolloutHandler();
