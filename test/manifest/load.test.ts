import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { hasCode } from "../../provider/platform/errors";
import { loadManifest } from "../../sdk/manifest/load";
import { filesOf, problemsOf, resolved, tenantsOf } from "./scene";

const from = (texts: Record<string, string>, at = "tenants.yaml") => loadManifest(at, { files: filesOf(texts) });

describe("a manifest: what can be written", () => {
  it("tenants as a map, as a list, in JSON, and as rows of a CSV file: one and the same", () => {
    const head = "version: 1\ndefaults: { group: eu }\nplans: { pro: {} }\n";
    const map = from({ "tenants.yaml": `${head}tenants: { acme: { plan: pro, labels: { ring: beta } }, bolt: }\n` });
    const list = from({
      "tenants.yaml": `${head}tenants:\n  - { id: acme, plan: pro, labels: { ring: beta } }\n  - bolt\n`,
    });
    const json = from(
      {
        "t.json": JSON.stringify(
          {
            $schema: "./tenants.schema.json",
            version: 1,
            defaults: { group: "eu" },
            plans: { pro: {} },
            tenants: { acme: { plan: "pro", labels: { ring: "beta" } }, bolt: null },
          },
          undefined,
          "\t",
        ),
      },
      "t.json",
    );
    const rows = from(
      {
        "fleet/tenants.yaml": `${head}tenants: ../rows/all.csv\n`,
        "rows/all.csv": '\ufeffid,plan,label:ring\r\nacme,pro,"beta"\r\n\r\nbolt,,\r\n',
      },
      "fleet/tenants.yaml",
    );
    for (const other of [list, json, rows]) assert.deepEqual(other, map);
    assert.deepEqual(map.tenants, [{ id: "acme", plan: "pro", labels: { ring: "beta" } }, { id: "bolt" }]);
  });

  it("a folder of files adds up", () => {
    const manifest = from(
      {
        "fleet/head.yaml": "version: 1\nnamePattern: t-{id}\nschemas: { app: { migrations: ../migrations } }\n",
        "fleet/eu.yaml": "version: 1\ngroups: { eu: { location: local } }\ntenants: { acme: { group: eu } }\n",
        "fleet/us.json": '{"version": 1, "groups": {"us": null}, "tenants": ["bolt"]}',
        "fleet/more.csv": "id,group\ncore,us\n",
        "fleet/README.md": "# not read",
        "fleet/.hidden.yaml": "not: read",
      },
      "fleet",
    );
    assert.deepEqual(Object.keys(manifest.groups!), ["eu", "us"]);
    assert.deepEqual(manifest.tenants.map(({ id }) => id).sort(), ["acme", "bolt", "core"]);
    assert.deepEqual(manifest.schemas, { app: { migrations: "migrations" } });
    assert.equal(manifest.namePattern, "t-{id}");
  });

  it("ids as they are written, whatever YAML makes of them", () => {
    const tenants = tenantsOf(
      "defaults: { group: eu }\nnamePattern: t-{id}\ntenants:\n  007:\n  1e3:\n  true:\n  no:\n  constructor:\n  toString:\n",
    );
    assert.deepEqual(
      tenants.map(({ id, name }) => [id, name]),
      ["007", "1e3", "constructor", "no", "toString", "true"].map((id) => [id, `t-${id.toLowerCase()}`]),
    );
  });

  it("anchors and aliases", () => {
    const tenants = tenantsOf("defaults: { group: eu }\ntenants:\n  acme: &big { sizeLimit: 1gb }\n  bolt: *big\n");
    assert.deepEqual(
      tenants.map(({ sizeLimit }) => sizeLimit),
      ["1gb", "1gb"],
    );
  });

  it("no tenants, where that is said", () => {
    assert.deepEqual(resolved("tenants: {}\n").resolved.tenants, []);
  });
});

