import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";

/** Claims of a token (turso: database tokens carry `id`, group tokens `gid`). Times in seconds. */
export interface Claims {
  readonly id?: string;
  readonly gid?: string;
  /** Of a Platform API token, which is no database token: its id in lists. */
  readonly jti?: string;
  /** "ro" reads only; anything else, or nothing, is full access (libSQL server: default rw). */
  readonly a?: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly nbf?: number;
}

const header = Buffer.from('{"alg":"EdDSA","typ":"JWT"}').toString("base64url");

/** A fresh Ed25519 private key in PEM form. */
export function newKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

export function signToken(key: string, claims: Claims): string {
  const body = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${body}.${sign(null, Buffer.from(body), createPrivateKey(key)).toString("base64url")}`;
}

/** What a token says of itself, without any proof; undefined when it is not a signed EdDSA token at all. */
export function readClaims(token: string): Claims | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const head = JSON.parse(Buffer.from(parts[0]!, "base64url").toString()) as { alg?: unknown } | null;
    const claims = JSON.parse(Buffer.from(parts[1]!, "base64url").toString()) as unknown;
    if (head?.alg !== "EdDSA" || typeof claims !== "object" || claims === null) return undefined;
    for (const field of ["iat", "exp", "nbf"]) {
      const time = (claims as Record<string, unknown>)[field];
      if (time !== undefined && typeof time !== "number") return undefined;
    }
    return claims as Claims;
  } catch {
    return undefined;
  }
}

/** Proves a token against the public half of `key`. Proofs are remembered: one costs as much as a small query. */
export function createVerifier(capacity = 2000): (token: string, key: string) => boolean {
  const proven = new Map<string, string>();
  const publicKeys = new Map<string, KeyObject>();

  return (token, key) => {
    if (proven.get(token) === key) return true;
    let publicKey = publicKeys.get(key);
    if (publicKey === undefined) {
      publicKey = createPublicKey(key);
      if (publicKeys.size >= capacity) publicKeys.clear();
      publicKeys.set(key, publicKey);
    }
    const dot = token.lastIndexOf(".");
    const genuine = verify(
      null,
      Buffer.from(token.slice(0, dot)),
      publicKey,
      Buffer.from(token.slice(dot + 1), "base64url"),
    );
    if (genuine) {
      if (proven.size >= capacity) proven.clear();
      proven.set(token, key);
    }
    return genuine;
  };
}
