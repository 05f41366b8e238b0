import type { Access } from "./hrana/access";
import { createVerifier, readClaims } from "./jwt";
import { ApiProblem } from "./problem";
import type { Control } from "./store/control";
import type { DatabaseRow } from "./store/databases";

/**
 * Decides what the bearer of a token may do with a database. Throws a 401 for every token that opens nothing, and for
 * none unless the gate was told to let callers in without.
 */
export type Gate = (authorization: string | undefined, database: DatabaseRow) => Access;

export function createGate(control: Control, { required = true }: { readonly required?: boolean } = {}): Gate {
  const signedBy = createVerifier();
  return (authorization, database) => {
    const { blockReads, blockWrites } = database;
    if (authorization === undefined && !required) return { write: true, blockReads, blockWrites };
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (!token) throw refusal("a bearer token is required");
    const claims = readClaims(token);
    if (token === control.apiToken || claims?.jti !== undefined)
      throw refusal("this is one of the platform's API tokens: a database takes a database or group token");
    if (!claims) throw refusal("the token is not a JSON Web Token signed with EdDSA");
    const ofGroup = claims.gid !== undefined;
    if (ofGroup ? claims.gid !== database.groupId : claims.id !== database.id)
      throw refusal("the token is for another database");
    const key = ofGroup ? control.groups.byId(database.groupId)?.signingKey : database.signingKey;
    if (!key || !signedBy(token, key)) throw refusal("the token's signature is invalid: perhaps its keys were rotated");
    const now = Date.now() / 1000;
    if (claims.exp !== undefined && claims.exp <= now) throw refusal("the token has expired");
    if (claims.nbf !== undefined && claims.nbf > now) throw refusal("the token is not valid yet");
    return { write: claims.a !== "ro", blockReads, blockWrites };
  };
}

// The form of libsql-server's own refusals.
function refusal(why: string): ApiProblem {
  return new ApiProblem(401, `Unauthorized: \`${why}\``);
}
