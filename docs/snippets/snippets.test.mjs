/** The runner fails where a snippet does: each of these pages has one thing wrong with it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenLinks, snippets } from './snippets.mjs';

const fence = (language, text, ...notes) =>
  [...notes.map((note) => `<!-- ${note} -->`), `\`\`\`${language}`, text, '```', ''].join('\n');

test('what a page says of a snippet is read', () => {
  const page = `words\n\n${fence('graphql', '{ a }', 'as: analyst', 'take: b = c.0.d', 'expect: one', 'expect: two')}${fence('text', 'x')}`;
  const [first, second] = snippets(page, 'page');
  assert.deepEqual(
    { at: first.at, as: first.as, takes: first.takes, expect: first.expect, text: first.text },
    { at: 'page:7', as: 'analyst', takes: [['b', 'c.0.d']], expect: ['one', 'two'], text: '{ a }\n' },
  );
  assert.deepEqual(second.expect, []);
});

test('a fence within a list loses its indent, and longer fences hold shorter ones', () => {
  const [listed] = snippets('- so:\n\n  ```sh\n  a\n    b\n  ```\n', 'page');
  assert.equal(listed.text, 'a\n  b\n');
  const [outer] = snippets('````text\n```sh\nfalse\n```\n````\n', 'page');
  assert.equal(outer.text, '```sh\nfalse\n```\n');
});

test('pages that are written wrongly are refused', () => {
  for (const [page, why] of [
    ['```sh\necho\n', /never closed/],
    [fence('bash', 'echo'), /no language/],
    [fence('', 'echo'), /no language/],
    ['<!-- expect: x -->\nwords\n', /before no snippet/],
    [fence('json', '{'), /JSON|Expected/],
  ]) {
    assert.throws(() => snippets(page, 'page'), why, page);
  }
});

test('links that lead nowhere are found', () => {
  const files = { 'there.md': '# A *first* heading: yes\n## 二、分页\n' };
  const page = [
    '[a](there.md) [b](there.md#a-first-heading-yes) [c](there.md#二分页) [d](https://shop.example/) [e](#mine)',
    '## Mine',
    '[f](gone.md) [g](there.md#no) ![h](gone.png) [i](#other)',
    '```sh',
    'echo "[j](in-a-snippet.md)"',
    '```',
  ].join('\n');
  assert.deepEqual(
    brokenLinks(page, (path) => files[path] ?? null),
    ['gone.md', 'there.md#no', 'gone.png', '#other'],
  );
});

test('snippets that fail are reported, each with its place', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pages-'));
  const bad = [
    [fence('sh', 'true\nfalse\ntrue'), /ended with 1/],
    [fence('sh', 'echo one', 'expect: two'), /'two' is not in/],
    [fence('sh', 'echo two') + fence('sh', 'echo one', 'expect: two'), /'two' is not in/],
    [fence('js', 'throw new Error("no")'), /ended with 1/],
    [fence('graphql', '{ nonsense }'), /Cannot query field/],
    [fence('graphql', '{ customers { nodes { id } } }', 'as: analyst'), /FORBIDDEN/],
    [fence('graphql', '{ company { name } }', 'error: FORBIDDEN'), /it was answered/],
    [fence('graphql', '{ company { name } }', 'take: id = company.nothing'), /there is no company.nothing/],
    ['only words\n', /nothing in it runs/],
    [fence('sh', 'true') + '[x](gone.md)\n', /lead nowhere: gone.md/],
  ];
  const pages = bad.map(([text], index) => {
    const page = join(directory, `${index}.md`);
    writeFileSync(page, text);
    return page;
  });
  const good = join(directory, 'good.md');
  writeFileSync(good, fence('graphql', '{ company { name } }', 'expect: Lantern') + fence('sh', 'echo two', 'expect: two'));
  const ran = spawnSync(process.execPath, [join(import.meta.dirname, 'run.mjs'), ...pages, good], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  assert.equal(ran.status, 1, ran.stderr);
  const reports = ran.stdout.split(/^(?=FAIL|ok)/m);
  bad.forEach(([text, why], index) => assert.match(reports[index], why, text));
  assert.match(reports[bad.length], /^ok/);
  assert.match(ran.stdout, /^1 passed, 10 failed$/m);
});
