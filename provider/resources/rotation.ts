import { parseDuration } from "../duration";
import type { Capabilities } from "../platform/capabilities";
import type { RotateOptions } from "../platform/platform";
import type { Failure } from "./handler";
import { hasUnknown } from "./unknown";

/** What `rotateGrace` asks for; undefined: nothing. */
export const graceOf = (grace: string | undefined): RotateOptions | undefined =>
  grace === undefined ? undefined : { keepFor: parseDuration(grace, "rotateGrace") };

/** What becomes of the tokens from before a rotation, for the reader of a preview. */
export const endsWhen = (grace: string | undefined): string =>
  grace === undefined || hasUnknown(grace) ? "will stop working" : `will stop working in ${grace}`;

export function judgeGrace(grace: unknown, { rotationGrace }: Capabilities, platform: string): Failure[] {
  if (typeof grace !== "string" || hasUnknown(grace)) return [];
  if (!rotationGrace) return [`rotateGrace: ${platform} ends all tokens at once in a rotation; leave it out.`];
  try {
    if (parseDuration(grace, "rotateGrace") !== undefined) return [];
    return ['rotateGrace: "never" is no rotation; write a time such as "1h".'];
  } catch (error) {
    return [(error as Error).message];
  }
}
