import { TenantryError } from "../../provider/platform/errors";
import type { TokenFor } from "../../provider/platform/bearer";
import type { Client } from "../../provider/platform/libsql-client";
import { type PreviewTenant, type PreviewValue, decodePreview } from "../../provider/preview/value";
import { ClientCache } from "./client-cache";
import { createForEachTenant } from "./for-each-tenant";
import { subjectName } from "./subject";
import type { Sources } from "./tenant-access";
import { openTenantClient } from "./tenant-client";
import type { ListedTenant } from "./tenant-list";
import type { CacheSettings, Tenantry } from "./tenantry";

/**
 * The run-time library in a pull request's preview: it opens the branches that the value names, and nothing else. It
 * knows no platform, so that it could not open a source if it wanted to.
 *
 * Fails with "invalid-input" for what `tenantry preview up` did not write; nothing set and nothing in it are not the same.
 */
export function previewOn(
  text: string,
  { tenants: known = {}, cache = {} }: Pick<Sources, "tenants"> & { readonly cache?: CacheSettings },
): Tenantry {
  const preview = decodePreview(text);
  const idle = cache.idle === undefined ? undefined : cache.idle * 1000;
  const clients = new ClientCache<Client>({ capacity: cache.clients, idle });
  const has = (tenant: string): boolean => Object.hasOwn(preview.tenants, tenant);

  /** By its own id; a branch that was made by the database's name is found by what the application knows that by. */
  const keyOf = (tenant: string): string => {
    const name = Object.hasOwn(known, tenant) ? known[tenant]?.name : undefined;
    if (has(tenant) || name === undefined || Object.hasOwn(known, name)) return tenant;
    return name;
  };

  const open = async (key: string, asked: string, signal?: AbortSignal): Promise<Client> => {
    if (!has(key)) throw outside(preview, asked);
    const branch = preview.tenants[key]!;
    const token = tokenOf(preview, asked, branch);
    await token();
    // The token was made for what it may do; what the application would ask of a platform does not count here.
    return openTenantClient(undefined, {
      ...{ id: asked, name: key, url: branch.url, token, access: "full-access", signal },
    });
  };

  return {
    connect(tenant) {
      if (typeof tenant === "string") {
        const key = keyOf(tenant);
        return clients.get(tenant, () => open(key, tenant));
      }
      const { subject } = tenant;
      return clients.get(`\0${subject}`, async () => open(await subjectName(subject), subject));
    },
    forEachTenant: createForEachTenant({
      list: ({ group }) => listed(preview, known, group),
      open: (tenant, _access, signal) => open(tenant.id, tenant.id, signal),
    }),
    connectionString: async () => refused(preview, "connectionString"),
    provision: async () => refused(preview, "provision"),
    deprovision: async () => refused(preview, "deprovision"),
    usage: async () => refused(preview, "usage"),
    close: () => clients.clear(),
  };
}

/** It is never renewed: only `tenantry preview up` can mint another. */
function tokenOf(preview: PreviewValue, tenant: string, { token, expiresAt }: PreviewTenant): TokenFor {
  return async (refused = false) => {
    if (Date.parse(expiresAt) <= Date.now()) {
      throw new TenantryError("expired", `${tenant}: the token of its preview branch ended at ${expiresAt}.`, {
        fix: again(preview),
      });
    }
    if (!refused) return token;
    throw new TenantryError("credentials-rejected", `${tenant}: its preview branch refuses the token (401).`, {
      fix: `It was deleted or made anew. ${again(preview)}`,
    });
  };
}

async function* listed(
  { tenants }: PreviewValue,
  known: NonNullable<Sources["tenants"]>,
  asked: string | undefined,
): AsyncGenerator<ListedTenant> {
  for (const id of Object.keys(tenants).sort()) {
    const { name = id, group, labels = {} } = (Object.hasOwn(known, id) ? known[id] : undefined) ?? {};
    if (asked !== undefined && group === undefined) {
      throw new TenantryError("invalid-input", `where.group: a preview does not know which group ${id} is in.`, {
        fix: "Name the tenants, or give their groups in a manifest or in `tenants`.",
      });
    }
    yield { id, name, group, labels };
  }
}

const of = ({ pullRequest, repository }: PreviewValue): string => `pull request ${pullRequest} of ${repository}`;

const again = (preview: PreviewValue): string =>
  `Run \`tenantry preview up\` for ${of(preview)} again, and start with the TENANTRY_PREVIEW that it gives.`;

/** So many are named. */
const some = 10;

function outside(preview: PreviewValue, tenant: string): TenantryError {
  const names = Object.keys(preview.tenants).sort();
  const more = names.length > some ? ` and ${names.length - some} more` : "";
  const there = names.length === 0 ? "none" : names.slice(0, some).join(", ") + more;
  return new TenantryError(
    "wrong-scope",
    `${tenant}: the preview of ${of(preview)} has no branch of this tenant; there is ${there}.`,
    { fix: "Name it in `tenantry preview up`. Its own database is not opened while TENANTRY_PREVIEW is set." },
  );
}

function refused(preview: PreviewValue, what: string): never {
  throw new TenantryError("wrong-scope", `${what}: this is the preview of ${of(preview)}, which knows branches only.`, {
    fix: "Without TENANTRY_PREVIEW the application works on the platform.",
  });
}
