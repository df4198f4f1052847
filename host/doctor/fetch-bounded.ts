// Fetches from a server that nobody vouches for: bounded in bytes, requests and time. In: URLs. Out: what came.
// Must not know what it means.

export interface Fetched {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** More would have come than the limit allows. */
  readonly cut: boolean;
}
export interface Bounds {
  readonly bytes: number;
  readonly requests: number;
  readonly milliseconds: number;
}

export class BoundedFetcher {
  readonly #bounds: Bounds;
  readonly #signal: AbortSignal;
  #requests = 0;

  /** The clock runs from now on, for all requests together. */
  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#signal = AbortSignal.timeout(bounds.milliseconds);
  }

  /** False: fetch() would refuse. */
  get mayAsk(): boolean {
    return this.#requests < this.#bounds.requests && !this.#signal.aborted;
  }

  /** Rejects with what fetch() rejects with: no connection, out of time. */
  async fetch(url: URL): Promise<Fetched> {
    if (!this.mayAsk) throw new Error(`more than ${this.#bounds.requests} requests, or out of time`);
    this.#requests++;
    const response = await fetch(url, { signal: this.#signal, headers: { 'Accept-Encoding': 'br, gzip' } });
    const { bytes, cut } = await this.#read(response);
    return { url: new URL(response.url), status: response.status, headers: response.headers, bytes, cut };
  }

  async #read(response: Response): Promise<{ bytes: Uint8Array; cut: boolean }> {
    const pieces: Uint8Array[] = [];
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    let total = 0;
    for (let piece = await reader?.read(); piece?.value && total <= this.#bounds.bytes; piece = await reader?.read()) {
      pieces.push(piece.value);
      total += piece.value.length;
    }
    if (total > this.#bounds.bytes) reader?.cancel().catch(() => undefined);
    const bytes = new Uint8Array(total);
    pieces.reduce((at, piece) => {
      bytes.set(piece, at);
      return at + piece.length;
    }, 0);
    return { bytes, cut: total > this.#bounds.bytes };
  }
}
