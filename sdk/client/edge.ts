/**
 * The run-time library where there is no Node.js: no file is read, nothing native is loaded, and calls go over the
 * runtime's own `fetch`.
 */
import { TenantryError } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import { selectRemotePlatform } from "../../provider/platform/select-remote";
import { type OwnName, registryNameOf, templateNameOf } from "../../provider/registry/own-names";
import { parseTemplateRef } from "../../provider/rollout/template-ref";
import type { Template } from "./ground";
import { type ConnectionOptions, optionNames, refuseUnknownOptions, settingsFrom } from "./options";
import type { Rules } from "../manifest/definition";
import { placeBy } from "./manifest-rules";
import { previewOn } from "./preview";
import type { Sources } from "./tenant-access";
import { type CacheSettings, type Defaults, type Tenantry, tenantryOn } from "./tenantry";

export type { ConnectionStringOptions } from "./connection-string";
export type { CacheSettings, Client, Defaults, Tenant, Tenantry } from "./tenantry";
export type { ForEachOptions, TenantInfo, TenantResult, Where } from "./for-each-tenant";
export type { Sources } from "./tenant-access";
export type { KnownTenant } from "./tenant-list";
export type { TenantUsage, Usage } from "./usage";
export type { DeprovisionOptions, Deprovisioned } from "./deprovision";
export type { ProvisionOptions, Provisioned } from "./provision";
export type { TenantToken } from "./token-keeper";
export { subjectName } from "./subject";
export { TenantryError } from "../../provider/platform/errors";

export interface TenantryOptions extends ConnectionOptions, Sources, Defaults {
  /** Outputs `ref` of SchemaTemplates, by the names that `provision` and plans call them. */
  readonly templates?: Readonly<Record<string, string>>;
  /** A manifest's defaults, groups, residency and plans, as plain data: where new tenants may be put. */
  readonly rules?: Rules;
  readonly cache?: CacheSettings;
}

/**
 * As in Node.js, but all is given: no environment is read, and a template is a SchemaTemplate's `ref`, whose template
 * database a deploy (or Node.js) has made before.
 */
export function createTenantry(options: TenantryOptions): Tenantry {
  refuseUnknownOptions(options, [...optionNames, "templates", "rules"]);
  const { platform, organization, token, apiUrl, databaseUrl, signingKey, ...others } = options;
  const { preview, templates = {}, rules, ...rest } = others;
  if (preview !== undefined) return previewOn(preview, rest);
  const given = { platform, organization, token, apiUrl, databaseUrl, signingKey };
  let selected: Platform | undefined;
  const select = (): Platform => (selected ??= selectRemotePlatform(settingsFrom(given, {})));
  if (!rest.tokenFor) select();
  const ground = {
    platform: select,
    registryName: (group: string) => hashed(registryNameOf(group)),
    templateName: (group: string, name: string, digest: string) => hashed(templateNameOf(group, name, digest)),
    template: (text: string) => template(Object.hasOwn(templates, text) ? templates[text]! : text),
    place: rules && placeBy(rules),
  };
  return tenantryOn(ground, rest);
}

async function hashed({ text, name }: OwnName): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return name(hex.slice(0, 12));
}

function template(text: string): Template {
  const ref = parseTemplateRef(text);
  if (!ref) {
    throw new TenantryError("invalid-input", `template: "${text}" is not a SchemaTemplate's ref.`, {
      fix: "Pass the output `ref` as it is: migrations cannot be read here.",
    });
  }
  const { name, version, digest, start } = ref;
  return { name, version, digest, copied: start === "copy" };
}
