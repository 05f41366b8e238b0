/** A Pulumi program in JavaScript: compiling TypeScript takes every side the same time and would hide differences. */
export interface Program {
  /** The last part of its resources' type. */
  readonly kind: string;
  /** One resource holds them all. */
  readonly isOne?: true;
  /** Files of the project. The platform's address is in BENCH_URL; undefined there: no call is made. */
  files(size: number): Record<string, string>;
}

const forEach = (size: number, make: string): string => `for (let i = 1; i <= ${size}; i++) { ${make} }\n`;

/** Tenantry, as a user writes it. */
export const TENANTS: Program = {
  kind: "TenantDatabase",
  files: (size) => ({
    "index.js":
      `const { TenantDatabase } = require("tenantry");\n` +
      forEach(size, `new TenantDatabase("tenant-" + i, { group: "bench" });`),
  }),
};

const fleetOf = (size: number, schema: string): string =>
  `const { SchemaTemplate, TenantFleet } = require("tenantry");\n` +
  `const tenants = Array.from({ length: ${size} }, (_, i) => "customer-" + i);\n` +
  `new TenantFleet("bench", { group: "bench", namePattern: "tenant-{id}", tenants${schema} });\n`;

/** The same as one resource. */
export const FLEET: Program = {
  kind: "TenantFleet",
  isOne: true,
  files: (size) => ({ "index.js": fleetOf(size, "") }),
};

export const FLEET_WITH_SCHEMA: Program = {
  ...FLEET,
  files: (size) => ({
    "index.js": fleetOf(size, `, schema: new SchemaTemplate("app", { migrations: "./migrations" })`),
    "migrations/0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);\n",
  }),
};

/** What every `pulumi up` takes. */
export const NOTHING: Program = { kind: "nothing", files: () => ({ "index.js": `require("@pulumi/pulumi");\n` }) };

/**
 * The least that a dynamic resource can do: its stored text only names an installed module, as ours does, and the
 * module returns the inputs, after one call where there is a platform to call.
 */
export const THIN: Program = {
  kind: "Thin",
  files: (size) => ({
    "index.js":
      `const pulumi = require("@pulumi/pulumi");\n` +
      `const __provider = 'exports.handler=()=>require(require.resolve("thin/runtime",{paths:["."]})).thin';\n` +
      forEach(
        size,
        `const inputs = { name: "tenant-" + i, group: "bench", __provider };
         new pulumi.CustomResource("pulumi-nodejs:dynamic/thin:Thin", "tenant-" + i, inputs);`,
      ),
    "node_modules/thin/package.json": JSON.stringify({ name: "thin", version: "1.0.0" }),
    "node_modules/thin/runtime.js": `
const http = require("node:http");
const agent = new http.Agent({ keepAlive: true });
const call = (body) => new Promise((resolve, reject) => {
  const url = process.env.BENCH_URL + "/v1/organizations/bench/databases";
  const asked = http.request(url, { method: "POST", agent }, (answer) => answer.resume().on("end", resolve));
  asked.on("error", reject).end(JSON.stringify(body));
});
exports.thin = {
  async create({ __provider, ...inputs }) {
    if (process.env.BENCH_CALLS === "1") await call(inputs);
    return { id: inputs.name, outs: inputs };
  },
};
`,
  }),
};

/** As Pulumi's own documentation writes a dynamic provider: a class, an object of it for each resource. */
export const CLASSES: Program = {
  kind: "Resource",
  files: (size) => ({
    "index.js": `
const pulumi = require("@pulumi/pulumi");
class DatabaseProvider {
  constructor(url, organization) { this.url = url; this.organization = organization; }
  async create(inputs) {
    const answer = await fetch(this.url + "/v1/organizations/" + this.organization + "/databases", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: inputs.name, group: inputs.group }),
    });
    const { database } = await answer.json();
    return { id: database.DbId, outs: { ...inputs, hostname: database.Hostname } };
  }
  async delete(id, props) {
    await fetch(this.url + "/v1/organizations/" + this.organization + "/databases/" + props.name, { method: "DELETE" });
  }
}
class Database extends pulumi.dynamic.Resource {
  constructor(name, args) {
    super(new DatabaseProvider(process.env.BENCH_URL, "bench"), name, { ...args, hostname: undefined });
  }
}
${forEach(size, `new Database("tenant-" + i, { name: "tenant-" + i, group: "bench" });`)}`,
  }),
};
