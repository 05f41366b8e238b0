import type { Context } from "../../provider/context";
import { readClaims } from "../../provider/local/jwt";
import { previewBranch } from "../../provider/resources/preview-branch";
import type { PreviewBranchOutputs } from "../../provider/resources/preview-branch/outputs";

/** What a PreviewBranch is that says no more than it has to. `make`: a tenant's database. */
export function previewDefaults(
  context: Context,
  make: (name: string) => Promise<unknown>,
  self: (name: string) => string,
): Record<string, () => Promise<unknown>> {
  let made: Promise<PreviewBranchOutputs> | undefined;
  const preview = (): Promise<PreviewBranchOutputs> =>
    (made ??= (async () => {
      await make("branched");
      const from = [{ tenant: "branched", database: "branched" }];
      const inputs = { self: self("preview"), from, data: "copy" as const };
      return (await previewBranch.create({ inputs, context })).outputs;
    })());
  return {
    "PreviewBranch.schema": async () => (await preview()).branches["branched"]!.schemaVersion ?? "none",
    "PreviewBranch.expiresIn": async () => (await preview()).expiresAt ?? "never",
    "PreviewBranch.access": async () => {
      const claims = readClaims((await preview()).tokens["branched"]!);
      return claims?.a === "rw" ? "full-access" : JSON.stringify(claims);
    },
  };
}
