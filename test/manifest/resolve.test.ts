import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import type { Manifest, ManifestTenant, Settings } from "../../sdk/manifest/definition";
import { loadManifest } from "../../sdk/manifest/load";
import { resolveManifest } from "../../sdk/manifest/resolve";
import { rosterText } from "../../provider/resources/tenant-fleet/roster";
import { filesOf, problemsOf, resolved, tenantsOf } from "./scene";

describe("what a manifest comes to", () => {
  it("a tenant wins over its plan, that over the defaults", () => {
    const { resolved: found } = resolved(`
namePattern: "tenant-{id}"
schemas: { app: { migrations: ./migrations }, old: { migrations: ./old } }
plans:
  pro: { schema: old, sizeLimit: 2gb, labels: { tier: pro, ring: stable }, tokens: { ttl: 2h }, expiresIn: 7d }
defaults:
  plan: pro
  group: eu
  schema: app
  sizeLimit: 1gb
  blockWrites: true
  labels: { ring: late, region: eu }
  tokens: { access: read-only }
tenants:
  bolt:
  acme: { sizeLimit: 3gb, labels: { ring: canary }, expiresAt: 2030-01-01T00:00:00Z, group: us, name: old-name }
`);
    const common = { blockWrites: true, schema: "old" };
    assert.deepEqual(found.tenants, [
      {
        ...{ id: "acme", name: "old-name", group: "us", sizeLimit: "3gb", expiresAt: "2030-01-01T00:00:00Z" },
        ...{ ...common, labels: { ring: "canary", region: "eu", tier: "pro" } },
      },
      {
        ...{ id: "bolt", name: "tenant-bolt", group: "eu", sizeLimit: "2gb", expiresIn: "7d" },
        ...{ ...common, labels: { ring: "stable", region: "eu", tier: "pro" } },
      },
    ]);
    const tokens = { access: "read-only", ttl: "2h" };
    assert.deepEqual(found.profiles.get("bolt"), { plan: "pro", geo: undefined, tokens });
  });

  it("names are made valid, and a long one is cut to a name of its own", () => {
    const [, long, short] = tenantsOf(`
namePattern: "tenant-{id}"
defaults: { group: eu }
tenants: { Käse & Söhne GmbH: , "${"x".repeat(100)}a": , "${"x".repeat(100)}b": }
`);
    assert.match(long!.name, /^tenant-x{48}-[0-9a-f]{8}$/);
    assert.match(short!.name, /^tenant-x{48}-[0-9a-f]{8}$/);
    assert.notEqual(long!.name, short!.name);
    assert.equal(tenantsOf("defaults: { group: eu }\ntenants: { Käse & Söhne: }")[0]!.name, "kase-sohne");
  });

  it("names that two tenants would have, that are kept, or none", () => {
    const head = "version: 1\nnamePattern: t-{id}\ndefaults: { group: eu }\ntenants:\n";
    assert.deepEqual(problemsOf(`${head}  a b: {}\n  a-b: {}\n  c: { name: t-a-b }\n  d: { name: tenantry-d }\n`), [
      'tenants.yaml:6:3: tenants.a-b: its database would be called "t-a-b", as that of "a b" (tenants.yaml:5:3): give one of them another `name`.',
      'tenants.yaml:7:8: tenants.c.name: its database would be called "t-a-b", as that of "a b" (tenants.yaml:5:3): give one of them another `name`.',
      'tenants.yaml:8:8: tenants.d.name: "tenantry-d" begins with "tenantry-", which Tenantry keeps for itself.',
    ]);
    assert.deepEqual(problemsOf(`${head}  A: { name: Acme }\n`), [
      "tenants.yaml:5:8: tenants.A.name: must be lowercase letters, digits and dashes, at most 64 characters.",
    ]);
  });

  it("a tenant without a group; the program's counts too", () => {
    const text = "version: 1\ntenants: { acme: }\n";
    assert.deepEqual(problemsOf(text), [
      "tenants.yaml:2:12: tenants.acme: no group is named: by the tenant, its plan, or `defaults`.",
    ]);
    const manifest = loadManifest("t.yaml", { files: filesOf({ "t.yaml": text }) });
    assert.equal(resolveManifest(manifest, { group: "eu" }).tenants[0]!.group, "eu");
  });

  it("suspended, and yet not blocked", () => {
    const text =
      "version: 1\nplans: { out: { suspended: true } }\ntenants: { acme: { plan: out, group: eu, blockWrites: false } }\n";
    assert.deepEqual(problemsOf(text), [
      "tenants.yaml:3:42: tenants.acme.blockWrites: `suspended` blocks reads and writes, so that this cannot be false; leave one of them out.",
    ]);
  });
});

