// ws-protocol.mjs against the demonstration: signs in, has an export made to follow, and hands over what the suite needs.
// node websocket.mjs --program REGULARS [options of ws-protocol.mjs]
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const given = process.argv.slice(2);
const at = given.indexOf('--program');
const program = path.resolve(given.splice(at, 2)[1]);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-'));
// Nothing of this machine's own settings may help or harm.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REGULARS') && name !== 'DATABASE_URL'));
const server = spawn(program, ['demo', '--data', data, '--listen', '127.0.0.1:0', '--customers', '50', '--stores', '2', '--seed', '11'], {
  stdio: ['ignore', 'pipe', 'ignore'],
  env,
});
process.on('exit', () => {
  server.kill('SIGKILL');
  fs.rmSync(data, { recursive: true, force: true });
});
const url = await new Promise((done, failed) => {
  let said = '';
  server.on('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  server.stdout.on('data', (text) => {
    said += text;
    const found = /regulars listens on (http:\/\/\S+\/graphql)/.exec(said);
    if (found) done(found[1]);
  });
});
server.removeAllListeners('exit');

async function ask(query, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

const signIn = 'mutation { sessionCreate(input: { email: "manager@demo.example", password: "regulars-demo" }) { session { accessToken } } }';
const token = (await ask(signIn)).sessionCreate.session.accessToken;
const store = (await ask('{ viewer { roles { store { id } } } }', token)).viewer.roles[0].store.id;
const made = await ask('mutation { exportCreate(input: { kind: CARDS }) { transfer { id } } }', token);
const id = made.exportCreate.transfer.id;
for (let tries = 0; (await ask(`{ transfer(id: "${id}") { state } }`, token)).transfer.state !== 'DONE'; tries += 1) {
  if (tries > 300) throw new Error('the export is never done');
  await wait(100);
}

const ran = spawnSync(
  process.execPath,
  [
    path.join(import.meta.dirname, 'ws-protocol.mjs'), url, '--ws', url.replace('http', 'ws'),
    '--init', JSON.stringify({ authorization: `Bearer ${token}` }),
    '--badinit', JSON.stringify({ authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }),
    '--sub', `subscription { jobProgressed(id: "${id}") { transfer { state } } }`,
    '--long', `subscription { customerArrived(storeId: "${store}") { position } }`,
    // Known to this role, and not for it.
    '--error', '{ viewer { kind } node(id: "x") { id } jobs { nodes { id } } }',
    ...given,
  ],
  { stdio: 'inherit' },
);
process.exit(ran.status ?? 1);
