/**
 * The bar above the editor: who is signed in, and the examples. Plain DOM, so that both pages share it.
 */

import { DEMO_ACCOUNTS, DEMO_PASSWORD, GROUPS, roleName } from './examples.js';

/**
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./examples.js').Example} Example
 */

/**
 * Draws the bar into `place`.
 * @param {HTMLElement} place
 * @param {Session} session
 * @param {{demo: boolean, open: (example: Example) => void}} options
 */
export function header(place, session, { demo, open }) {
  const panel = examples(session, open);
  const toggle = element('button', { type: 'button', className: 'quiet', textContent: 'Examples' });
  toggle.setAttribute('aria-expanded', 'false');
  toggle.setAttribute('aria-controls', panel.id);
  const show = (/** @type {boolean} */ shown) => {
    panel.hidden = !shown;
    toggle.setAttribute('aria-expanded', String(shown));
  };
  toggle.onclick = () => show(panel.hidden);
  panel.addEventListener('click', ({ target }) => {
    if (target instanceof HTMLButtonElement) show(false);
  });
  for (const part of [panel, toggle]) {
    part.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || panel.hidden) return;
      show(false);
      toggle.focus();
    });
  }
  const who = element('div', { className: 'who' });
  const draw = () => who.replaceChildren(...(session.person ? signedIn(session) : signedOut(session, demo)));
  session.addEventListener('change', () => {
    // Whoever has just signed in or out stood on a button that goes away: the next thing to do gets the focus.
    const stood = who.contains(document.activeElement);
    const renewed = session.person !== null && who.dataset.email === session.person.email;
    if (renewed) return;
    draw();
    who.dataset.email = session.person?.email ?? '';
    if (stood) (session.person ? toggle : who.querySelector('input'))?.focus();
    if (session.person) show(false);
  });
  draw();
  who.dataset.email = session.person?.email ?? '';
  const title = element('h1', {}, 'regulars ', element('span', {}, 'API explorer'));
  place.replaceChildren(element('div', { className: 'bar' }, title, toggle, who), panel);
}

/** @param {Session} session */
function signedIn(session) {
  const person = session.person;
  if (!person) return [];
  const leave = element('button', { type: 'button', textContent: 'Sign out' });
  leave.onclick = () => void session.signOut();
  const roles = person.roles.map(roleName).join(', ') || 'no role';
  const text = element('p', {}, element('strong', {}, person.name), ` (${roles})`);
  text.setAttribute('role', 'status');
  text.title = person.email;
  return [text, leave];
}

/**
 * @param {Session} session
 * @param {boolean} demo
 */
function signedOut(session, demo) {
  const email = field('Email', { type: 'email', name: 'email', autocomplete: 'username', required: true });
  const password = field('Password', {
    type: 'password',
    name: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const submit = element('button', { type: 'submit', className: 'main', textContent: 'Sign in' });
  const trouble = element('p', { className: 'trouble', id: 'sign-in-trouble' });
  trouble.setAttribute('role', 'alert');
  /** @param {string} address @param {string} secret */
  const enter = async (address, secret) => {
    trouble.textContent = '';
    submit.disabled = true;
    try {
      const wrong = await session.signIn(address, secret);
      if (wrong === null) return;
      trouble.textContent = wrong;
      password.input.value = '';
      password.input.focus();
    } catch (error) {
      trouble.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      submit.disabled = false;
    }
  };
  const form = element('form', { className: 'sign-in' }, email.label, password.label, submit);
  form.setAttribute('aria-label', 'Sign in');
  for (const { input } of [email, password]) input.setAttribute('aria-describedby', trouble.id);
  form.onsubmit = (event) => {
    event.preventDefault();
    void enter(email.input.value, password.input.value);
  };
  if (!demo) return [form, trouble];
  const group = element('div', { className: 'accounts' }, element('span', { id: 'accounts-label' }, 'Demo accounts'));
  group.setAttribute('role', 'group');
  group.setAttribute('aria-labelledby', 'accounts-label');
  for (const account of DEMO_ACCOUNTS) {
    const button = element('button', { type: 'button', textContent: roleName(account.role) });
    button.title = account.email;
    button.onclick = () => void enter(account.email, DEMO_PASSWORD);
    group.append(button);
  }
  return [form, trouble, group];
}

/**
 * @param {Session} session
 * @param {(example: Example) => void} open
 */
function examples(session, open) {
  const panel = element('section', { className: 'examples', id: 'examples', hidden: true });
  panel.setAttribute('aria-label', 'Examples');
  const draw = () => {
    const mine = (/** @type {string | null} */ role) => role !== null && (session.person?.roles.includes(role) ?? false);
    const order = [...GROUPS].sort((a, b) => Number(mine(b.role)) - Number(mine(a.role)));
    panel.replaceChildren(
      ...order.map((group) => {
        const list = element('ul', {});
        for (const example of group.examples) {
          const button = element('button', { type: 'button', textContent: example.title });
          button.onclick = () => open(example);
          list.append(element('li', {}, button));
        }
        const heading = element('h2', {}, group.name);
        if (mine(group.role)) heading.append(element('span', { className: 'mine' }, 'your role'));
        return element('div', {}, heading, element('p', {}, group.about), list);
      }),
    );
  };
  session.addEventListener('change', draw);
  draw();
  return panel;
}

/**
 * @param {string} name
 * @param {Partial<HTMLInputElement>} properties
 */
function field(name, properties) {
  const input = element('input', properties);
  return { input, label: element('label', {}, name, input) };
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} properties
 * @param {(Node | string)[]} children
 */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Whether the server says that it shows the demonstration. */
export function isDemo() {
  return document.querySelector('meta[name="regulars-demo"]') !== null;
}
