import type { TokenFor } from "../../provider/platform/bearer";

export interface TenantToken {
  readonly token: string;
  /** A Date, or ISO 8601. Without it, what the token says itself; where it says nothing: until it is refused. */
  readonly expiresAt?: Date | string | undefined;
}

/** A token this near to its end may be refused by a host whose clock is ahead. In ms. */
const tooLate = 10_000;

interface Held {
  readonly token: string;
  readonly renewAt: number;
  readonly end: number;
}

/**
 * Keeps one token fresh: minted when it is first needed, again in the last third of its life while the old one is still
 * used, and when a host has refused it. However many ask at once, one is minted.
 */
export function createTokenKeeper(
  mint: () => Promise<TenantToken>,
  expiryOf: (token: string) => number | undefined,
  now: () => number = Date.now,
): TokenFor {
  let held: Held | undefined;
  let minting: Promise<Held> | undefined;

  const renew = (): Promise<Held> => {
    minting ??= (async () => {
      const began = now();
      const { token, expiresAt } = await mint();
      const end = expiresAt === undefined ? (expiryOf(token) ?? Infinity) : new Date(expiresAt).getTime();
      return (held = { token, end: end - tooLate, renewAt: began + ((end - began) * 2) / 3 });
    })().finally(() => (minting = undefined));
    return minting;
  };

  return async (refused = false) => {
    if (refused || !held || now() >= held.end) return (await renew()).token;
    // Where this fails, the next request tries again, until the token's end.
    if (now() >= held.renewAt) renew().catch(() => undefined);
    return held.token;
  };
}
