/**
 * Runs the snippets of the documentation: `node docs/snippets/run.mjs [PAGE ...]`, all pages when none is named.
 *
 * Each page gets a server with the demonstration's data in a directory of its own, thrown away afterwards. Its GraphQL
 * runs first, in order; then its shell snippets as one script, as somebody would type them; then its JavaScript as one
 * module. `http://127.0.0.1:8080` stands for that server, `regulars` for the program (`REGULARS`, or the one that
 * `cargo build --release` leaves). Ends with 1 when a snippet fails, a page has none that runs, or a link leads nowhere.
 */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { brokenLinks, snippets } from './snippets.mjs';

const root = resolve(import.meta.dirname, '../..');
const { buildSchema, parse, validate } = createRequire(join(root, 'explorer/package.json'))('graphql');
const schema = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8'));
const program = resolve(process.env.REGULARS ?? join(root, 'target/release/regulars'));
const scratch = mkdtempSync(join(tmpdir(), 'snippets-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const bin = join(scratch, 'bin');
mkdirSync(bin);
symlinkSync(program, join(bin, 'regulars'));
// Nothing of this machine's own settings may help or harm.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('REGULARS') && name !== 'DATABASE_URL'),
);
environment.PATH = `${bin}:${environment.PATH}`;

const template = join(scratch, 'template');
const filled = spawnSync(
  program,
  ['demo', '--no-serve', '--data', template, '--customers', '200', '--stores', '3', '--seed', '11'],
  { env: environment, encoding: 'utf8' },
);
if (filled.status !== 0) throw new Error(`the demonstration could not be made: ${filled.error ?? filled.stderr}`);

/** @type {import('node:child_process').ChildProcess[]} */
const servers = [];
process.on('exit', () => servers.forEach((server) => server.kill('SIGKILL')));

async function serve(data) {
  const server = spawn(program, ['demo', '--data', data, '--listen', '127.0.0.1:0', '--customers', '200', '--stores', '3', '--seed', '11'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  servers.push(server);
  let said = '';
  const address = await new Promise((done, failed) => {
    server.on('exit', (code) => failed(new Error(`the server ended with ${code}`)));
    server.stdout.on('data', (text) => {
      said += text;
      const found = /regulars listens on (http:\/\/\S+)\/graphql/.exec(said);
      if (found) done(found[1]);
    });
  });
  return { address, stop: () => server.kill('SIGTERM') };
}

/** Checks what a snippet of its own kind has said. */
function heeds(snippet, output) {
  for (const text of snippet.expect) {
    if (!output.includes(text)) throw new Error(`${snippet.at}: '${text}' is not in what it said:\n${output}`);
  }
}

async function graphql(all, address) {
  const tokens = new Map();
  const taken = new Map();
  const post = async (request, token) => {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(request),
    });
    return response.json();
  };
  for (const snippet of all) {
    const wrong = validate(schema, parse(snippet.text)).map((error) => error.message);
    if (wrong.length > 0) throw new Error(`${snippet.at}: ${wrong.join('; ')}`);
    if (!tokens.has(snippet.as) && snippet.as !== 'nobody') {
      const input = { email: `${snippet.as}@demo.example`, password: 'regulars-demo' };
      const answer = await post({
        query: 'mutation ($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } } }',
        variables: { input },
      });
      tokens.set(snippet.as, answer.data.sessionCreate.session.accessToken);
    }
    const variables = snippet.variables?.replace(/"\$(\w+)"/g, (_, name) => {
      if (!taken.has(name)) throw new Error(`${snippet.at}: nothing was taken as '${name}'`);
      return JSON.stringify(taken.get(name));
    });
    const answer = await post({ query: snippet.text, variables: variables && JSON.parse(variables) }, tokens.get(snippet.as));
    const said = JSON.stringify(answer);
    const codes = [
      ...(answer.errors ?? []).map((error) => error.extensions?.code),
      ...Object.values(answer.data ?? {}).flatMap((payload) => (payload?.userErrors ?? []).map((error) => error.code)),
    ];
    const expected = snippet.error ? [snippet.error] : [];
    if (JSON.stringify(codes) !== JSON.stringify(expected)) throw new Error(`${snippet.at}: it was answered ${said}`);
    for (const [name, path] of snippet.takes) {
      const value = path.split('.').reduce((at, step) => at?.[step], answer.data);
      if (value === undefined || value === null) throw new Error(`${snippet.at}: there is no ${path} in ${said}`);
      taken.set(name, value);
    }
    heeds(snippet, said);
  }
}

/** Runs a program with a limit of time, in a process group of its own, so that what it left running ends with it. */
function run(command, args, directory) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: directory, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    };
    const limit = setTimeout(end, 120_000);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('exit', (code, signal) => {
      clearTimeout(limit);
      end();
      // What had been said before is still on its way.
      setTimeout(() => done({ code: code ?? signal, output }), 50);
    });
  });
}

