import type { LineCall } from "./faulty-line";

/** One of the three runs in a stack's life: it is made, it is changed, it is destroyed. */
export type Phase = "create" | "update" | "destroy";
export const phases: readonly Phase[] = ["create", "update", "destroy"];

/** What is declared, and so what must be there in the end. */
export interface Declared {
  readonly tenants: readonly string[];
  readonly migrations: Readonly<Record<string, string>>;
}

const early = {
  "0001_init": "CREATE TABLE notes (body TEXT);\n",
  "0002_authors": "ALTER TABLE notes ADD COLUMN author TEXT;\n",
};
const atFirst: Declared = { tenants: ["t1", "t2", "t3", "t4", "t5", "t6"], migrations: early };
const changed: Declared = {
  tenants: ["t1", "t2", "t3", "t4", "t7", "t8"],
  // Applied twice, it would leave two rows.
  migrations: { ...early, "0003_welcome": "INSERT INTO notes (body) VALUES ('welcome');\n" },
};

/** The `pulumi` command of each phase, what stands before it, and what is declared while it runs and afterwards. */
export const scene: Readonly<
  Record<Phase, { command: "up" | "destroy"; before: Declared | undefined; declared: Declared }>
> = {
  create: { command: "up", before: undefined, declared: atFirst },
  update: { command: "up", before: atFirst, declared: changed },
  destroy: { command: "destroy", before: atFirst, declared: atFirst },
};

/** The program and its migrations, as files of a project. */
export function filesOf({ tenants, migrations }: Declared): Record<string, string> {
  const program = `
const { DatabaseToken, Group, SchemaTemplate, TenantDatabase } = require("tenantry");
const group = new Group("eu", { location: "local" });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const tenants = ${JSON.stringify(tenants)}.map((name) => new TenantDatabase(name, { group, schema }));
new DatabaseToken("reader", { database: tenants[0] });
`;
  const texts = Object.entries(migrations).map(([id, sql]) => [`migrations/${id}.sql`, sql]);
  // Without one, the engine has a warning of its own at each run.
  return { "package.json": '{ "main": "index.js" }', "index.js": program, ...Object.fromEntries(texts) };
}

/** Resources of the program, without the stack's own: group, template, tenants, token. */
export const resourceCount = ({ tenants }: Declared): number => tenants.length + 3;

/**
 * What a request does, without names of tenants and numbers. A tenant's statements are one step; on the registry each
 * is one (beside a write, reads are none), since which of them travel together is a matter of milliseconds.
 */
export function stepsOf({ method, path, body }: LineCall): string[] {
  const [, database] = /^\/db\/([^/]+)\//.exec(path) ?? [];
  if (database) {
    const [on, statements] = [`SQL on ${kindOf(database)}`, statementsOf(body)];
    if (kindOf(database) !== "registry") return [`${on}: ${statements.join("; ")}`];
    const steps = statements.filter((one) => !isLayout(one));
    const writes = steps.filter((one) => !one.startsWith("SELECT"));
    return (writes.length > 0 ? writes : steps).map((one) => `${on}: ${one}`);
  }
  const within = path.replace(/^\/v1\/organizations\/local/, "").replace(/\?.*$/, "");
  const general = within.replace(/\/databases\/([^/]+)/, (_, name: string) => `/databases/{${kindOf(name)}}`);
  const made =
    method === "POST" && within === "/databases" ? ` ${kindOf((JSON.parse(body) as { name: string }).name)}` : "";
  return [`${method} ${general}${made}`];
}

/** The registry's tables, which are made, or looked for, by whoever asks for the registry first. */
const isLayout = (statement: string): boolean => /^(CREATE|INSERT INTO meta|SELECT 1 FROM)/.test(statement);

function kindOf(database: string): string {
  if (database.startsWith("tenantry-registry-")) return "registry";
  return database.startsWith("tenantry-template-") ? "template" : "tenant";
}

/** The beginnings of the statements in a pipeline, each once. */
function statementsOf(body: string): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "sql" && typeof inner === "string")
        found.add(
          inner
            .trim()
            .split(/[\s(]+/)
            .slice(0, 3)
            .join(" "),
        );
      else visit(inner);
    }
  };
  visit(body === "" ? undefined : JSON.parse(body));
  return [...found].filter((beginning) => !/^(BEGIN|COMMIT|ROLLBACK)\b/.test(beginning));
}
