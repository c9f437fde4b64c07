/**
 * The explorer in a real Chromium, by keyboard alone, with nothing but this machine in reach.
 *
 * `CHROMIUM` names the browser; without it Debian's. `SCREENSHOT` names a file for a picture of the page.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { DEMO_PASSWORD } from '../page/examples.js';
import { ask, demo, throwAway } from './demo.js';

const data = throwAway();
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
let browser;

before(async () => {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = places.find((place) => place && existsSync(place));
  assert.ok(executablePath, 'no Chromium was found: install it, or name it in CHROMIUM');
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      // Whatever slips past the test's own gate below finds no name.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--disable-background-networking',
    ],
  });
});

after(() => browser?.close());

/** A page that notes whatever goes wrong on it, and reaches nothing but this machine and what `elsewhere` answers. */
async function visit(endpoint, { elsewhere, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const trouble = [];
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await context.route(
    (url) => !['127.0.0.1', 'localhost'].includes(url.hostname) && url.protocol.startsWith('http'),
    async (route) => {
      if (elsewhere && (await elsewhere(route))) return;
      trouble.push(`asked for ${route.request().url()}`);
      await route.abort();
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.push(`thrown: ${error.stack ?? error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(`console: ${message.text()} ${message.location().url}`);
  });
  await page.goto(endpoint);
  return { page, trouble, close: () => context.close() };
}

/** What stands under the focus: its role by ARIA or by tag, its name, and whether it is in an editor. */
const focused = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    const labels = at.labels ? [...at.labels].map((label) => label.textContent).join(' ') : '';
    return (at.getAttribute('aria-label') || labels || at.textContent || '').trim();
  });

/** Presses the tab key until `name` has the focus. */
async function tabTo(page, name, key = 'Tab') {
  const seen = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    const at = await focused(page);
    if (typeof name === 'string' ? at === name : name.test(at)) return;
    seen.push(at.slice(0, 40));
  }
  assert.fail(`${name} was not reached; passed: ${seen.join(' | ')}`);
}

/** Waits until the answer holds `text`. */
async function answered(page, text, place = '.graphiql-response .view-lines') {
  await page.waitForFunction(
    ([selector, wanted]) => {
      const shown = document.querySelector(selector)?.textContent.replace(/\u00a0/g, ' ') ?? '';
      return shown.includes(wanted);
    },
    [place, text],
    { timeout: 20_000 },
  );
}

const WHO_WALKS_IN = /^Who walks in, as it happens/;

const isStream = (response) => (response.headers()['content-type'] ?? '').startsWith('text/event-stream');

/** Somebody in another session of the store's manager, who says that customers are here. */
async function atTheDoor(endpoint) {
  const run = async (query, variables, token) => {
    const answer = await ask(endpoint, { query, variables }, token);
    assert.equal(answer.errors, undefined, JSON.stringify(answer));
    return answer.data;
  };
  const entered = await run(
    'mutation ($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } } }',
    { input: { email: 'manager@demo.example', password: DEMO_PASSWORD } },
  );
  const token = entered.sessionCreate.session.accessToken;
  const found = await run(
    '{ viewer { roles { store { id } } } customers(first: 20) { nodes { id fullName } } }',
    {},
    token,
  );
  const store = found.viewer.roles.find((held) => held.store).store.id;
  const arrives = async (customer) => {
    const told = await run(
      'mutation ($input: CustomerArriveInput!) { customerArrive(input: $input) { userErrors { code message } } }',
      { input: { customerId: customer.id, storeId: store } },
      token,
    );
    assert.deepEqual(told.customerArrive.userErrors, []);
  };
  return { store, customers: found.customers.nodes, arrives };
}

/** The failures that axe finds by the rules of WCAG 2 A and AA. */
async function failures(page, where, rules) {
  await page.evaluate(axe);
  const found = await page.evaluate(
    ([place, only]) => window.axe.run(place, { runOnly: only ?? { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa'] } }),
    [where, rules ? { type: 'rule', values: rules } : null],
  );
  return found.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
  );
}

test('the built explorer, by keyboard alone', async (t) => {
  const server = await demo(data);
  const { page, trouble, close } = await visit(server.endpoint);
  try {
    await page.waitForSelector('.graphiql-query-editor .view-lines');
    assert.equal(await page.locator('#notice').count(), 0, 'this is the plain page: build the explorer, then the program');

    await t.test('a wrong password is said', async () => {
      await tabTo(page, 'Email');
      await page.keyboard.type('manager@demo.example');
      await page.keyboard.press('Tab');
      await page.keyboard.type('not this one');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('#header .trouble')?.textContent !== '');
      assert.match(await page.locator('#header [role=alert]').textContent(), /password/i);
      assert.equal(await focused(page), 'Password');
    });

    await t.test('signing in', async () => {
      await page.keyboard.type('regulars-demo');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#header [role=status]');
      assert.match(await page.locator('#header [role=status]').textContent(), /Store manager/);
      assert.equal(await focused(page), 'Examples');
    });

    await t.test('an example is opened, run and answered', async () => {
      await page.keyboard.press('Enter');
      assert.equal(await page.locator('#examples h2').first().textContent(), 'Store manageryour role');
      await tabTo(page, 'Customers, cards and last visits');
      await page.keyboard.press('Enter');
      await answered(page, 'query Customers', '.graphiql-query-editor .view-lines');
      await page.keyboard.press('Control+Enter');
      await answered(page, '"fullName"');
      if (process.env.SCREENSHOT) {
        await tabTo(page, 'Show Documentation Explorer');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.graphiql-doc-explorer');
        await page.waitForTimeout(500);
        await page.screenshot({ path: process.env.SCREENSHOT });
        await page.keyboard.press('Enter');
      }
    });

    await t.test('the error of a query is shown', async () => {
      await tabTo(page, /^Query editor/);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Control+A');
      // The editor closes the bracket.
      await page.keyboard.insertText('{ nonsense');
      await page.keyboard.press('Control+Enter');
      await answered(page, 'GRAPHQL_VALIDATION_FAILED');
      // Chromium writes down each answer of 400.
      const refused = trouble.splice(0);
      assert.equal(refused.length, 1);
      assert.match(refused[0], /status of 400/);
    });

    await t.test('a subscription tells who walks in, as it happens, and can be stopped', async () => {
      const door = await atTheDoor(server.endpoint);
      await tabTo(page, 'Examples', 'Shift+Tab');
      await page.keyboard.press('Enter');
      await tabTo(page, WHO_WALKS_IN);
      await page.keyboard.press('Enter');
      await answered(page, 'subscription WhoWalksIn', '.graphiql-query-editor .view-lines');
      await tabTo(page, /^Variables:/);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Control+A');
      // The editor closes quotes and brackets.
      await page.keyboard.insertText(`{"store":"${door.store}`);
      const began = page.waitForResponse(isStream);
      await page.keyboard.press('Control+Enter');
      const request = (await began).request();
      for (const customer of door.customers.slice(0, 2)) {
        await door.arrives(customer);
        await answered(page, customer.fullName);
      }
      assert.match(await page.locator('.graphiql-execute-button').getAttribute('aria-label'), /^Stop/);
      if (process.env.SCREENSHOT) {
        await page.waitForTimeout(300);
        await page.screenshot({ path: process.env.SCREENSHOT.replace('.png', '-live.png') });
      }
      const ended = page.waitForEvent('requestfailed', (failed) => failed === request);
      await page.keyboard.press('Control+Enter');
      await ended;
      await page.waitForFunction(() => document.querySelector('.graphiql-execute-button')?.ariaLabel?.startsWith('Execute'));
      // What was told last stays to be read, and nobody is told of more.
      await door.arrives(door.customers[2]);
      await page.waitForTimeout(700);
      await answered(page, door.customers[1].fullName);
      await tabTo(page, /^Query editor/, 'Shift+Tab');
      await page.keyboard.press('Enter');
    });

    await t.test('the tab key leaves the editor', async () => {
      await page.keyboard.press('Tab');
      const inside = await page.evaluate(() => document.activeElement.closest('.graphiql-query-editor .monaco-editor') !== null);
      assert.equal(inside, false);
    });

    await t.test('the documentation opens', async () => {
      await tabTo(page, 'Show Documentation Explorer');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => /Root Types/.test(document.querySelector('.graphiql-doc-explorer')?.textContent ?? ''));
    });

    await t.test('a reload keeps the sign-in, and tokens at their end are renewed', async () => {
      const before = await page.evaluate(() => {
        const kept = JSON.parse(sessionStorage.getItem('regulars-session'));
        kept.tokens.expiresAt = new Date().toISOString();
        sessionStorage.setItem('regulars-session', JSON.stringify(kept));
        return kept.tokens.refreshToken;
      });
      await page.reload();
      await page.waitForSelector('.graphiql-query-editor .view-lines');
      assert.match(await page.locator('#header [role=status]').textContent(), /Store manager/);
      await tabTo(page, 'Examples');
      await page.keyboard.press('Enter');
      await tabTo(page, 'Who am I, and what may I do?');
      await page.keyboard.press('Enter');
      await answered(page, 'query WhoAmI', '.graphiql-query-editor .view-lines');
      await page.keyboard.press('Control+Enter');
      await answered(page, '"STORE_MANAGER"');
      const now = await page.evaluate(() => JSON.parse(sessionStorage.getItem('regulars-session')).tokens.refreshToken);
      assert.notEqual(now, before);
    });

    await t.test('everything has a name, and the bar passes in light and dark', async () => {
      const named = ['button-name', 'link-name', 'label', 'aria-input-field-name', 'document-title', 'html-has-lang'];
      assert.deepEqual(await failures(page, 'body', named), []);
      for (const colorScheme of ['dark', 'light']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await failures(page, '#header'), [], colorScheme);
      }
    });

    await t.test('signing out', async () => {
      await tabTo(page, 'Sign out');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#header form');
      assert.equal(await focused(page), 'Email');
      assert.equal(await page.evaluate(() => sessionStorage.getItem('regulars-session')), null);
      for (const colorScheme of ['dark', 'light']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await failures(page, '#header'), [], colorScheme);
      }
    });

    await t.test('an account of the demonstration, and what is refused to it', async () => {
      await tabTo(page, 'Analyst');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#header [role=status]');
      await page.keyboard.press('Enter');
      await tabTo(page, 'What is refused, and how that looks');
      await page.keyboard.press('Enter');
      await answered(page, 'query Refused', '.graphiql-query-editor .view-lines');
      await page.keyboard.press('Control+Enter');
      await answered(page, 'FORBIDDEN');
    });

    await t.test('nothing else went wrong', () => {
      // What is refused as a whole is answered by 403.
      assert.deepEqual(trouble.filter((text) => !/status of 403/.test(text)), []);
    });
  } finally {
    await close();
    await server.stop();
  }
});