async function shell(all, directory) {
  const mark = (index) => `@@ snippet ${index} @@`;
  const script = all.map((snippet, index) => `echo '${mark(index)}'\n${snippet.text}`).join('');
  writeFileSync(join(directory, 'snippets.sh'), script);
  const { code, output } = await run('bash', ['-e', 'snippets.sh'], directory);
  const parts = output.split(/@@ snippet \d+ @@\n/).slice(1);
  if (code !== 0) throw new Error(`${all[Math.max(parts.length - 1, 0)].at}: it ended with ${code}:\n${parts.at(-1)}`);
  all.forEach((snippet, index) => heeds(snippet, parts[index] ?? ''));
}

async function javascript(all, directory) {
  writeFileSync(join(directory, 'snippets.mjs'), all.map((snippet) => snippet.text).join('\n'));
  const { code, output } = await run(process.execPath, ['snippets.mjs'], directory);
  if (code !== 0) throw new Error(`${all[0].at} and what follows: it ended with ${code}:\n${output}`);
  for (const snippet of all) heeds(snippet, output);
}

async function check(page) {
  const name = relative(root, page);
  const text = readFileSync(page, 'utf8');
  const broken = brokenLinks(text, (path) => {
    const target = join(dirname(page), path);
    if (!existsSync(target)) return null;
    return extname(target) === '.md' ? readFileSync(target, 'utf8') : '';
  });
  if (broken.length > 0) throw new Error(`${name}: these links lead nowhere: ${broken.join(', ')}`);
  const all = snippets(text, name);
  const skipped = all.filter((snippet) => snippet.skip !== undefined);
  const of = (language) => all.filter((snippet) => snippet.language === language && snippet.skip === undefined);
  const counts = ['graphql', 'sh', 'js', 'json'].map((language) => [language, of(language).length]);
  if (counts.every(([, count]) => count === 0)) throw new Error(`${name}: nothing in it runs`);
  const data = join(scratch, 'data');
  const directory = join(scratch, 'here');
  for (const place of [data, directory]) rmSync(place, { recursive: true, force: true });
  cpSync(template, data, { recursive: true });
  mkdirSync(directory);
  const server = await serve(data);
  for (const snippet of all) snippet.text = snippet.text.replaceAll('http://127.0.0.1:8080', server.address);
  try {
    await graphql(of('graphql'), server.address);
    if (of('sh').length > 0) await shell(of('sh'), directory);
    if (of('js').length > 0) await javascript(of('js'), directory);
  } finally {
    server.stop();
  }
  const ran = counts.filter(([, count]) => count > 0).map(([language, count]) => `${count} ${language}`);
  const left = skipped.length > 0 ? `; ${skipped.length} skipped (${skipped.map((snippet) => snippet.skip).join('; ')})` : '';
  return `${name}: ${ran.join(', ')}${left}`;
}

const named = process.argv.slice(2).map((page) => resolve(page));
const pages =
  named.length > 0
    ? named
    : ['README.md', ...walk('docs/guides'), ...walk('docs/concepts')].map((page) => join(root, page));

function walk(directory) {
  return spawnSync('find', [directory, '-name', '*.md'], { cwd: root, encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .sort();
}

let failed = 0;
for (const page of pages) {
  try {
    console.log(`ok    ${await check(page)}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${error.message}`);
  }
}
console.log(`${pages.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
