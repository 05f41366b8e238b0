import type { Rules } from "../manifest/definition";
import { placement } from "../manifest/placement";
import type { Ground } from "./ground";

/** Where the manifest's rules put a tenant, and what its plan gives it. Fails where a rule is violated. */
export function placeBy(rules: Rules): NonNullable<Ground["place"]> {
  return (request, otherwise) => {
    // The group of createTenantry counts where nothing else names one, as that of the defaults does.
    const { defaults } = rules;
    const filled = { ...rules, defaults: { ...defaults, group: defaults.group ?? otherwise } };
    const { group, settings } = placement(filled, withoutUndefined(request));
    const { schema, tokens, expiresIn } = settings;
    return { group, template: schema, access: tokens?.access, tokenTtl: tokens?.ttl, ttl: expiresIn };
  };
}

const withoutUndefined = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Value;