describe("residency", () => {
  const head = `version: 1
groups: { eu-1: { location: aws-eu-west-1 }, eu-2: { location: aws-eu-central-1 }, us: }
residency: { eu: { groups: [eu-1] }, europe: { locations: [aws-eu-west-1, aws-eu-central-1] } }
plans: { us: { group: us } }
`;
  const groupOf = (tenant: string, defaults = "{}") =>
    tenantsOf(`${head.slice("version: 1\n".length)}defaults: ${defaults}\ntenants: { acme: ${tenant} }`)[0]!.group;

  it("the only group that is allowed is chosen, also before that of the defaults", () => {
    assert.equal(groupOf("{ geo: eu }"), "eu-1");
    assert.equal(groupOf("{ geo: eu }", "{ group: us }"), "eu-1");
    assert.equal(groupOf("", "{ group: us, geo: eu }"), "eu-1");
    assert.equal(groupOf("{ geo: europe, group: eu-2 }"), "eu-2");
    assert.equal(groupOf("{ geo: europe }", "{ group: eu-2 }"), "eu-2");
  });

  it("a violation, or no choice, is an error with its place", () => {
    const of = (tenant: string) => problemsOf(`${head}tenants: { acme: ${tenant} }\n`);
    assert.deepEqual(of("{ geo: eu, group: us }"), [
      'tenants.yaml:5:29: tenants.acme.group: group "us" is not allowed for geo "eu"; allowed: eu-1.',
    ]);
    assert.deepEqual(of("{ geo: eu, plan: us }"), [
      'tenants.yaml:5:12: tenants.acme.group: group "us", of plan "us", is not allowed for geo "eu"; allowed: eu-1.',
    ]);
    assert.deepEqual(of("{ geo: europe }"), [
      'tenants.yaml:5:20: tenants.acme.geo: geo "europe" allows several groups (eu-1, eu-2): name one.',
    ]);
    assert.deepEqual(of("{ geo: eurpe, group: us }"), [
      'tenants.yaml:5:20: tenants.acme.geo: there is no residency rule "eurpe"; did you mean "europe"?',
    ]);
  });

  it("a copy is bound as what it is a copy of", () => {
    const text = `${head}namePattern: t-{id}
tenants:
  acme: { geo: eu }
  copy: { group: us, seed: { database: t-acme } }
  fine: { group: eu-1, seed: { database: t-acme } }
  self: { group: us, seed: { database: t-self } }
  other: { group: us, seed: { database: elsewhere } }
  again: { group: us, seed: { database: t-fine } }
  round: { group: us, seed: { database: t-trip } }
  trip: { group: us, seed: { database: t-round } }
`;
    assert.deepEqual(problemsOf(text), [
      'tenants.yaml:8:30: tenants.copy.seed.database: a copy of "acme" (geo "eu") is not allowed in group "us"; allowed: eu-1.',
      "tenants.yaml:10:30: tenants.self.seed.database: it cannot be a copy of itself.",
      'tenants.yaml:12:31: tenants.again.seed.database: a copy of "acme" (geo "eu") is not allowed in group "us"; allowed: eu-1.',
    ]);
  });
});

describe("what a manifest comes to, whatever it is", () => {
  const group = fc.constantFrom("eu", "us");
  const settings: fc.Arbitrary<Settings> = fc.record(
    {
      group,
      sizeLimit: fc.constantFrom("1gb", "2gb"),
      blockWrites: fc.boolean(),
      deletionPolicy: fc.constantFrom("delete", "retain"),
      labels: fc.dictionary(fc.constantFrom("ring", "tier"), fc.constantFrom("a", "b")),
    },
    { requiredKeys: [] },
  );
  const id = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => /[a-z0-9]/i.test(text));
  const tenants = fc.uniqueArray(
    fc
      .record({ id, plan: fc.constantFrom("free", "pro"), own: settings })
      .map(({ own, ...rest }): ManifestTenant => ({ ...rest, ...own })),
    { selector: (tenant) => tenant.id, maxLength: 20 },
  );
  const manifests = fc
    .record({ tenants, free: settings, pro: settings, defaults: settings })
    .map(({ tenants: all, free, pro, defaults }): Manifest => ({
      version: 1,
      namePattern: "t-{id}",
      ...{ defaults: { group: "eu", ...defaults }, groups: undefined, residency: {}, schemas: {} },
      plans: { free, pro },
      // Names that two would have are another test's.
      tenants: all.map((tenant, i) => ({ name: `n-${i}`, ...tenant })),
    }));

  it("does not depend on the order of the tenants", () => {
    fc.assert(
      fc.property(
        manifests.chain((manifest) =>
          fc.tuple(
            fc.constant(manifest),
            fc.shuffledSubarray([...manifest.tenants], { minLength: manifest.tenants.length }),
          ),
        ),
        ([manifest, shuffled]) => {
          const [one, other] = [resolveManifest(manifest), resolveManifest({ ...manifest, tenants: shuffled })];
          assert.equal(rosterText(one), rosterText(other));
          assert.deepEqual(one.tenants, other.tenants);
        },
      ),
    );
  });

  it("has every tenant once, sorted, with what the nearest says", () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const { tenants: found } = resolveManifest(manifest);
        const ids = found.map((tenant) => tenant.id);
        assert.deepEqual(ids, manifest.tenants.map((tenant) => tenant.id).sort());
        assert.equal(new Set(found.map(({ name }) => name)).size, found.length);
        for (const tenant of found) {
          const own = manifest.tenants.find((one) => one.id === tenant.id)!;
          const layers: Settings[] = [own, manifest.plans[own.plan!]!, manifest.defaults];
          for (const key of ["group", "sizeLimit", "blockWrites", "deletionPolicy"] as const) {
            assert.equal(
              tenant[key],
              layers.map((layer) => layer[key]).find((value) => value !== undefined),
              key,
            );
          }
          for (const key of ["ring", "tier"]) {
            const said = layers.map(({ labels }) => labels?.[key]).find((value) => value !== undefined);
            assert.equal(tenant.labels?.[key], said, key);
          }
        }
      }),
    );
  });
});
