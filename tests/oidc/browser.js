/**
 * What a browser does on the way to a provider and back: keeps cookies by host, follows addresses, fills in forms. It
 * stops before the page that it returns to, which is nowhere on this machine.
 */

/** A browser of its own. */
export class Browser {
  /** @type {Map<string, Map<string, string>>} */
  #cookies = new Map();

  /** @param {string} page the address at which it stops */
  constructor(page) {
    this.page = page;
  }

  async #go(address, form) {
    const { host } = new URL(address);
    const kept = this.#cookies.get(host) ?? new Map();
    const response = await fetch(address, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      headers: { Cookie: [...kept].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      kept.set(name, value);
    }
    this.#cookies.set(host, kept);
    return response;
  }

  /**
   * Goes to an address and on, signs in as somebody and agrees to everything; `null` gives up at the first form.
   * @param {string} address
   * @param {string | null} person
   * @returns {Promise<{ location?: string, status: number, steps: string[] }>}
   */
  async signIn(address, person) {
    const steps = [address];
    let response = await this.#go(address);
    for (let step = 0; step < 20; step += 1) {
      const location = response.headers.get('location');
      if (location) {
        const next = new URL(location, steps.at(-1)).href;
        if (next.startsWith(this.page)) return { location: next, status: response.status, steps };
        steps.push(next);
        response = await this.#go(next);
        continue;
      }
      const text = await response.text();
      const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1];
      if (response.status !== 200 || !action) return { status: response.status, steps };
      const prompt = /name="prompt" value="([^"]+)"/.exec(text)[1];
      const target = new URL(action, steps.at(-1)).href;
      if (person === null) {
        const abort = /href="([^"]+\/abort)"/.exec(text)[1];
        response = await this.#go(new URL(abort, target).href);
      } else {
        response = await this.#go(target, { prompt, login: person, password: 'any' });
      }
    }
    throw new Error(`the way has no end: ${steps.join(' ')}`);
  }
}
