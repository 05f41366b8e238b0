import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, hkdfSync, verify } from "node:crypto";
import { type KeyOwner, deriveKeys } from "../../provider/drivers/libsql-server/keys";
import { seedOf } from "../../provider/signing-key";

const signingKey = `tenantry_signing_${Buffer.alloc(32, 7).toString("base64url")}`;
const database = (name: string): KeyOwner => ({ kind: "database", name, id: "id-1", generation: "1.1" });

/** The public key by another way: PKCS #8 instead of a JWK. */
function expected(info: readonly string[]): string {
  const secret = hkdfSync("sha256", seedOf(signingKey), "tenantry libsql-server 1", JSON.stringify(info), 32);
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(secret)]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "pem", type: "spki" }) as string;
}

describe("the keys of a libsql-server's databases", () => {
  it("are for ever what they were: servers have their public halves", () => {
    const keyFor = deriveKeys(signingKey);
    assert.equal(keyFor({ kind: "catalogue" }).publicKey, expected(["catalogue"]));
    const group: KeyOwner = { kind: "group", name: "eu", id: "id-2", generation: 3 };
    assert.equal(keyFor(group).publicKey, expected(["group", "eu", "id-2", "3"]));
    assert.equal(keyFor(database("acme")).publicKey, expected(["database", "acme", "id-1", "1.1"]));
  });

  it("stay apart, however many are asked for, and sign what their public halves confirm", () => {
    const keyFor = deriveKeys(signingKey);
    const names = Array.from({ length: 1_500 }, (_, i) => `tenant-${i}`);
    const first = names.map((name) => keyFor(database(name)).publicKey);
    assert.equal(new Set(first).size, names.length);
    for (const i of [0, 700, 999, 1_000, 1_499]) {
      const key = keyFor(database(names[i]!));
      assert.equal(key.publicKey, first[i]);
      const token = key.sign({ access: "read-only", lifetime: 60 }, 1_700_000_000_500);
      const [head, claims, signature] = token.split(".") as [string, string, string];
      assert.ok(verify(null, Buffer.from(`${head}.${claims}`), key.publicKey, Buffer.from(signature, "base64url")));
      const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as object;
      assert.deepEqual(said, { a: "ro", iat: 1_700_000_000, exp: 1_700_000_060 });
    }
  });
});