test('it fits on a telephone, and is dark where that is liked', async () => {
  const server = await demo(data);
  const { page, trouble, close } = await visit(server.endpoint, {
    viewport: { width: 390, height: 800 },
    colorScheme: 'dark',
  });
  try {
    await page.waitForSelector('.graphiql-query-editor .view-lines');
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(wide <= 390, `it is ${wide} wide`);
    const paper = await page.evaluate(() => getComputedStyle(document.getElementById('header')).backgroundColor);
    assert.equal(paper, 'rgb(27, 33, 48)');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT.replace('.png', '-narrow.png') });
    assert.deepEqual(trouble, []);
  } finally {
    await close();
    await server.stop();
  }
});

test('a shop does not offer the accounts of the demonstration', async () => {
  const server = await demo(data);
  try {
    const text = await (await fetch(server.endpoint, { headers: { accept: 'text/html' } })).text();
    assert.ok(text.includes('regulars-demo'));
    const { page, close } = await visit(server.endpoint);
    await page.route(server.endpoint, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/<meta name="regulars-demo"[^>]*>/, '') });
    });
    await page.reload();
    await page.waitForSelector('#header form');
    assert.equal(await page.locator('#header .accounts').count(), 0);
    // What the editor has just asked for may still be on its way through the gate.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await close();
  } finally {
    await server.stop();
  }
});

