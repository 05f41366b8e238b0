import { createHmac, timingSafeEqual } from "node:crypto";
import type { Access } from "./access";

/** Names a stream and how many pipelines it has answered: only the newest baton of a stream is good. */
export interface Baton {
  readonly streamId: string;
  readonly turn: number;
}

export interface BatonSigner {
  sign(baton: Baton): string;
  /** Undefined for a baton that was not made here, or for another database or another access. */
  verify(text: string): Baton | undefined;
}

export function batonSigner(key: Buffer, databaseId: string, access: Access): BatonSigner {
  const scope = JSON.stringify([databaseId, access.write, access.blockReads, access.blockWrites]);
  const seal = (payload: string): Buffer => createHmac("sha256", key).update(`${payload}\n${scope}`).digest();
  return {
    sign: ({ streamId, turn }) => {
      const payload = `${streamId}.${turn}`;
      return `${payload}.${seal(payload).toString("base64url")}`;
    },
    verify: (text) => {
      const [streamId = "", turn = "", given = ""] = text.split(".");
      const expected = seal(`${streamId}.${turn}`);
      const actual = Buffer.from(given, "base64url");
      if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined;
      return { streamId, turn: Number(turn) };
    },
  };
}
