import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { openSql } from "../../provider/platform/sql";
import { withProject } from "../support/engine";
import { hasSqld, serveSqld } from "../support/sqld";

const folder = path.resolve(__dirname, "..", "..", "examples", "self-hosted");
const read = (file: string): Promise<string> => readFile(path.join(folder, file), "utf8");

describe("examples/self-hosted", () => {
  it("its program, on a real libsql-server", async function () {
    this.timeout(200_000);
    if (!(await hasSqld("examples/self-hosted"))) this.skip();
    const names = ["Pulumi.yaml", "package.json", "index.ts", "migrations/0001_notes.sql"];
    const files = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
    const sqld = await serveSqld();
    try {
      const env = { TENANTRY_API_URL: sqld.adminUrl, TENANTRY_DATABASE_URL: sqld.databaseUrl };
      const config = {
        "tenantry:apiToken": { secret: sqld.adminKey },
        "tenantry:signingKey": { secret: sqld.signingKey },
      };
      await withProject({ files, name: "tenantry-self-hosted", config }, async (project) => {
        assert.deepEqual((await project.up({ env })).counts, { create: 6 });
        assert.deepEqual((await project.up({ env })).counts, { same: 6 });
        const { urls, tokens } = (await project.outputs({ showSecrets: true })) as Record<
          string,
          Record<string, string>
        >;
        const rows = async (url: string, token: string, sql: string) => {
          const opened = openSql({ url, token: async () => token });
          return opened.execute({ sql, args: [] }).finally(() => opened.close());
        };
        const insert = "INSERT INTO notes (text) VALUES ('a')";
        await rows(urls!["acme"]!, tokens!["acme"]!, insert);
        for (const name of ["acme", "globex"]) {
          const { rows: found } = await rows(urls![name]!, tokens!["reports"]!, "SELECT count(*) AS n FROM notes");
          assert.deepEqual(found, [{ n: name === "acme" ? 1 : 0 }]);
        }
        await assert.rejects(rows(urls!["acme"]!, tokens!["reports"]!, insert), { code: "forbidden" });
        const { text } = await project.stateFile();
        for (const secret of [sqld.signingKey, sqld.adminKey]) assert.ok(!text.includes(secret));
        assert.deepEqual((await project.destroy({ env })).counts, { delete: 6 });
      });
      assert.equal((await sqld.admin("GET", "/v1/namespaces/acme/config")).status, 404);
    } finally {
      await sqld.close();
    }
  });
});
