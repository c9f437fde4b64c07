/**
 * The program on a directory that is thrown away. `REGULARS` names it; without, the one that `cargo build --release`
 * leaves.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = process.env.REGULARS ?? new URL('../../target/release/regulars', import.meta.url).pathname;

/** What is left to end should the tests break off. */
const running = new Set();
process.on('exit', () => running.forEach((end) => end()));

/** A port that is free at this moment: where the program is reached has to be known before it starts. */
export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/**
 * Starts it and waits until it listens.
 * @param {number} port
 * @param {Record<string, string>} settings
 */
export async function serve(port, settings) {
  const data = mkdtempSync(join(tmpdir(), 'regulars-'));
  // Nothing of this machine's own settings may help or harm.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('REGULARS') && name !== 'DATABASE_URL');
  const child = spawn(PROGRAM, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], {
    env: { ...Object.fromEntries(own), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => {
    running.delete(end);
    child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  };
  running.add(end);
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  await new Promise((resolve, reject) => {
    let said = '';
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the program ended with ${code}: ${log}`)));
    child.stdout.on('data', (text) => {
      said += text;
      if (said.includes('regulars listens on ')) resolve();
    });
  });
  const base = `http://127.0.0.1:${port}`;
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.on('exit', () => {
        end();
        resolve();
      });
      child.kill('SIGTERM');
    });
  const ask = async (query, variables, token) => {
    const response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  };
  return { base, stop, ask, log: () => log };
}
