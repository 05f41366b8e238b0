/**
 * The address of a pull request's branch: `preview/<repository>/<number>/<tenant>`, each part percent-encoded, so that it
 * can be read back. Its first three parts are the "stack" whose runs are numbered: one pull request. No project of Pulumi's
 * has a "%" in its name, and every repository's slash is one here, so the claim is in nobody's state.
 */
export const previewPrefix = "preview/";

export interface PreviewPlace {
  /** "owner/name" */
  readonly repository: string;
  readonly pullRequest: number;
  readonly tenant: string;
  /** It is no branch, but the copy that one is being made from. */
  readonly isSnapshot: boolean;
}

export const previewStack = ({ repository, pullRequest }: Pick<PreviewPlace, "repository" | "pullRequest">): string =>
  `${previewPrefix}${encodeURIComponent(repository)}/${pullRequest}`;

export const previewAddress = (place: PreviewPlace): string =>
  `${previewStack(place)}/${encodeURIComponent(place.tenant)}${place.isSnapshot ? "/snapshot" : ""}`;

const shape = /^preview\/([^/]+%2F[^/]+)\/([1-9]\d*)\/([^/]+)(\/snapshot)?$/;

/** Undefined for any other address. */
export function previewPlace(address: string): PreviewPlace | undefined {
  const [, repository, number, tenant, snapshot] = shape.exec(address) ?? [];
  if (repository === undefined) return undefined;
  try {
    return {
      repository: decodeURIComponent(repository),
      pullRequest: Number(number),
      tenant: decodeURIComponent(tenant!),
      isSnapshot: snapshot !== undefined,
    };
  } catch {
    return undefined;
  }
}

export const isPreviewAddress = (address: string): boolean => previewPlace(address) !== undefined;
