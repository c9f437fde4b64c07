/**
 * Signing in, staying signed in, and sending requests.
 *
 * Used by both pages: the one that is built, and the plain one. Knows nothing of what is drawn. The tokens live in
 * `sessionStorage`: they survive a reload and end with the tab, and no other tab reads them.
 */

import { MEDIA, Told } from './stream.js';

const KEY = 'regulars-session';
/** An access token is renewed when it has less than this to live. */
const EARLY_MS = 30_000;
const TOKENS = 'session { accessToken refreshToken expiresAt } userErrors { message }';

/** What came of a request that the server did not answer in GraphQL. */
export class Unreachable extends Error {}

/**
 * @typedef {{accessToken: string, refreshToken: string, expiresAt: string}} Tokens
 * @typedef {{name: string, email: string, roles: string[]}} Person
 */

/** One signed-in person, or nobody. Says `change` whenever that is another one. */
export class Session extends EventTarget {
  /** @type {Tokens | null} */
  #tokens = null;
  /** @type {Person | null} */
  #person = null;
  /** @type {Promise<boolean> | null} */
  #renewal = null;
  #endpoint;
  #storage;
  #others;

  /**
   * @param {string} endpoint where the API is
   * @param {Storage} storage where the tokens are kept
   */
  constructor(endpoint, storage = window.sessionStorage) {
    super();
    this.#endpoint = endpoint;
    this.#storage = storage;
    // A tab that was duplicated holds the same tokens. A refresh token works once and its second use ends the
    // sign-in, so whoever renews it tells the others.
    this.#others = new BroadcastChannel(KEY);
    this.#others.onmessage = ({ data }) => {
      if (this.#tokens && this.#tokens.refreshToken === data.was) this.#keep(data.tokens, this.#person);
    };
    try {
      const kept = JSON.parse(storage.getItem(KEY) ?? 'null');
      if (kept?.tokens?.refreshToken) {
        this.#tokens = kept.tokens;
        this.#person = kept.person;
      }
    } catch {
      storage.removeItem(KEY);
    }
  }

  /** Who is signed in; null for nobody. */
  get person() {
    return this.#person;
  }

  /**
   * Signs in. Gives what went wrong in words; nothing when all is well.
   * @param {string} email
   * @param {string} password
   */
  async signIn(email, password) {
    const answer = await this.#send(
      `mutation SignIn($input: SessionCreateInput!) { sessionCreate(input: $input) { ${TOKENS} } }`,
      { input: { email, password } },
    );
    const payload = answer.data?.sessionCreate;
    if (!payload?.session) return said(payload?.userErrors ?? answer.errors);
    const tokens = payload.session;
    const viewer = await this.#send(
      '{ viewer { staff { name email } roles { role } } }',
      {},
      tokens.accessToken,
    );
    const who = viewer.data?.viewer;
    if (!who) return said(viewer.errors);
    const roles = [...new Set(who.roles.map((/** @type {{role: string}} */ held) => held.role))];
    this.#keep(tokens, { name: who.staff?.name ?? email, email: who.staff?.email ?? email, roles });
    return null;
  }

  /** Signs out here, and tells the server. */
  async signOut() {
    const token = this.#tokens?.accessToken;
    this.#keep(null, null);
    if (token) {
      try {
        await this.#send('mutation { sessionEnd(input: {}) { userErrors { message } } }', {}, token);
      } catch {
        // The server is away: the refresh token is forgotten here, and the access token ends within minutes.
      }
    }
  }

  /**
   * Sends what is in the editor, as the person who is signed in. A header that was written by hand wins. Gives the answer;
   * for a subscription one after another, see `Told`.
   * @param {{query: string, variables?: unknown, operationName?: string | null}} request
   * @param {Record<string, string>} headers
   * @param {AbortSignal} [signal]
   */
  async ask({ operationName, ...request }, headers = {}, signal) {
    // GraphiQL notices after a moment that another operation was written, and goes on with the name of the last one.
    const named = operationName && new RegExp(`\\b${operationName}\\b`).test(request.query);
    if (named) Object.assign(request, { operationName });
    const byHand = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    if (byHand) return (await this.#post(request, headers, signal)).answer;
    if (this.#tokens && Date.parse(this.#tokens.expiresAt) - Date.now() < EARLY_MS) await this.#renew();
    const first = await this.#post(request, this.#with(headers), signal);
    // Switched off, or signed out from elsewhere: one attempt to renew tells which.
    if (first.status === 401 && this.#tokens && (await this.#renew())) {
      return (await this.#post(request, this.#with(headers), signal)).answer;
    }
    return first.answer;
  }

  /** @param {Record<string, string>} headers */
  #with(headers) {
    return this.#tokens ? { ...headers, Authorization: `Bearer ${this.#tokens.accessToken}` } : headers;
  }

  /** Renews the tokens, once for all who wait. Whether somebody is signed in afterwards. */
  #renew() {
    this.#renewal ??= this.#renewNow().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renewNow() {
    const was = this.#tokens?.refreshToken;
    const alone = navigator.locks
      ? (/** @type {() => Promise<boolean>} */ work) => navigator.locks.request(KEY, work)
      : (/** @type {() => Promise<boolean>} */ work) => work();
    return alone(async () => {
      // Another tab may have been quicker while this one waited.
      if (!this.#tokens || this.#tokens.refreshToken !== was) return this.#tokens !== null;
      const answer = await this.#send(
        `mutation Renew($input: SessionRefreshInput!) { sessionRefresh(input: $input) { ${TOKENS} } }`,
        { input: { refreshToken: was } },
      );
      const payload = answer.data?.sessionRefresh;
      if (payload?.session) {
        this.#keep(payload.session, this.#person);
        this.#others.postMessage({ was, tokens: payload.session });
        return true;
      }
      // Refused for good. Without a payload the server had another trouble, and the tokens may still be good.
      if (payload) this.#keep(null, null);
      return false;
    });
  }

  /**
   * @param {Tokens | null} tokens
   * @param {Person | null} person
   */
  #keep(tokens, person) {
    this.#tokens = tokens;
    this.#person = person;
    if (tokens) this.#storage.setItem(KEY, JSON.stringify({ tokens, person }));
    else this.#storage.removeItem(KEY);
    this.dispatchEvent(new Event('change'));
  }

  /**
   * @param {string} query
   * @param {Record<string, unknown>} variables
   * @param {string} [token]
   */
  async #send(query, variables, token) {
    /** @type {Record<string, string>} */
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    return (await this.#post({ query, variables }, headers)).answer;
  }

  /**
   * @param {object} request
   * @param {Record<string, string>} headers
   * @param {AbortSignal} [signal]
   */
  async #post(request, headers, signal) {
    let response;
    try {
      response = await fetch(this.#endpoint, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: `application/graphql-response+json, application/json, ${MEDIA}`,
          ...headers,
        },
        body: JSON.stringify(request),
        credentials: 'omit',
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable('the server cannot be reached; is it running?');
    }
    if (response.body && response.headers.get('Content-Type')?.startsWith(MEDIA)) {
      return { status: response.status, answer: new Told(response.body) };
    }
    try {
      return { status: response.status, answer: await response.json() };
    } catch {
      throw new Unreachable(`the server answered with status ${response.status} and no GraphQL`);
    }
  }
}

/** @param {{message: string}[] | undefined} errors */
function said(errors) {
  const text = (errors ?? []).map((error) => error.message).join('; ');
  return text === '' ? 'the server gave no answer' : text;
}
