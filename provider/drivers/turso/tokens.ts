import { formatDuration } from "../../duration";
import { TenantryError } from "../../platform/errors";
import type { Platform, TokenSubject } from "../../platform/platform";
import type { Api } from "./api";
import { jwtClaims } from "../../jwt-claims";
import { minted, read } from "./wire";

type Tokens = Pick<Platform, "mintToken" | "rotateTokens">;

export function tursoTokens(api: Api): Tokens {
  return {
    async mintToken(subject, { access, lifetime, attach }) {
      if (access === "read-write") {
        throw new TenantryError("unsupported", "This platform has no tokens for rows without schema changes.", {
          fix: 'Use access "read-only" or "full-access".',
        });
      }
      const askedAt = Date.now();
      const answer = await api.call(
        { doing: `mint a token for ${named(subject)}`, kind: "token" },
        {
          method: "POST",
          path: `${at(subject)}/auth/tokens`,
          query: { expiration: formatDuration(lifetime), authorization: access },
          // Current databases refuse every request that has a permissions body, even an empty one.
          body: attach?.length ? { permissions: { read_attach: { databases: attach } } } : undefined,
        },
      );
      const token = read(minted, answer).jwt;
      return { token, expiresAt: expiryOf(token, lifetime, askedAt) };
    },

    async rotateTokens(subject, { keepFor } = {}) {
      if (keepFor !== undefined) {
        throw new TenantryError("unsupported", "A rotation ends all earlier tokens at once on this platform.", {
          fix: "Leave rotateGrace out.",
        });
      }
      const doing = { doing: `rotate the tokens of ${named(subject)}`, kind: "token" } as const;
      await api.call(doing, { method: "POST", path: `${at(subject)}/auth/rotate` });
    },
  };
}

/** The token's own word; for one that cannot be read, what was asked for, counted from before the call. */
function expiryOf(token: string, lifetime: number | undefined, askedAt: number): Date | undefined {
  const claims = jwtClaims(token);
  if (claims) return typeof claims.exp === "number" ? new Date(claims.exp * 1000) : undefined;
  return lifetime === undefined ? undefined : new Date(askedAt + lifetime * 1000);
}

function at(subject: TokenSubject): string {
  return "database" in subject
    ? `/databases/${encodeURIComponent(subject.database)}`
    : `/groups/${encodeURIComponent(subject.group)}`;
}

function named(subject: TokenSubject): string {
  return "database" in subject ? `database "${subject.database}"` : `group "${subject.group}"`;
}
