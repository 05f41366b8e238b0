import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localPlatform } from "../../provider/drivers/local";
import { type ErrorCode, TenantryError } from "../../provider/platform/errors";
import { scopeText } from "../../provider/platform/platform";
import { freshToken, refusingUrl, withScriptedServer } from "../support/scripted-server";

async function refusal(work: () => unknown, code: ErrorCode): Promise<TenantryError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof TenantryError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail("it was accepted");
}

describe("localPlatform", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tenantry-driver-"));
    // As in a checkout: nothing above it is looked at.
    await mkdir(join(root, ".git"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function publish(text: string, folder = root): Promise<void> {
    await mkdir(join(folder, ".tenantry", "local"), { recursive: true });
    await writeFile(join(folder, ".tenantry", "local", "endpoint.json"), text);
  }
  const endpoint = (url: string, apiToken: string) =>
    JSON.stringify({ url, apiToken, id: "local-old", pid: process.pid });

  describe("finding it", () => {
    it("names the command where nothing runs", async () => {
      const error = await refusal(() => localPlatform({ directory: root }), "not-configured");
      assert.match(error.message, /npx tenantry local/);
    });

    it("names the command where the file is damaged", async () => {
      for (const text of ["", "{", "[]", '{"url":"ftp://a","apiToken":"t","id":"i","pid":1}']) {
        await publish(text);
        assert.match(
          (await refusal(() => localPlatform({ directory: root }), "not-configured")).message,
          /damaged.*npx tenantry local/,
        );
      }
    });

    it("reads address and token from the folder, also from a program's subfolder", async () => {
      const token = freshToken();
      await withScriptedServer(
        () => ({ json: { groups: [] } }),
        async ({ url, requests }) => {
          await publish(endpoint(url, token));
          const below = join(root, "examples", "quickstart");
          await mkdir(below, { recursive: true });
          assert.deepEqual(await localPlatform({ directory: below }).listGroups(), []);
          assert.equal(requests[0]?.path, "/v1/organizations/local/groups");
          assert.equal(requests[0]?.headers.authorization, `Bearer ${token}`);
        },
      );
    });

    it("looks no further than the repository", async () => {
      const repository = join(root, "vendor", "other");
      await mkdir(join(repository, ".git"), { recursive: true });
      await publish(endpoint("http://127.0.0.1:1", "t"));
      await refusal(() => localPlatform({ directory: repository }), "not-configured");
    });

    it("never sends a token that was configured without an address", async () => {
      const published = freshToken();
      await withScriptedServer(
        () => ({ json: { groups: [] } }),
        async ({ url, requests }) => {
          await publish(endpoint(url, published));
          await localPlatform({ directory: root, apiToken: "a-real-turso-token" }).listGroups();
          assert.equal(requests[0]?.headers.authorization, `Bearer ${published}`);
        },
      );
    });

    it("uses the published token for a configured address only where the two are one", async () => {
      await publish(endpoint("http://127.0.0.1:7117", "published"));
      localPlatform({ directory: root, apiUrl: "http://127.0.0.1:7117" });
      const error = await refusal(
        () => localPlatform({ directory: root, apiUrl: "http://127.0.0.1:7118" }),
        "credentials-missing",
      );
      assert.match(error.message, /TENANTRY_API_TOKEN/);
    });
  });

  describe("addresses", () => {
    const at = { apiUrl: "http://127.0.0.1:7117", apiToken: "t" };
    const database = { name: "acme", hostname: "acme-local.tenantry.localhost" };
    const cases: [Parameters<typeof localPlatform>[0], string][] = [
      [at, "http://127.0.0.1:7117/db/acme/"],
      [{ ...at, organization: "local" }, "http://127.0.0.1:7117/db/acme/"],
      [{ ...at, organization: "globex" }, "http://127.0.0.1:7117/org/globex/db/acme/"],
      [{ ...at, databaseUrl: "http://proxy.localhost/{name}/" }, "http://proxy.localhost/acme/"],
    ];
    for (const [options, expected] of cases) {
      it(expected, () => assert.equal(localPlatform(options).databaseUrl(database), expected));
    }
  });

  describe("scope", () => {
    it("is the folder's identity, asked once and without a token", async () => {
      await withScriptedServer(
        () => ({ json: { id: "local-3f9a" } }),
        async ({ url, requests }) => {
          const platform = localPlatform({ apiUrl: url, apiToken: freshToken(), organization: "globex" });
          assert.equal(scopeText(await platform.scope()), "local:local-3f9a/globex");
          await platform.scope();
          assert.equal(requests.length, 1);
          assert.equal(requests[0]?.path, "/tenantry/identity");
          assert.equal(requests[0]?.headers.authorization, undefined);
        },
      );
    });

    it("is asked again when a reply is lost", async () => {
      await withScriptedServer(
        ({ attempt }) => (attempt === 1 ? { fault: "drop" } : { json: { id: "local-3f9a" } }),
        async ({ url }) => {
          const platform = localPlatform({ apiUrl: url, apiToken: freshToken() });
          assert.equal((await platform.scope()).organization, "local-3f9a/local");
        },
      );
    });

    it("is asked again after a failure", async () => {
      await withScriptedServer(
        ({ attempt }) => (attempt === 1 ? { status: 404, json: {} } : { json: { id: "local-3f9a" } }),
        async ({ url }) => {
          const platform = localPlatform({ apiUrl: url, apiToken: freshToken() });
          await refusal(() => platform.scope(), "bad-answer");
          assert.equal((await platform.scope()).organization, "local-3f9a/local");
        },
      );
    });

    for (const [title, reply] of [
      ["HTML", { text: "<html>" }],
      ["no identity", { json: { id: 7 } }],
      ["a 404", { status: 404, json: { error: "no" } }],
    ] as const) {
      it(`is not guessed from ${title}`, async () => {
        await withScriptedServer(
          () => reply,
          async ({ url }) => {
            const error = await refusal(
              () => localPlatform({ apiUrl: url, apiToken: freshToken() }).scope(),
              "bad-answer",
            );
            assert.match(error.message, /npx tenantry local/);
          },
        );
      });
    }
  });

  it("says how to start it where nothing listens any more", async () => {
    await publish(endpoint(await refusingUrl(), freshToken()));
    const platform = localPlatform({ directory: root });
    const list = async (): Promise<void> => {
      for await (const database of platform.listDatabases()) assert.fail(database.name);
    };
    for (const call of [() => platform.scope(), () => platform.getGroup("eu"), list]) {
      const error = await refusal(call, "unreachable");
      assert.match(error.message, /connection refused.*start it with `npx tenantry local`\.$/);
      assert.equal(error.message.match(/npx tenantry local/g)?.length, 1);
    }
  }).timeout(30_000);

  it("declares what the embedded platform cannot do", () => {
    const { capabilities } = localPlatform({ apiUrl: "http://127.0.0.1:7117", apiToken: "t" });
    assert.equal(capabilities.rotation, "database");
    assert.deepEqual(
      [capabilities.seedAtTime, capabilities.sizeLimit, capabilities.seedFromDatabase],
      [false, false, true],
    );
  });
});
