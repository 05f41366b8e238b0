import assert from "node:assert/strict";
import { makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";

const minute = 60_000;

describe("the logs of a tenant of TenantsDB", () => {
  it("come page by page, each entry once although new ones are logged meanwhile, and no page more than asked for", async () => {
    let pages = 0;
    let meanwhile = (): void => {};
    const interfere = ({ path }: { readonly path: string }): undefined => {
      if (path.endsWith("/logs") && ++pages > 1) meanwhile();
      return undefined;
    };
    await withStandIn({ interfere, limits: { perSecond: Infinity } }, async ({ standIn, platform, project }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "docs" }] });
      const { logs } = standIn.project.tenants.get("acme")!;
      const now = Date.now();
      const entry = (query: string, at: number) => {
        return { query, source: "proxy", success: true, ms: 1, at: new Date(at).toISOString() };
      };
      // The newest first, as the platform shows them; the last thousand of them older than two hours.
      for (let i = 0; i < 3_500; i++) logs.push(entry(`q${i}`, now - (i < 2_500 ? i * 100 : 121 * minute + i)));
      meanwhile = () => void logs.unshift(entry(`new ${pages}`, now));

      const read = async (filter: object, most = Infinity): Promise<string[]> => {
        pages = 0;
        const found: string[] = [];
        for await (const { query } of platform.logs!("acme", filter)) if (found.push(query) === most) break;
        return found;
      };
      const expected = (count: number) => Array.from({ length: count }, (_, i) => `q${i}`);
      assert.deepEqual(await read({}), expected(3_500));
      assert.equal(pages, 4);

      logs.splice(0, 3);
      meanwhile = () => {};
      // Two hours are no word of the platform's: the next longer one is asked for, and what is older left out.
      assert.deepEqual(await read({ since: 7_200 }), expected(2_500));
      assert.equal(pages, 3);
      assert.deepEqual(await read({}, 1_000), expected(1_000));
      assert.equal(pages, 1);
    });
  });
});
