import { TenantryError, hasCode } from "../platform/errors";

/**
 * Guards one credential. Until an answer has proven it, one call goes alone and the others wait for its outcome: a
 * wrong token costs exactly one call. Once rejected, every later call fails at once, without network, in one line.
 * A platform that has fallen silent is unproven again: a thousand calls must not each wait for it in turn.
 */
export interface Breaker {
  run<T>(call: () => Promise<T>): Promise<T>;
  /** An answer showed that the platform takes the credential. */
  accept(): void;
  /** The platform refused it. The first caller gets `explanation` itself, all others the short line. */
  reject(explanation: TenantryError): TenantryError;
  /** Good answers so far. */
  readonly answers: number;
  /** A call found nobody, with all its attempts, while no other call had an answer: the platform is away. */
  gaveUp(error: TenantryError): void;
  /** What the last call to give up found, until the next good answer. */
  readonly outage: TenantryError | undefined;
  /** The short line, once rejected. */
  readonly rejected: TenantryError | undefined;
}

export function createBreaker(): Breaker {
  let state: "unproven" | "accepted" | "rejected" = "unproven";
  /** The outcome of the call that goes alone: an error here is shared by those who waited for it. */
  let probe: Promise<TenantryError | undefined> | undefined;
  let release: (() => void) | undefined;
  let answers = 0;
  let outage: TenantryError | undefined;

  const short = (): TenantryError =>
    new TenantryError("credentials-rejected", "Not attempted: the API token was rejected earlier in this run.");

  const probing = async <T>(call: () => Promise<T>): Promise<T> => {
    let shared: TenantryError | undefined;
    probe = new Promise((resolve) => (release = () => resolve(shared)));
    try {
      return await call();
    } catch (error) {
      // A platform that is down is down for those who wait too: they need not find out one after the other.
      if (hasCode(error, "unreachable", "timed-out", "untrusted-host")) shared = error;
      throw error;
    } finally {
      // Neither taken nor refused (a 5xx, say): the others may find out together, or each would wait for the last.
      if (state === "unproven" && !shared) state = "accepted";
      release?.();
      probe = undefined;
    }
  };

  return {
    async run(call) {
      for (;;) {
        if (state === "rejected") throw short();
        if (state === "accepted") return call();
        if (!probe) return probing(call);
        const failed = await probe;
        if (failed && state === "unproven") throw failed;
      }
    },
    accept() {
      answers += 1;
      outage = undefined;
      if (state === "unproven") state = "accepted";
      release?.();
    },
    gaveUp(error) {
      outage = error;
      if (state === "accepted") state = "unproven";
    },
    get answers() {
      return answers;
    },
    get outage() {
      return outage;
    },
    reject(explanation) {
      const first = state !== "rejected";
      state = "rejected";
      return first ? explanation : short();
    },
    get rejected() {
      return state === "rejected" ? short() : undefined;
    },
  };
}
