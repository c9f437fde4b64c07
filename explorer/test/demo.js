/**
 * A server with the demonstration's data in a directory that is thrown away, for tests.
 *
 * `REGULARS` names the program; without it the one that `cargo build --release` leaves.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = process.env.REGULARS ?? new URL('../../target/release/regulars', import.meta.url).pathname;

/** A directory for data, gone with the tests. */
export function throwAway() {
  const directory = mkdtempSync(join(tmpdir(), 'regulars-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts it and waits until it listens.
 * @param {string} data
 * @param {Record<string, string>} settings
 */
export async function demo(data, settings = {}) {
  const child = spawn(
    PROGRAM,
    ['demo', '--data', data, '--listen', '127.0.0.1:0', '--customers', '120', '--stores', '2', '--seed', '7'],
    { env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  process.on('exit', () => child.kill('SIGKILL'));
  let said = '';
  let trouble = '';
  child.stderr.on('data', (text) => (trouble += text));
  const endpoint = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the program ended with ${code}: ${trouble}`)));
    child.stdout.on('data', (text) => {
      said += text;
      const found = /regulars listens on (http:\/\/\S+\/graphql)/.exec(said);
      if (found) resolve(found[1]);
    });
  });
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.on('exit', resolve);
      child.kill('SIGTERM');
    });
  return { endpoint, stop };
}

/**
 * Sends one request as a program would.
 * @param {string} endpoint
 * @param {{query: string, variables?: unknown}} request
 * @param {string} [token]
 */
export async function ask(endpoint, request, token) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(request),
  });
  return response.json();
}
