import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** Added to every answer, in ms. */
export interface Delays {
  readonly control: number;
  readonly data: number;
}

export interface Stub {
  readonly url: string;
  /** Requests so far. */
  calls(): Promise<{ control: number; data: number }>;
  close(): Promise<void>;
}

/** A platform that only remembers names, in a process of its own: its work must not be counted as ours. */
export async function startStub(delays: Delays): Promise<Stub> {
  const program = path.join(__dirname, "stub-server.ts");
  const child = fork(program, [JSON.stringify(delays)], { execArgv: ["-r", "ts-node/register/transpile-only"] });
  const ended = once(child, "exit");
  const answer = async <Message>(): Promise<Message> => {
    const stopped = ended.then(([code]) => Promise.reject(new Error(`the stub platform ended with exit code ${code}`)));
    const [message] = (await Promise.race([once(child, "message"), stopped])) as [Message];
    return message;
  };
  ended.catch(() => {});
  const { url } = await answer<{ url: string }>();
  return {
    url,
    async calls() {
      const counted = answer<{ control: number; data: number }>();
      child.send("calls");
      return counted;
    },
    async close() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
