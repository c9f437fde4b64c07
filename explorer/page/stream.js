/**
 * Reads what a subscription tells: server-sent events by the protocol graphql-sse, one operation on each response.
 *
 * Used by `session.js`, on both pages. Knows nothing of who is signed in, and asks the server nothing.
 */

/** The media type of such an answer. */
export const MEDIA = 'text/event-stream';

const DONE = Object.freeze({ done: true, value: undefined });

/** A stream that ended before the server said that it is complete. GraphiQL shows what it holds. */
export class CutOff extends Error {
  /** @param {unknown} lastTold what was told last, with the position behind which to go on; undefined for nothing */
  constructor(lastTold) {
    super(
      'this was cut off before it was complete: the sign-in has ended, the server stops, or the connection was lost; ' +
        'run it again, with `after` and the last position to miss nothing',
    );
    this.name = 'CutOff';
    this.lastTold = lastTold;
  }
}

/**
 * What a stream tells, one answer after another. `return()` ends it at once, also while an answer is waited for, and
 * with it the request.
 *
 * It is its own iterator, and no generator: one of those would end only after the answer that it waits for.
 * @implements {AsyncIterableIterator<unknown>}
 */
export class Told {
  /** @type {ReadableStreamDefaultReader<Uint8Array>} */
  #reader;
  #decoder = new TextDecoder();
  #text = '';
  #ended = false;
  /** @type {unknown} */
  #last;

  /** @param {ReadableStream<Uint8Array>} body the body of the response */
  constructor(body) {
    this.#reader = body.getReader();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @returns {Promise<IteratorResult<unknown>>} */
  async next() {
    while (!this.#ended) {
      const event = await this.#event();
      if (this.#ended) break;
      if (event === null) {
        await this.return();
        throw new CutOff(this.#last);
      }
      if (event.kind === 'complete') return this.return();
      if (event.kind === 'next') {
        this.#last = JSON.parse(event.data);
        return { done: false, value: this.#last };
      }
    }
    return DONE;
  }

  /** @returns {Promise<IteratorResult<unknown>>} */
  async return() {
    this.#ended = true;
    // Whatever is still to be read here is of no use to anybody, and a connection that is gone cannot be ended.
    await this.#reader.cancel().catch(() => {});
    return DONE;
  }

  /** The next event; null when there is none any more. */
  async #event() {
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.#text);
      if (end) {
        const block = this.#text.slice(0, end.index);
        this.#text = this.#text.slice(end.index + end[0].length);
        return parsed(block);
      }
      let read;
      try {
        read = await this.#reader.read();
      } catch {
        return null;
      }
      if (read.done) return null;
      this.#text += this.#decoder.decode(read.value, { stream: true });
    }
  }
}

/**
 * An event from its lines. Comments, which keep the connection alive, are an event of no kind.
 * @param {string} block
 */
function parsed(block) {
  let kind = '';
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'event') kind = value;
    else if (name === 'data') data.push(value);
  }
  return { kind, data: data.join('\n') };
}
