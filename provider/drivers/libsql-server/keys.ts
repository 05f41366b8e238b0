import { createPrivateKey, hkdfSync, type KeyObject, sign } from "node:crypto";
import type { Access } from "../../platform/platform";
import { seedOf } from "../../signing-key";

/** One Ed25519 key: what the server checks tokens with, and how they are signed. */
export interface Key {
  /** PEM, as `jwt_key` takes one or several. */
  readonly publicKey: string;
  sign(claims: { readonly access: Access; readonly lifetime: number | undefined }, now: number): string;
}

/** Whose key: with another id or generation it is another one, so that no token outlives what it was minted for. */
export type KeyOwner =
  | { readonly kind: "catalogue" }
  | { readonly kind: "group"; readonly name: string; readonly id: string; readonly generation: number }
  | { readonly kind: "database"; readonly name: string; readonly id: string; readonly generation: string };

export type KeyFor = (owner: KeyOwner) => Key;

/** Keys that are not derived anew: a create and its token ask for the same ones several times. */
const kept = 1_000;

/**
 * Keys are derived from one secret (HKDF with SHA-256, RFC 5869), so that none has to be stored anywhere: the server has
 * the public half only.
 */
export function deriveKeys(signingKey: string): KeyFor {
  const seed = seedOf(signingKey);
  const recent = new Map<string, Key>();
  return (owner) => {
    const info = JSON.stringify([
      owner.kind,
      ...("name" in owner ? [owner.name, owner.id, String(owner.generation)] : []),
    ]);
    const known = recent.get(info);
    if (known) return known;
    const key = keyOf(new Uint8Array(hkdfSync("sha256", seed, "tenantry libsql-server 1", info, 32)));
    if (recent.size === kept) recent.clear();
    recent.set(info, key);
    return key;
  };
}

/** The head of an Ed25519 private key in PKCS #8, and of a public one (RFC 8410, section 7 and 4). */
const privateHead = Buffer.from("302e020100300506032b657004220420", "hex");
const publicHead = Buffer.from("302a300506032b6570032100", "hex");

/**
 * What a namespace's `jwt_key` holds, in the form in which several stand behind one another: a single key may also be the
 * bits alone, in base64 (libSQL: auth/parsers.rs).
 */
export function asPem(jwtKey: string): string {
  if (jwtKey.startsWith("-----BEGIN")) return jwtKey.endsWith("\n") ? jwtKey : `${jwtKey}\n`;
  return pemOf(Buffer.from(jwtKey, "base64url"));
}

const pemOf = (bits: Uint8Array): string =>
  `-----BEGIN PUBLIC KEY-----\n${Buffer.concat([publicHead, bits]).toString("base64")}\n-----END PUBLIC KEY-----\n`;

function keyOf(secret: Uint8Array): Key {
  const key = privateKeyOf(secret);
  const { x } = key.export({ format: "jwk" });
  return { publicKey: pemOf(Buffer.from(x!, "base64url")), sign: (claims, now) => signed(key, claims, now) };
}

/**
 * As a JWK (RFC 8037) it is read ten times as fast as in PKCS #8, and each tenant has its own. The public half is not known
 * yet: Node derives it. One that insists on it gets PKCS #8.
 */
function privateKeyOf(secret: Uint8Array): KeyObject {
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: "", d: Buffer.from(secret).toString("base64url") };
    return createPrivateKey({ key: jwk, format: "jwk" });
  } catch {
    return createPrivateKey({ key: Buffer.concat([privateHead, secret]), format: "der", type: "pkcs8" });
  }
}

/** libSQL: auth/user_auth_strategies/jwt.rs. `a` is "ro" for reading; without it a token may do everything. */
function signed(key: KeyObject, { access, lifetime }: Parameters<Key["sign"]>[0], now: number): string {
  const at = Math.floor(now / 1000);
  const claims = {
    ...(access === "read-only" ? { a: "ro" } : {}),
    iat: at,
    ...(lifetime === undefined ? {} : { exp: at + lifetime }),
  };
  const text = `${encoded({ alg: "EdDSA", typ: "JWT" })}.${encoded(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