test('the plain explorer, from what was pinned and nothing else', async (t) => {
  const server = await demo(data, { REGULARS_EXPLORER: 'plain' });
  const asked = [];
  const fromPackages = (spoil) => async (route) => {
    const found = /^https:\/\/[^/]+\/npm\/([a-z-]+)@[0-9.]+\/(.+)$/.exec(route.request().url());
    if (!found) return false;
    asked.push(route.request().url());
    const body = readFileSync(new URL(`../plain/node_modules/${found[1]}/${found[2]}`, import.meta.url), 'utf8');
    await route.fulfill({
      body: body + spoil,
      contentType: found[2].endsWith('.css') ? 'text/css' : 'text/javascript',
      headers: { 'access-control-allow-origin': '*' },
    });
    return true;
  };
  try {
    await t.test('works as the built one does', async () => {
      const { page, trouble, close } = await visit(server.endpoint, { elsewhere: fromPackages('') });
      await page.waitForSelector('.graphiql-query-editor .CodeMirror');
      assert.equal(new Set(asked).size, 4);
      await tabTo(page, 'Store manager');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#header [role=status]');
      await page.keyboard.press('Enter');
      await tabTo(page, 'Customers, cards and last visits');
      await page.keyboard.press('Enter');
      await answered(page, 'query Customers', '.graphiql-query-editor .CodeMirror-code');
      await page.keyboard.press('Control+Enter');
      await answered(page, '"fullName"', '.graphiql-response .CodeMirror-code');
      await page.keyboard.press('Tab');
      const inside = await page.evaluate(() => document.activeElement.closest('.graphiql-query-editor .CodeMirror') !== null);
      assert.equal(inside, false, 'the tab key leaves the editor');

      // A subscription, and how it looks when the sign-in behind it ends.
      const door = await atTheDoor(server.endpoint);
      await tabTo(page, 'Examples', 'Shift+Tab');
      await page.keyboard.press('Enter');
      await tabTo(page, WHO_WALKS_IN);
      await page.keyboard.press('Enter');
      await answered(page, 'subscription WhoWalksIn', '.graphiql-query-editor .CodeMirror-code');
      await page.click('.graphiql-editor-tool .CodeMirror');
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(JSON.stringify({ store: door.store }));
      const began = page.waitForResponse(isStream);
      await page.keyboard.press('Control+Enter');
      await began;
      await door.arrives(door.customers[3]);
      await answered(page, door.customers[3].fullName, '.graphiql-response .CodeMirror-code');
      const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('regulars-session')).tokens.accessToken);
      await ask(server.endpoint, { query: 'mutation { sessionEnd(input: {}) { userErrors { message } } }' }, token);
      await answered(page, 'cut off before it was complete', '.graphiql-response .CodeMirror-code');
      await answered(page, door.customers[3].fullName, '.graphiql-response .CodeMirror-code');
      assert.deepEqual(trouble, []);
      await close();
    });

    for (const [what, elsewhere] of [
      ['a file that is not what was pinned is not run', fromPackages(' ')],
      ['a CDN out of reach is said', null],
    ]) {
      await t.test(what, async () => {
        const { page, close } = await visit(server.endpoint, { elsewhere });
        await page.waitForSelector('#notice[role=alert]');
        assert.match(await page.locator('#notice').textContent(), /could not be loaded/);
        assert.equal(await page.evaluate(() => typeof window.GraphiQL), 'undefined');
        await close();
      });
    }
  } finally {
    await server.stop();
  }
});
