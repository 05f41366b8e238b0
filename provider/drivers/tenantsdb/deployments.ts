import type { HttpAnswer } from "../../http/answer";
import type { Clock } from "../../http/clock";
import type { DeploymentRecord, Deployments } from "../../platform/deployments";
import { SqlError, TenantryError, hasCode } from "../../platform/errors";
import type { Api } from "./api";
import { postgresSql } from "./postgres-sql";
import { at as tenantAt } from "./tenants";
import { type WireDeployment, allDeployments, oneBlueprint, oneDeployment, read } from "./wire";
import { type Workspaces, ensureControl } from "./workspaces";

export interface DeploymentOptions {
  readonly api: Api;
  readonly workspaces: Workspaces;
  readonly clock: Clock;
}

/** Where it stands which statements of which template its workspace has had. */
const recordsName = "tenantry-schemas";
/** In ms; a deployment goes over every tenant. */
const patience = 60 * 60_000;
const under = new Set(["pending", "queued", "in_progress", "running", "deploying"]);

/** TenantsDB docs: workspaces, blueprints, deployments. */
export function createDeployments({ api, workspaces, clock }: DeploymentOptions): Deployments {
  const list = async (): Promise<WireDeployment[]> => {
    const doing = { doing: "list deployments", kind: "look" } as const;
    return read(allDeployments, await api.call(doing, { method: "GET", path: "/deployments" }));
  };

  const look = async (id: string): Promise<WireDeployment> => {
    const doing = { doing: `look up deployment "${id}"`, kind: "look" } as const;
    return read(
      oneDeployment,
      await api.call(doing, { method: "GET", path: `/deployments/${encodeURIComponent(id)}` }),
    );
  };

  /** The docs do not show what a create answers, so that the list may have to tell which one it made. */
  const begin = async (name: string): Promise<string> => {
    const isOfBlueprint = ({ blueprint }: WireDeployment): boolean => blueprint === undefined || blueprint === name;
    const before = new Set((await list()).map(({ id }) => id));
    const doing = { doing: `deploy blueprint "${name}"`, kind: "change" } as const;
    const body = { blueprint_name: name, deploy_all: true };
    let failure: unknown;
    try {
      const answer = await api.call(doing, { method: "POST", path: "/deployments", body });
      const id = idIn(answer);
      if (id !== undefined) return id;
    } catch (error) {
      if (!(error instanceof TenantryError && (error.afterLostReply || hasCode(error, "not-ready")))) throw error;
      failure = error;
    }
    const made = (await list()).find((one) => isOfBlueprint(one) && one.id !== undefined && !before.has(one.id));
    if (made?.id !== undefined) return made.id;
    throw (
      failure ??
      new TenantryError("bad-answer", `Deployed blueprint "${name}", and the list of deployments does not show it.`, {
        fix: "Look at its deployments in TenantsDB, then run `pulumi up` again.",
      })
    );
  };

  return {
    async findSource(name) {
      const workspace = await workspaces.find(name);
      if (!workspace) return undefined;
      if (workspace.mode === "control" || (workspace.engine ?? "postgresql") !== "postgresql") {
        throw new TenantryError(
          "already-exists",
          `There is a workspace "${name}", which is no PostgreSQL one for tenants.`,
          { fix: "Give the SchemaTemplate another name." },
        );
      }
      const doing = { doing: `look up blueprint "${name}"`, kind: "look" } as const;
      const answer = await api.find(doing, { method: "GET", path: `/blueprints/${encodeURIComponent(name)}` });
      const blueprint = answer && read(oneBlueprint, answer);
      return { version: blueprint?.version, statements: blueprint?.schema ?? [] };
    },

    createSource: async (name) => void (await workspaces.create(name, "tenant")),

    async apply(name, statement) {
      try {
        await workspaces.queries(name)(statement, false);
      } catch (error) {
        // The docs do not say with which status a statement is refused; what refuses it answers in the platform's words.
        const isWord = error instanceof TenantryError && error.platformText !== undefined && !error.afterLostReply;
        const isRefused = isWord && hasCode(error, "invalid-input", "already-exists", "not-ready");
        throw isRefused ? new SqlError(error.platformText!, "REFUSED", undefined) : error;
      }
    },

    async records() {
      await ensureControl(workspaces, recordsName);
      return postgresSql(workspaces.queries(recordsName), `workspace "${recordsName}"`, clock);
    },

    async deploy(name, { deadline = patience, onProgress } = {}) {
      const id = await begin(name);
      const until = clock.now() + deadline;
      for (let pause = 250; ; pause = Math.min(pause * 1.5, 5_000)) {
        const { status = "", completed = 0, failed = 0, total, results } = await look(id);
        onProgress?.(completed, total);
        if (!under.has(status)) {
          const notDone = results.filter(
            (one) => !/^(?:completed|success|succeeded|ok|ready)$/i.test(one.status ?? "completed"),
          );
          const isKnown = status === "completed" || failed > 0 || notDone.length > 0;
          if (!isKnown) throw undocumented(name, id, status);
          const names = notDone.map((one) => ({ tenant: one.tenant_id, error: one.error ?? undefined }));
          return { id, total, failed: names, failures: Math.max(failed, names.length) };
        }
        if (clock.now() + pause > until || clock.cancelled.aborted) throw stuck(name, id, status, deadline);
        await clock.sleep(pause);
      }
    },

    all: async () => (await list()).map(recordOf).sort(newestFirst),

    async ofTenant(tenant, limit = 50) {
      const doing = { doing: `list the deployments to tenant "${tenant}"`, kind: "look" } as const;
      const query = { limit: String(limit) };
      const answer = await api.call(doing, { method: "GET", path: `${tenantAt(tenant)}/deployments`, query });
      return read(allDeployments, answer).map(recordOf).sort(newestFirst);
    },
  };
}

function recordOf({ id = "", blueprint, version, status, createdAt, ...counts }: WireDeployment): DeploymentRecord {
  const { total, completed, failed } = counts;
  return { id, blueprint, version, status, at: createdAt, total, completed, failed };
}

/** The docs do not say in which order they come; those without a moment stay where they are. */
const newestFirst = (a: DeploymentRecord, b: DeploymentRecord): number => (b.at ?? "").localeCompare(a.at ?? "");

function idIn(answer: HttpAnswer): string | undefined {
  const found = oneDeployment.safeParse(answer.body);
  return found.success ? found.data.id : undefined;
}

const undocumented = (name: string, id: string, status: string): TenantryError =>
  new TenantryError(
    "bad-answer",
    `Deployment "${id}" of blueprint "${name}" ended as "${status}", which TenantsDB does not document.`,
    { fix: "Look at it in TenantsDB; then run `pulumi up` again, which deploys what is left." },
  );

const stuck = (name: string, id: string, status: string, deadline: number): TenantryError =>
  new TenantryError(
    "not-ready",
    `Deployment "${id}" of blueprint "${name}" is still ${status} after ${Math.round(deadline / 1000)} s.`,
    { fix: "It goes on there; when it has ended, run `pulumi up` again." },
  );
