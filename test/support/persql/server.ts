import { type ScriptedReply, type ScriptedRequest, type ScriptedServer, withScriptedServer } from "../scripted-server";
import { type PersqlModel, type PersqlModelOptions, persqlModel } from "./model";

export interface Persql extends PersqlModel {
  readonly url: string;
  readonly requests: ScriptedServer["requests"];
}

/** What happens to a request on its way: `answer` has its effect. */
export type Meeting = (request: ScriptedRequest, answer: () => ScriptedReply, model: PersqlModel) => ScriptedReply;

/** The stand-in over real HTTP on a free port, alive while `use` runs. */
export async function withPersql<Result>(
  use: (persql: Persql) => Promise<Result>,
  { meet = (_, answer) => answer(), ...options }: PersqlModelOptions & { readonly meet?: Meeting } = {},
): Promise<Result> {
  const model = persqlModel(options);
  try {
    return await withScriptedServer(
      (request) => meet(request, () => model.answer(request), model),
      (server) => use({ ...model, url: server.url, requests: server.requests }),
    );
  } finally {
    model.namespace.close();
  }
}

/** The same until it is closed. */
export async function startPersql(
  options: Parameters<typeof withPersql>[1] = {},
): Promise<Persql & { close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const running = withPersql(
      (persql) => new Promise<void>((end) => resolve({ ...persql, close: async () => (end(), running) })),
      options,
    );
    running.catch(reject);
  });
}
