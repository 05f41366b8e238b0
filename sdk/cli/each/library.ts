import { registryName, templateName } from "../../../provider/registry/reserved-names";
import { TenantryError } from "../../../provider/platform/errors";
import { readManifest } from "../../client/manifest-file";
import { type Tenantry, tenantryOn } from "../../client/tenantry";
import type { Ground } from "../schema/ground";

/** The run-time library on the platform that the command line was told, as an application would have it. */
export function libraryOn({ context, group }: Pick<Ground, "context" | "group">, manifest?: string): Tenantry {
  const template = (): never => {
    throw new TenantryError("unsupported", "The command line makes no tenants.");
  };
  const tenants = manifest === undefined ? undefined : readManifest(manifest, group).tenants;
  return tenantryOn({ platform: () => context.platform, registryName, templateName, template }, { tenants });
}
