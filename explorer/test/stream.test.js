/**
 * Server-sent events are read right, however they arrive and end.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CutOff, Told } from '../page/stream.js';

/** A body that gives these bytes in pieces of `size`, then ends, fails with `error`, or stays open. */
function body(text, { size = text.length, error = undefined, open = false } = {}) {
  const bytes = new TextEncoder().encode(text);
  const state = { cancelled: false };
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      if (!open && !error) controller.close();
    },
    pull(controller) {
      if (error) controller.error(error);
    },
    cancel() {
      state.cancelled = true;
    },
  });
  return { stream, state };
}

async function all(told) {
  const seen = [];
  for await (const answer of told) seen.push(answer);
  return seen;
}

const next = (value) => `event: next\ndata: ${JSON.stringify(value)}\n\n`;
const COMPLETE = 'event: complete\ndata: \n\n';

test('answers are told in their order, whatever the pieces in which they arrive', async () => {
  const answers = [{ data: { name: '李小明 🍵' } }, { data: { text: 'a: b\n\nc' } }, { errors: [{ message: 'no' }] }];
  const text = `:\n\n${answers.map(next).join(':\n\n')}${COMPLETE}`;
  for (const size of [1, 2, 3, 7, text.length * 4]) {
    assert.deepEqual(await all(new Told(body(text, { size }).stream)), answers, `pieces of ${size}`);
  }
  assert.deepEqual(await all(new Told(body(text.replaceAll('\n', '\r\n'), { size: 5 }).stream)), answers);
});

test('complete ends it, though the connection stays open', async () => {
  const { stream, state } = body(`${COMPLETE}${next({ data: 1 })}`, { open: true });
  assert.deepEqual(await all(new Told(stream)), []);
  assert.equal(state.cancelled, true);
});

test('a stream that is cut off says so, with what was told last', async () => {
  const half = next({ data: 2 }).slice(0, -1);
  for (const how of [{}, { error: new Error('gone') }]) {
    const told = new Told(body(next({ data: 1 }) + (how.error ? '' : half), how).stream);
    assert.deepEqual(await told.next(), { done: false, value: { data: 1 } });
    await assert.rejects(told.next(), (error) => error instanceof CutOff && error.lastTold.data === 1);
    assert.deepEqual(await told.next(), { done: true, value: undefined });
  }
});

test('it can be ended while it waits, and the request ends with it', async () => {
  const { stream, state } = body(next({ data: 1 }), { open: true });
  const told = new Told(stream);
  await told.next();
  const waiting = told.next();
  // As GraphiQL does it.
  await told[Symbol.asyncIterator]().return();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.equal(state.cancelled, true);
});
