import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startLocalPlatform } from "../../../provider/local";
import { createTenantry, subjectName } from "../../../sdk/client";
import type { Row } from "../row";

const SUBJECTS = 100;

export const provisionExisting: Row = {
  name: "provision-existing",
  what: "Platform API calls to provision a subject that exists, beside a token minted by hand for a name that is known",
  unit: "calls",
  goal: { of: "ours", atMost: 1 },
  async open() {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    let calls = 0;
    const onRequest = ({ path: at }: { readonly path: string }): void => void (at.startsWith("/v1/") && calls++);
    const local = await startLocalPlatform({ directory: path.join(home, "local"), onRequest });
    const call = (below: string, body?: object): Promise<Response> =>
      fetch(`${local.url}/v1/organizations/local${below}`, {
        ...{ method: "POST", body: body && JSON.stringify(body) },
        headers: { authorization: `Bearer ${local.apiToken}` },
      });
    await (await call("/groups", { name: "bench", location: "local" })).arrayBuffer();
    const options = { platform: "local", apiUrl: local.url, token: local.apiToken } as const;
    const application = () => createTenantry({ ...options, group: "bench", access: "full-access" });
    const subjects = Array.from({ length: SUBJECTS }, (_, i) => `user-${i}`);
    const making = application();
    for (const subject of subjects) await making.provision(subject);
    const counted = async (work: (subject: string) => Promise<unknown>) => {
      calls = 0;
      for (const subject of subjects) await work(subject);
      return { value: calls / SUBJECTS };
    };
    return {
      async ours() {
        // Another process, once it has found the registry.
        const another = application();
        await another.provision("user-0");
        return counted((subject) => another.provision(subject));
      },
      reference: () =>
        counted(async (subject) => {
          await (await call(`/databases/${await subjectName(subject)}/auth/tokens`)).arrayBuffer();
        }),
      async close() {
        await local.close();
        await rm(home, { recursive: true, force: true });
      },
    };
  },
};
