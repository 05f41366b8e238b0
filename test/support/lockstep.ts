import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Fate, LineCall } from "./faulty-line";

/** Requests that travel at the same time. */
export type Wave = readonly LineCall[];

/**
 * Lets replies along a line pass in waves, as if each trip took the same time, whatever the machine is busy with: a wave
 * leaves once the replies to all that this process has asked for wait at the line, and nothing else moves. So many waves,
 * so many trips lie behind each other. `use` gets the fate for the line, and tells where the line is.
 */
export async function inLockstep(
  use: (line: { fate: (call: LineCall) => Fate; isAt(url: string): void }) => Promise<void>,
): Promise<Wave[]> {
  const waves: Wave[] = [];
  let waiting: { readonly call: LineCall; readonly go: () => void }[] = [];
  /** Requests that were made and have no whole answer yet. */
  const underWay = new Set<object>();
  let origin: string | undefined;
  let looking: NodeJS.Timeout | undefined;
  let moves = 0;

  const moved = (): void => {
    moves += 1;
    clearTimeout(looking);
    if (waiting.length > 0 && waiting.length === underWay.size) looking = setTimeout(() => void settle(moves), quiet);
  };
  const settle = async (seen: number): Promise<void> => {
    // What timers that were due at the same time have begun comes first.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (seen !== moves) return;
    const wave = waiting;
    waiting = [];
    waves.push(wave.map(({ call }) => call));
    for (const { go } of wave) go();
  };

  type Told = { readonly request: { readonly origin: string | URL } };
  const begun = (told: unknown): void => {
    const { request } = told as Told;
    if (String(request.origin) !== origin) return;
    underWay.add(request);
    moved();
  };
  const ended = (told: unknown): void => {
    if (underWay.delete((told as Told).request)) moved();
  };
  const channels = [
    ["undici:request:create", begun],
    ["undici:request:trailers", ended],
    ["undici:request:error", ended],
  ] as const;
  for (const [channel, listener] of channels) subscribe(channel, listener);
  try {
    await use({
      isAt: (url) => void (origin = url),
      fate: (call) => async () => {
        await new Promise<void>((go) => {
          waiting.push({ call, go });
          moved();
        });
        return "pass" as const;
      },
    });
    return waves;
  } finally {
    clearTimeout(looking);
    for (const { go } of waiting) go();
    for (const [channel, listener] of channels) unsubscribe(channel, listener);
  }
}

/** Longer than anything in the provider waits for company, in ms; timers are of this process too. */
const quiet = 30;
