/**
 * Finds the snippets in a page of the documentation, and what the page says of them.
 *
 * A comment in front of a fence tells what no reader needs to see:
 *
 *     <!-- skip: why it cannot run here -->
 *     <!-- as: associate -->                        GraphQL: which account of the demonstration asks
 *     <!-- variables: {"id": "$customer"} -->       GraphQL: with `$name` for what was taken before
 *     <!-- take: customer = customers.nodes.0.id --> GraphQL: keeps a value of the answer
 *     <!-- error: FORBIDDEN -->                     GraphQL: the code that it is there to show
 *     <!-- expect: text -->                         the output holds this text
 */

/** Languages that run, those that are read for their form, and those that are only shown. */
const RUN = new Set(['sh', 'graphql', 'js']);
const SHOWN = new Set(['text', 'toml', 'http', 'ini', 'csv', 'yaml']);
const WORDS = new Set(['skip', 'as', 'variables', 'take', 'error', 'expect']);

/**
 * @param {string} text the page
 * @param {string} page its name, for messages
 */
export function snippets(text, page) {
  const found = [];
  let notes = [];
  let open = null;
  text.split('\n').forEach((line, index) => {
    const at = `${page}:${index + 1}`;
    if (open) {
      if (line.trim() === open.fence) {
        found.push(finished(open));
        open = null;
      } else {
        open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
      }
      return;
    }
    const fence = /^(\s*)(```+)(\S*)\s*$/.exec(line);
    if (fence) {
      open = { at, indent: fence[1], fence: fence[2], language: fence[3], notes, lines: [] };
      notes = [];
      return;
    }
    const note = /^\s*<!--\s*([a-z]+):\s*(.*?)\s*-->\s*$/.exec(line);
    if (note && WORDS.has(note[1])) {
      notes.push([note[1], note[2]]);
    } else if (line.trim() !== '') {
      if (notes.length > 0) throw new Error(`${at}: '${notes[0][0]}' stands before no snippet`);
    }
  });
  if (open) throw new Error(`${open.at}: the fence is never closed`);
  return found;
}

/**
 * Links of a page that lead nowhere. `read` gives the text of a file, null where there is none.
 * @param {string} text
 * @param {(path: string) => string | null} read
 */
export function brokenLinks(text, read) {
  const prose = text.replace(/^(```+)[\s\S]*?^\1\s*$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link)
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path, anchor] = link.split('#');
      const target = path === '' ? text : read(decodeURIComponent(path));
      return target === null || (anchor !== undefined && !anchors(target).includes(anchor));
    });
}

/** The anchors that headings get. */
function anchors(text) {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function finished({ at, language, notes, lines }) {
  const all = (word) => notes.filter(([name]) => name === word).map(([, value]) => value);
  const snippet = {
    at,
    language,
    text: `${lines.join('\n')}\n`,
    skip: all('skip')[0],
    as: all('as')[0] ?? 'manager',
    variables: all('variables')[0],
    takes: all('take').map((take) => take.split(/\s*=\s*/)),
    error: all('error')[0],
    expect: all('expect'),
  };
  if (!RUN.has(language) && !SHOWN.has(language) && language !== 'json') {
    throw new Error(`${at}: '${language}' is no language that is known here: say text where nothing is to be run`);
  }
  if (snippet.skip === '') throw new Error(`${at}: say why it is skipped`);
  if (language === 'json' && snippet.skip === undefined) JSON.parse(snippet.text);
  return snippet;
}
