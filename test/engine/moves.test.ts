import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { type Run } from "../support/engine";
import { type Scene, errorsOf, tenantUrn, withScene } from "../support/scene";

/** What each stack declares is data, so that each step of a story is a change of data. */
const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { TenantDatabase } from "tenantry";
const { tenants = [], shop } = JSON.parse(readFileSync("fleet.json", "utf8"))[pulumi.getStack()] ?? {};
for (const { resource, alias, ...args } of tenants) {
  new TenantDatabase(resource, { group: "eu", ...args }, alias ? { aliases: [{ name: alias }] } : {});
}
class Shop extends pulumi.ComponentResource {
  constructor(type: string, name: string, aliases: pulumi.Alias[]) {
    super(type, name, {}, { aliases });
    new TenantDatabase("in-shop", { group: "eu" }, { parent: this });
  }
}
if (shop) new Shop(shop.type, shop.name, shop.aliases ?? []);
`;

describe("state that moves", function () {
  this.timeout(290_000);

  /** A command on one stack that must change nothing on the platform, nor any row. */
  const quiet = async (scene: Scene, alive: string[], command: () => Promise<Run>): Promise<Run> => {
    const before = await scene.databases();
    const { result, asked } = await scene.platform.during(command);
    const own = Object.entries(asked.writes).filter(([call]) => call !== "POST groups/eu/auth/tokens");
    assert.deepEqual(own, [], result.output);
    assert.deepEqual(await scene.databases(), before);
    for (const name of alive) assert.deepEqual(await scene.sql(name, "SELECT x FROM notes"), [{ x: name }], name);
    return result;
  };
  const settled = async (scene: Scene, stack: string): Promise<void> => {
    const { counts } = await scene.project.preview({ args: ["--stack", stack] });
    assert.deepEqual(Object.keys(counts), ["same"]);
  };
  const write = async ({ sql }: Scene, names: string[]): Promise<void> => {
    for (const name of names) {
      await sql(name, "CREATE TABLE notes (x)");
      await sql(name, `INSERT INTO notes VALUES ('${name}')`);
    }
  };
  const declare = ({ project }: Scene, fleet: object): Promise<void> =>
    project.write({ "fleet.json": JSON.stringify(fleet) });
  const pulumi = async ({ project }: Scene, ...args: string[]) => {
    const ended = await project.pulumi(args);
    assert.equal(ended.code, 0, ended.output);
    return ended;
  };

  it("follows a renamed stack, renamed resources and components; forced replacements find it everywhere", async () => {
    await withScene({ files: { "index.ts": program } }, async (scene) => {
      const { project } = scene;
      const shop = { type: "test:Shop", name: "shop" };
      await declare(scene, {
        dev: { tenants: [{ resource: "acme" }, { resource: "old" }, { resource: "named", name: "n-1" }], shop },
      });
      await project.up();
      const alive = ["acme", "old", "n-1", "in-shop"];
      await write(scene, alive);

      const tenants = [
        { resource: "acme" },
        { resource: "new", alias: "old" },
        { resource: "renamed", alias: "named", name: "n-1" },
      ];
      const store = { type: "test:Store", name: "store", aliases: [{ name: "shop", type: "test:Shop" }] };
      await declare(scene, { dev: { tenants, shop: store } });
      await quiet(scene, alive, () => project.up());
      await settled(scene, "dev");

      await pulumi(scene, "stack", "rename", "prod", "--stack", "dev");
      const plain = tenants.map(({ alias: _, ...rest }) => rest);
      await declare(scene, { prod: { tenants: plain, shop: { type: "test:Store", name: "store" } } });
      const prod = ["--stack", "prod"];
      await quiet(scene, alive, () => project.up({ args: prod }));
      await settled(scene, "prod");

      const inShop = tenantUrn("in-shop", "prod").replace("pulumi-nodejs", "test:Store$pulumi-nodejs");
      const urns = [...["acme", "new", "renamed"].map((name) => tenantUrn(name, "prod")), inShop];
      const replaced = await quiet(scene, alive, () =>
        project.up({ args: [...prod, ...urns.flatMap((urn) => ["--replace", urn])] }),
      );
      assert.equal(replaced.counts["delete-replaced"], 4);
      await project.destroy({ args: prod });
      assert.deepEqual(await scene.tenants(), []);
      assert.deepEqual(await scene.claims(), []);
    });
  });

  it("goes to another stack, which then owns it, and the old one cannot take or delete it", async () => {
    await withScene({ files: { "index.ts": program } }, async (scene) => {
      const { project } = scene;
      const [acme, beta] = [{ resource: "acme" }, { resource: "beta" }];
      await declare(scene, { dev: { tenants: [acme, beta] } });
      await project.up();
      await write(scene, ["acme", "beta"]);

      await pulumi(scene, "stack", "init", "other");
      await pulumi(scene, "state", "move", "--yes", "--source", "dev", "--dest", "other", tenantUrn("acme"));
      await declare(scene, { dev: { tenants: [acme, beta] }, other: { tenants: [acme] } });
      const alive = ["acme", "beta"];
      await quiet(scene, alive, () => project.up({ args: ["--stack", "other"] }));
      await settled(scene, "other");
      // Somebody forgot to take it out of the program of the old stack.
      const greedy = await quiet(scene, alive, () => project.up({ fails: true }));
      assert.match(errorsOf(greedy).join(), /"acme" belongs to organization\/test-project\/other\/acme/);
      await declare(scene, { dev: { tenants: [beta] }, other: { tenants: [acme] } });
      assert.deepEqual((await quiet(scene, alive, () => project.up())).counts, { same: 1 });

      // The same state in two stacks: whoever ran last has it.
      const exported = await project.pulumi(["stack", "export", "--stack", "other"]);
      const file = path.join(project.folder, "exported.json");
      await writeFile(file, exported.stdout.replaceAll("urn:pulumi:other::", "urn:pulumi:copy::"));
      await pulumi(scene, "stack", "init", "copy");
      await pulumi(scene, "stack", "import", "--stack", "copy", "--file", file);
      await declare(scene, { dev: { tenants: [beta] }, copy: { tenants: [acme] } });
      await quiet(scene, alive, () => project.up({ args: ["--stack", "copy"] }));
      await settled(scene, "copy");
      const refused = await quiet(scene, alive, () => project.destroy({ args: ["--stack", "other"], fails: true }));
      assert.match(
        errorsOf(refused).join(),
        /acme: the database now belongs to organization\/test-project\/copy\/acme/,
      );

      await project.destroy();
      assert.deepEqual(await scene.tenants(), ["acme"]);
      await project.destroy({ args: ["--stack", "copy"] });
      assert.deepEqual(await scene.tenants(), []);
      assert.deepEqual(await scene.claims(), []);
    });
  });
});
