export interface CacheOptions {
  /** @default 500 */
  readonly capacity?: number;
  /** In ms. @default 300,000 */
  readonly idle?: number;
  /** In ms; default: the process's clock. */
  readonly now?: () => number;
}

interface Entry<Client> {
  readonly client: Promise<Client>;
  usedAt: number;
}

/**
 * The clients that were used last. One that leaves the cache is let go, never closed: over HTTP a client holds no
 * connection (those are the process's pool's, which closes idle ones by itself), so whoever still uses it may go on, and
 * when nobody does its memory is free.
 */
export class ClientCache<Client> {
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry<Client>>();
  private readonly capacity: number;
  private readonly idle: number;
  private readonly now: () => number;
  private sweeping: { unref?(): void } | undefined;

  constructor({ capacity = 500, idle = 300_000, now = () => performance.now() }: CacheOptions = {}) {
    this.capacity = capacity;
    this.idle = idle;
    this.now = now;
  }

  get size(): number {
    return this.entries.size;
  }

  /** Opened once, however many ask at once; a failure is not kept. */
  get(key: string, open: () => Promise<Client>): Promise<Client> {
    const known = this.entries.get(key);
    if (known) {
      this.entries.delete(key);
      this.entries.set(key, known);
      known.usedAt = this.now();
      return known.client;
    }
    const entry = { client: open(), usedAt: this.now() };
    entry.client.catch(() => this.entries.get(key) === entry && this.entries.delete(key));
    this.entries.set(key, entry);
    while (this.entries.size > this.capacity) this.entries.delete(this.entries.keys().next().value!);
    this.sweepLater();
    return entry.client;
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  private sweepLater(): void {
    if (this.sweeping || this.entries.size === 0 || this.idle === Infinity) return;
    this.sweeping = setTimeout(() => {
      this.sweeping = undefined;
      for (const [key, { usedAt }] of this.entries) {
        if (this.now() - usedAt < this.idle) break;
        this.entries.delete(key);
      }
      this.sweepLater();
    }, this.idle / 2);
    // It keeps no process alive. Where a timer is a number, nothing does.
    this.sweeping.unref?.();
  }
}