describe("a manifest: what is wrong with it", () => {
  it("is told all at once, with file, line and column", () => {
    const text = `version: 1
namePattern: "tenant-{id}"
groups:
  eu: { location: aws-eu-west-1 }
  us: { location: aws-us-east-1 }
residency:
  eu: { groups: [eu] }
plans:
  pro: { sizeLimit: 1gb }
  free: { blockWritess: true }
defaults: { plan: free, group: us }
tenants:
  acme:
    plan: proo
    colour: blue
  acme: {}
  globex: { geo: eu, group: us }
  Acme:
  bolt: { labels: { tier: 1 }, blockWrites: "yes", deletionPolicy: retian }
  "":
  "???":
`;
    assert.deepEqual(problemsOf(text), [
      'tenants.yaml:10:11: plans.free.blockWritess: there is no such property; did you mean "blockWrites"?',
      'tenants.yaml:14:5: tenants.acme.plan: there is no plan "proo"; did you mean "pro"?',
      "tenants.yaml:15:5: tenants.acme.colour: there is no such property.",
      "tenants.yaml:16:3: tenants.acme: it is given twice; first in tenants.yaml:13:3.",
      'tenants.yaml:17:22: tenants.globex.group: group "us" is not allowed for geo "eu"; allowed: eu.',
      'tenants.yaml:18:3: tenants.Acme: its database would be called "tenant-acme", as that of "acme" (tenants.yaml:13:3): the ids differ only in case; give one of them another `name`.',
      "tenants.yaml:19:21: tenants.bolt.labels.tier: must be text, not a number; put it in quotes.",
      "tenants.yaml:19:32: tenants.bolt.blockWrites: must be true or false, not text.",
      'tenants.yaml:19:52: tenants.bolt.deletionPolicy: "retian" is none of its values; did you mean "retain"?',
      'tenants.yaml:20:3: tenants."": must have 1 to 200 characters, none of them a control character.',
      'tenants.yaml:21:3: tenants."???": no letter or digit of it can stand in a database\'s name; give it a `name`.',
    ]);
  });

  it("the first 20, and how many more", () => {
    const ids = Array.from({ length: 33 }, (_, i) => `  t${i}: { plan: gold }\n`).join("");
    const load = () => from({ "tenants.yaml": `version: 1\ntenants:\n${ids}` });
    assert.throws(load, (error: Error) => {
      assert.ok(hasCode(error, "invalid-input"));
      const lines = error.message.split("\n");
      assert.equal(lines.length, 22);
      assert.equal(lines[0], "33 problems:");
      assert.equal(lines[1], 'tenants.yaml:3:9: tenants.t0.plan: there is no plan "gold"; none is declared.');
      assert.equal(lines.at(-1), "and 13 more.");
      return true;
    });
  });

  const head = "version: 1\ntenants: {}\n";
  const cases: [string, string, string][] = [
    ["nothing at all", "", "tenants.yaml: it is empty; a manifest begins with `version: 1` and has `tenants:`."],
    ["no map", "- acme\n", "tenants.yaml: it is no map; a manifest begins with `version: 1` and has `tenants:`."],
    ["no version", "tenants: {}\n", "tenants.yaml:1:1: version: must be 1: this release reads no other."],
    [
      "a later version",
      "version: 2\ntenants: {}\n",
      "tenants.yaml:1:1: version: must be 1: this release reads no other.",
    ],
    [
      "no tenants",
      "version: 1\n",
      "tenants.yaml: there are no tenants in it. Where none are meant, write `tenants: {}`.",
    ],
    [
      "emptied tenants",
      "version: 1\ntenants:\n",
      "tenants.yaml:2:1: tenants: it is empty; write `tenants: {}` where none are meant.",
    ],
    [
      "an unknown section",
      `${head}tenant: {}\n`,
      'tenants.yaml:3:1: tenant: there is no such property; did you mean "tenants"?',
    ],
    ["a credential", `${head}apiToken: x\n`, "tenants.yaml:3:1: apiToken: there is no such property."],
    [
      "a restore, which a fleet does not do",
      'version: 1\ntenants: { acme: { group: eu, restoreFrom: { timestamp: "2026-01-01T00:00:00Z", key: a } } }\n',
      "tenants.yaml:2:31: tenants.acme.restoreFrom: a fleet does not restore its tenants; hand this one over with " +
        "`npx tenantry move <database> --to-resources`, declare it as a TenantDatabase, and give that one restoreFrom.",
    ],
    [
      "a pattern without id",
      `${head}namePattern: tenant\n`,
      'tenants.yaml:3:1: namePattern: must hold {id} once, beside lowercase letters, digits and dashes, such as "tenant-{id}".',
    ],
    [
      "a size that is none",
      `${head}plans: { a: { sizeLimit: big } }\n`,
      'tenants.yaml:3:15: plans.a.sizeLimit: must be a size such as "256mb".',
    ],
    [
      "a duration that is none",
      `${head}plans: { a: { expiresIn: 7 } }\n`,
      "tenants.yaml:3:15: plans.a.expiresIn: must be text, not a number; put it in quotes.",
    ],
    [
      "an unknown property within one",
      `${head}plans: { a: { tokens: { acess: read-only } } }\n`,
      'tenants.yaml:3:25: plans.a.tokens.acess: there is no such property; did you mean "access"?',
    ],
    [
      "tokens that live too long",
      `${head}plans: { a: { tokens: { ttl: 2d } } }\n`,
      "tenants.yaml:3:25: plans.a.tokens.ttl: must be from 60s to 24h.",
    ],
    [
      "two ends",
      `${head}plans: { a: { expiresIn: 7d, expiresAt: 2030-01-01T00:00:00Z } }\n`,
      "tenants.yaml:3:15: plans.a.expiresIn: `expiresAt` is given too; give one of them.",
    ],
    [
      "a rule without places",
      `${head}residency: { eu: {} }\n`,
      "tenants.yaml:3:14: residency.eu: must have groups, or locations.",
    ],
    [
      "a rule with an unknown group",
      `${head}groups: { eu-1: }\nresidency: { eu: { groups: [eu1] } }\n`,
      'tenants.yaml:4:29: residency.eu.groups[0]: there is no group "eu1"; did you mean "eu-1"?',
    ],
    [
      "a rule with a location where nothing is",
      `${head}groups: { eu: }\nresidency: { eu: { locations: [aws-eu-west-1] } }\n`,
      'tenants.yaml:4:32: residency.eu.locations[0]: none of `groups` has the location "aws-eu-west-1".',
    ],
    [
      "a canary that is nobody",
      `${head}rollout: { canary: [acme] }\n`,
      'tenants.yaml:3:21: rollout.canary[0]: there is no tenant "acme"; none is declared.',
    ],
    [
      "a wave that is none",
      `${head}rollout: { waves: [2] }\n`,
      "tenants.yaml:3:20: rollout.waves[0]: must be a share of the fleet such as 0.1, or labels.",
    ],
    [
      "waves that do not grow",
      `${head}rollout: { waves: [0.5, 0.1] }\n`,
      "tenants.yaml:3:25: rollout.waves[1]: 0.1 is no share of the fleet that goes on from 0.5. Shares grow up to 1, the whole fleet: [0.1, 0.5, 1].",
    ],
    ["broken YAML", "version: 1\ntenants: { acme: }}\n", "tenants.yaml:2:19: a bracket is closed that was not opened."],
    ["a tag", "version: !!int 1\n", "tenants.yaml:1:10: a tag such as !text has no meaning here; leave it out."],
    [
      "two documents",
      "version: 1\n---\nversion: 1\n---\na: 1\n",
      "tenants.yaml:4:1: it holds several documents; write one a file.",
    ],
    [
      "an alias of nothing",
      "version: 1\ntenants: { acme: *big }\n",
      'tenants.yaml:2:18: tenants.acme: there is no anchor "&big" before this.',
    ],
    [
      "a map that is to be merged",
      "version: 1\ndefaults: { group: eu }\ntenants: { acme: &big {}, bolt: { <<: *big } }\n",
      'tenants.yaml:3:35: tenants.bolt."<<": maps are not merged here; put what tenants have in common into a plan.',
    ],
    [
      "a key that is a map",
      "version: 1\ntenants: { {a: b}: }\n",
      "tenants.yaml:2:12: tenants: it has a key that is no text.",
    ],
    [
      "a prototype",
      "version: 1\ntenants: { __proto__: {} }\n",
      "tenants.yaml:2:12: tenants: it has a key that is no text.",
    ],
    [
      "a path that is no CSV file",
      "version: 1\ntenants: tenants.txt\n",
      'tenants.yaml:2:1: tenants: "tenants.txt" is no CSV file; write the path of one, or a map of ids.',
    ],
    ["tenants that are a number", "version: 1\ntenants: 5\n", "tenants.yaml:2:1: tenants: must be a map."],
    [
      "an entry that is a number",
      "version: 1\ntenants: [1001]\n",
      "tenants.yaml:2:11: tenants[0].id: must be text, not a number; put it in quotes.",
    ],
    [
      "a tenant that is text",
      "version: 1\ntenants: { acme: pro }\n",
      "tenants.yaml:2:12: tenants.acme: must be a map, not text.",
    ],
  ];
  for (const [what, text, problem] of cases) {
    it(what, () => assert.deepEqual(problemsOf(text), [problem]));
  }

  it("twice in two files: both are named", () => {
    const texts = {
      "fleet/a.yaml": "version: 1\nnamePattern: a-{id}\nplans: { pro: }\ntenants:\n  acme: { group: eu }\n",
      "fleet/b.yaml": "version: 1\nnamePattern: b-{id}\nplans: { pro: }\ntenants:\n  - { id: acme, group: eu }\n",
      "fleet/c.csv": "id,group\nbolt,eu\nacme,eu\nbolt,eu\n",
    };
    assert.deepEqual(problemsOf(texts, "fleet"), [
      "fleet/b.yaml:2:1: namePattern: it is given twice; first in fleet/a.yaml:2:1.",
      "fleet/b.yaml:3:10: plans.pro: it is given twice; first in fleet/a.yaml:3:10.",
      "fleet/b.yaml:5:5: tenants.acme: it is given twice; first in fleet/a.yaml:5:3.",
      "fleet/c.csv:3:1: tenants.acme: it is given twice; first in fleet/a.yaml:5:3.",
      "fleet/c.csv:4:1: tenants.bolt: it is given twice; first in fleet/c.csv:2:1.",
    ]);
  });

  it("rows of a CSV file", () => {
    const csv = (text: string) => problemsOf({ "tenants.yaml": "version: 1\ntenants: t.csv\n", "t.csv": text });
    assert.deepEqual(csv(""), ["t.csv: it is empty; its first row names the columns, `id` among them."]);
    assert.deepEqual(csv("id,group\n"), [
      "t.csv: it has no rows. Where no tenants are meant, write `tenants: {}` in the manifest.",
    ]);
    assert.deepEqual(csv("id,grup, id,plan\nacme,eu\n"), [
      't.csv:1:4: there is no column "grup"; did you mean "group"?',
      't.csv:1:10: the column "id" is there twice.',
    ]);
    assert.deepEqual(csv("name\nacme\n"), ["t.csv:1:1: there is no column `id`."]);
    assert.deepEqual(csv('id,group\näcme,"eu\nbolt,eu\n'), ["t.csv:2:6: a quote is opened and not closed."]);
    assert.deepEqual(csv('id,group\nacme,e"u"\n'), [
      "t.csv:2:6: a quote stands in the middle of a cell; put the whole cell in quotes, and double those in it.",
    ]);
    for (const end of ["\n", "\r\n"]) {
      const rows = ["id,group", '"multi', 'line",eu', "", "acme,eu,x", "bolt,eu", ",eu", ""];
      assert.deepEqual(csv(rows.join(end)), [
        't.csv:2:1: tenants."multi\\' +
          (end === "\n" ? "" : "r\\") +
          'nline".id: must have 1 to 200 characters, none of them a control character.',
        "t.csv:5:9: it has 3 cells, and there are 2 columns.",
        "t.csv:7:1: id: is missing.",
      ]);
    }
    const head = "id,group,blockWrites,deletionPolicy,label:ring,geo\n";
    assert.deepEqual(csv(`${head}acme,eu,TRUE,retain,,\n  bolt, "eu" ,yes,keep,${"x".repeat(64)},eruope\n`), [
      "t.csv:3:15: tenants.bolt.blockWrites: must be true or false, not text.",
      't.csv:3:19: tenants.bolt.deletionPolicy: must be one of "delete", "retain", "soft".',
      "t.csv:3:24: tenants.bolt.labels.ring: must have at most 63 characters.",
      't.csv:3:89: tenants.bolt.geo: there is no residency rule "eruope"; none is declared.',
    ]);
  });

  it("what cannot be read", () => {
    const refusal = (texts: Record<string, string>, at: string) => {
      try {
        from(texts, at);
      } catch (error) {
        assert.ok(hasCode(error, "invalid-input"));
        return error.message;
      }
      return assert.fail("nothing is wrong");
    };
    assert.match(refusal({}, "tenants.yaml"), /^tenants\.yaml: there is no such file or folder\. Give the path/);
    assert.match(refusal({ "t.csv": "id\n" }, "t.csv"), /rows alone are no manifest\. .*`tenants: t\.csv`/);
    assert.match(refusal({ "fleet/a.txt": "" }, "fleet"), /^fleet: there are no \.yaml, \.json or \.csv files in it/);
    assert.match(
      refusal({ "tenants.yaml": "version: 1\ntenants: none.csv\n" }, "tenants.yaml"),
      /tenants\.yaml:2:1: tenants: there is no file none\.csv/,
    );
  });

  it("text in another encoding", () => {
    const files = { ...filesOf({ "tenants.yaml": "" }), read: () => new Uint8Array([0xff, 0xfe, 0x41, 0x00]) };
    assert.throws(() => loadManifest("tenants.yaml", { files }), /tenants\.yaml: it is not UTF-8 text\./);
  });
});
