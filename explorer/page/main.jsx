/**
 * The page that is built: GraphiQL below the bar.
 */

import './workers.js';
import 'graphiql/style.css';
import './header.css';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { useGraphiQL, useGraphiQLActions, useMonaco } from '@graphiql/react';
import { WELCOME } from './examples.js';
import { header, isDemo } from './header.js';
import { Session } from './session.js';

// The page is served by the endpoint itself.
const session = new Session(window.location.pathname);
/** @type {EventTarget} */
const wishes = new EventTarget();

const fetcher = (request, options) => session.ask(request, options?.headers ?? {});

/** Opens examples in a tab of their own, and lets the tab key leave the editors. */
function Bridge() {
  const { addTab, updateActiveTabValues } = useGraphiQLActions();
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const monaco = useMonaco((state) => state.monaco);

  useEffect(() => {
    const open = ({ detail }) => {
      if (queryEditor?.getValue().trim()) addTab();
      const variables = detail.variables ? JSON.stringify(detail.variables, null, 2) : '';
      updateActiveTabValues({ query: detail.query, variables });
      queryEditor?.setValue(detail.query);
      variableEditor?.setValue(variables);
      queryEditor?.setPosition({ lineNumber: 1, column: 1 });
      queryEditor?.focus();
    };
    wishes.addEventListener('open', open);
    return () => wishes.removeEventListener('open', open);
  }, [addTab, updateActiveTabValues, queryEditor, variableEditor]);

  // GraphiQL lets the tab key stop at each editor's frame, but gives it no name.
  useEffect(() => {
    const editors = { 'Query editor': queryEditor, Variables: variableEditor, Headers: headerEditor };
    for (const [name, editor] of Object.entries(editors)) {
      const frame = editor?.getContainerDomNode();
      frame?.setAttribute('role', 'group');
      frame?.setAttribute('aria-label', `${name}: press Enter to write, Tab to leave`);
    }
  }, [queryEditor, variableEditor, headerEditor]);

  useEffect(() => {
    // Everything has to be reached by keyboard: the tab key goes on to the next field, until Ctrl+M has it write.
    if (monaco) {
      void import('monaco-editor/esm/vs/editor/browser/config/tabFocus.js').then(({ TabFocus }) => {
        TabFocus.setTabFocusMode(true);
      });
    }
  }, [monaco]);

  return null;
}

header(document.getElementById('header'), session, {
  demo: isDemo(),
  open: (example) => wishes.dispatchEvent(new CustomEvent('open', { detail: example })),
});

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL fetcher={fetcher} defaultQuery={WELCOME} defaultEditorToolsVisibility="variables">
    <GraphiQL.Logo>
      <span hidden />
    </GraphiQL.Logo>
    <GraphiQL.Footer>
      <Bridge />
    </GraphiQL.Footer>
  </GraphiQL>,
);
