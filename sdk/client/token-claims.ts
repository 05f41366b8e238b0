import { jwtClaims } from "../../provider/jwt-claims";

/** What a database token says of itself, without any proof: its database's id, and its end in ms. */
export function databaseIdOf(token: string): string | undefined {
  const id = jwtClaims(token)?.["id"];
  return typeof id === "string" ? id : undefined;
}

export function expiryOf(token: string): number | undefined {
  const end = jwtClaims(token)?.["exp"];
  return typeof end === "number" ? end * 1000 : undefined;
}
