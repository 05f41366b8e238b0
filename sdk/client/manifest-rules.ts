import { parseDuration } from "../../provider/duration";
import type { DatabaseConfiguration } from "../../provider/platform/platform";
import type { Rules, Settings } from "../manifest/definition";
import { placement } from "../manifest/placement";
import type { Ground } from "./ground";

/** Where the manifest's rules put a tenant, and what its plan gives it. Fails where a rule is violated. */
export function placeBy(rules: Rules): NonNullable<Ground["place"]> {
  return (request, otherwise) => {
    // The group of createTenantry counts where nothing else names one, as that of the defaults does.
    const { defaults } = rules;
    const filled = { ...rules, defaults: { ...defaults, group: defaults.group ?? otherwise } };
    const { group, settings } = placement(filled, withoutUndefined(request));
    const { schema, tokens } = settings;
    const given = { group, template: schema, access: tokens?.access, tokenTtl: tokens?.ttl };
    return { ...given, end: endOf(settings), configuration: configurationOf(settings) };
  };
}

/** As for a tenant that is deployed: one that is retained is not deleted, one that is deleted softly some time later. */
function endOf({ deletionPolicy, gracePeriod = "7d", expiresIn = "never", expiresAt }: Settings): number | undefined {
  if (deletionPolicy === "retain") return undefined;
  const seconds = parseDuration(expiresIn, "expiresIn");
  const end = expiresAt === undefined ? seconds && Date.now() + seconds * 1000 : Date.parse(expiresAt);
  const grace = deletionPolicy === "soft" ? parseDuration(gracePeriod, "gracePeriod")! : 0;
  return end && end + grace * 1000;
}

function configurationOf(settings: Omit<Settings, "group">): DatabaseConfiguration {
  const { suspended, blockReads = suspended, blockWrites = suspended } = settings;
  const { deleteProtection, allowedIps, sizeLimit } = settings;
  return withoutUndefined({ blockReads, blockWrites, deleteProtection, allowedIps, sizeLimit });
}

const withoutUndefined = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Value;
