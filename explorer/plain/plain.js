/**
 * The page that needs no build: GraphiQL from a public CDN below the same bar.
 *
 * GraphiQL 4 is the last one with a file that a page can load as it is; React 18 goes with it. They are globals.
 */

import { WELCOME } from './examples.js';
import { header, isDemo } from './header.js';
import { Session } from './session.js';

const session = new Session(window.location.pathname);
const place = document.getElementById('graphiql');
const { React, ReactDOM, GraphiQL } = globalThis;
/** GraphiQL replaces what is in its editors whenever one of these is another text. */
let shown = {};
let root;

function draw() {
  root.render(
    React.createElement(
      GraphiQL,
      {
        fetcher: (request, options) => session.ask(request, options?.headers ?? {}),
        defaultQuery: WELCOME,
        defaultEditorToolsVisibility: 'variables',
        ...shown,
      },
      React.createElement(GraphiQL.Logo, null, React.createElement('span', { hidden: true })),
    ),
  );
  // The tab key goes on to the next field; it was bound to writing spaces.
  requestAnimationFrame(() => {
    for (const { CodeMirror: editor } of place.querySelectorAll('.CodeMirror')) {
      editor?.setOption('extraKeys', { ...editor.getOption('extraKeys'), Tab: false, 'Shift-Tab': false });
    }
  });
}

function open(example) {
  const variables = example.variables ? JSON.stringify(example.variables, null, 2) : '';
  const editor = place.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror;
  // The same example again, after it was changed by hand.
  if (shown.query === example.query) editor?.setValue(example.query);
  shown = { query: example.query, variables };
  draw();
  editor?.focus();
}

header(document.getElementById('header'), session, { demo: isDemo(), open });

if (React && ReactDOM && GraphiQL) {
  root = ReactDOM.createRoot(place);
  draw();
} else {
  const notice = document.getElementById('notice');
  notice.setAttribute('role', 'alert');
  notice.prepend('GraphiQL could not be loaded: the CDN is out of reach, or sent something else than was pinned. ');
}
