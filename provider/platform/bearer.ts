/** Sends by `send` with the present token, and once more with a new one where the first was refused. */
export type WithBearer = <Reply extends { readonly status: number }>(
  send: (bearer: string) => Promise<Reply>,
) => Promise<{ readonly reply: Reply; readonly bearer: string }>;

/** The token for one database. Asked before each request; `refused` once after a 401, to mint anew. */
export type TokenFor = (refused?: boolean) => Promise<string>;

export function createBearer(token: TokenFor): WithBearer {
  let renewing: Promise<string> | undefined;

  const renewed = async (refused: string): Promise<string> => {
    // Another request may have met the same refusal first.
    const current = await token();
    if (current !== refused) return current;
    renewing ??= token(true).finally(() => (renewing = undefined));
    return renewing;
  };

  return async (send) => {
    const bearer = await token();
    const reply = await send(bearer);
    if (reply.status !== 401) return { reply, bearer };
    const another = await renewed(bearer);
    return { reply: await send(another), bearer: another };
  };
}
