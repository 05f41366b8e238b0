/** What the platform tells about the credential in use and the plan behind it. What it does not tell is `undefined`. */
export interface Account {
  /** When the API token stops working. */
  readonly tokenExpiry: Date | "never" | undefined;
  readonly grant: TokenGrant | undefined;
  /** The plan's name. */
  readonly plan: string | undefined;
  /** One entry each for databases and groups. */
  readonly quotas: readonly Quota[];
}

/** What the API token may do. */
export interface TokenGrant {
  /** The token's own name, where it has one. */
  readonly name: string | undefined;
  /** The platform's own words for single rights; "unrestricted": all that the token's owner may do. */
  readonly scopes: "unrestricted" | readonly string[];
  /** Rights that a deploy may need and this token lacks, in the platform's words or ours. */
  readonly missing: readonly string[];
  /** Which deploys it is enough for: all, those that create no group, or none. */
  readonly enoughFor: "every deploy" | "deploys into existing groups" | "no deploy";
  /** The only organization and the only group that it reaches; undefined: all that its owner reaches. */
  readonly organization: string | undefined;
  readonly group: string | undefined;
}

/** What a database used in the present period of billing, as the platform counts it. */
export interface DatabaseUsage {
  /** The platform's id of the database. */
  readonly id: string;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly storageBytes: number;
  readonly bytesSynced: number;
}

export interface Quota {
  readonly what: "databases" | "groups";
  readonly used: number | undefined;
  readonly limit: number | "unlimited" | undefined;
}
