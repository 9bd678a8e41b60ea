// Executions, as they happen.

import { BASE, get } from './api.js';
import { clock, fill, h, id, moment, words } from './h.js';
import { table } from './list.js';
import { person } from './people.js';
import { href, query, setQuery } from './router.js';

export const title = 'Executions';

/** How an execution can stand: a sign and a colour beside the word. */
const STATES = {
  running: ['▸', ''],
  waiting: ['◔', ''],
  failed: ['!', 'bad'],
  completed: ['✓', 'good'],
  denied: ['✕', 'bad'],
  cancelled: ['–', ''],
  expired: ['○', ''],
  removed: ['·', ''],
  erased: ['⊘', ''],
  unreadable: ['!', 'bad'],
};

/** The state as a sign, a word and a colour. */
export function stateTag(state) {
  const [sign, kind] = STATES[state] ?? ['?', ''];
  return h('span', { class: `tag state ${kind}` }, h('span', { 'aria-hidden': 'true' }, sign), ' ', words(state));
}

/** Who went through it, as far as is known. */
export function who(it) {
  if (it.user) return person(it.user);
  return it.typed ? [h('span', {}, it.typed), h('span', { class: 'quiet' }, ' (nobody’s name)')] : '—';
}

const FILTERS = [
  { name: 'search', label: 'Code, id or words', type: 'search' },
  { name: 'state', label: 'State', options: ['running,waiting,failed', ...Object.keys(STATES)], names: { 'running,waiting,failed': 'Under way' } },
  { name: 'flow', label: 'Flow (slug)' },
  { name: 'user', label: 'User' },
  { name: 'address', label: 'Address or network' },
  { name: 'since', label: 'Since', type: 'datetime-local' },
  { name: 'until', label: 'Until', type: 'datetime-local' },
];

const LIMITS = 25;
const LAZY = 300;
/** How long it is left alone after it was read, and after that failed. */
const REST = 500;
const LATER = 5_000;
/** How long a stream that was refused is left alone at most. */
const LONGEST = 60_000;

export async function render(place, { signal }) {
  place.append(h('section', {}, executionList({ signal })));
}

/**
 * A list that is up to date. `fixed` is what is always asked, `isLocal` keeps what is asked out of the
 * address; it ends with `signal`.
 */
export function executionList({ fixed = {}, isLocal = false, signal }) {
  const filters = FILTERS.filter((it) => !(it.name in fixed));
  const asked = isLocal ? {} : query();
  const state = Object.fromEntries(filters.map((it) => [it.name, asked[it.name] ?? '']));
  /** The cursors that led here; the last one is that of the page that is shown. */
  const way = asked.before ? [asked.before] : [];
  const status = h('p', { class: 'quiet', role: 'status' });
  const news = h('p', { class: 'live', role: 'status' });
  const shown = h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Executions' });
  const pages = h('nav', { class: 'pages', 'aria-label': 'Pages' });
  const element = h('div', { class: 'list' }, h('div', { class: 'filters', role: 'search', 'aria-label': 'Executions' }, filters.map(control)), news, status, shown, pages);
  /** What gives up the request that is under way. */
  let reading = null;
  /** Whether something happened since that began. */
  let isStale = false;
  let asOf = null;
  let soon;
  let timer;

  function control(it) {
    const input = it.options
      ? h('select', {}, h('option', { value: '' }, 'All'), it.options.map((one) => h('option', { value: one }, it.names?.[one] ?? words(one))))
      : h('input', { type: it.type ?? 'text', autocomplete: 'off', spellcheck: 'false' });
    input.id = id('filter');
    input.value = it.type === 'datetime-local' ? local(state[it.name]) : state[it.name];
    input.addEventListener(it.options ? 'change' : 'input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        state[it.name] = it.type === 'datetime-local' && input.value ? new Date(input.value).toISOString() : input.value.trim();
        way.length = 0;
        ask();
      }, it.options ? 0 : LAZY);
    });
    return h('div', { class: 'filter' }, h('label', { for: input.id }, it.label), input);
  }

  function ask() {
    if (!isLocal) setQuery({ ...state, before: way.at(-1) ?? '' });
    return element.refresh();
  }

  /** Reads the list. What is being read is given up: something else is asked now. */
  element.refresh = async () => {
    reading?.abort();
    clearTimeout(soon);
    const mine = new AbortController();
    reading = mine;
    isStale = false;
    shown.setAttribute('aria-busy', 'true');
    try {
      const query = { limit: LIMITS, ...fixed, ...state, before: way.at(-1) };
      const found = await get('/gatelog/executions/', query, { signal: AbortSignal.any([signal, mine.signal]) });
      if (mine === reading) draw(found);
    } catch (error) {
      if (mine === reading && error.name !== 'AbortError') fail(error);
    } finally {
      if (mine === reading) {
        reading = null;
        shown.removeAttribute('aria-busy');
        if (isStale) soon = setTimeout(heard, REST);
      }
    }
  };

  /** Something happened: it is read once at a time, and once more for all that happened meanwhile. */
  function heard() {
    clearTimeout(soon);
    if (way.length > 0 || signal.aborted) return;
    if (reading) isStale = true;
    else element.refresh();
  }

  /** What is shown stays where the server is only away or busy, and is read again a little later. */
  function fail(error) {
    if (shown.querySelector('table') && [0, 429, 502, 503, 504].includes(error.status)) {
      status.textContent = `This is as of ${clock(asOf)}. ${error.detail}`;
      soon = setTimeout(heard, LATER);
      return;
    }
    status.textContent = '';
    const again = error.status === 403 ? null : h('p', {}, h('button', { type: 'button', onclick: element.refresh }, 'Try again'));
    fill(shown, h('p', { class: 'alert', role: 'alert' }, error.detail ?? error.message), complaints(error.fields), again);
    fill(pages);
  }

  function draw({ results, next, read, unreadable }) {
    asOf = new Date();
    const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    const isSearched = next !== null && results.length < LIMITS;
    status.textContent = isSearched ? `${results.length} found among ${read} executions; older ones were not looked at yet.` : results.length === 0 ? 'Nothing found.' : '';
    if (unreadable > 0) status.textContent += ` ${unreadable} could not be read: the journal is damaged (gatelog journal verify).`;
    if (results.length > 0) fill(shown, table({ caption: 'Executions', columns: COLUMNS, rows: results }));
    else fill(shown, h('p', { class: 'empty' }, 'There is no execution that fits.'));
    if (focused) [...shown.querySelectorAll('a')].find((it) => it.getAttribute('href') === focused)?.focus();
    const step = (text, isThere, act) => h('button', { type: 'button', disabled: !isThere, onclick: () => { act(); ask().then(() => shown.focus()); } }, text);
    if (way.length === 0 && next === null) fill(pages);
    else fill(pages, step('Newest', way.length > 0, () => (way.length = 0)), step('Newer', way.length > 1, () => way.pop()), step(isSearched ? 'Look further back' : 'Older', next !== null, () => way.push(next)));
  }

  listen(signal, news, heard);
  signal.addEventListener('abort', () => clearTimeout(soon));
  element.refresh();
  return element;
}

const COLUMNS = [
  { name: 'Code', of: (it) => h('a', { class: 'code', href: href(`/executions/${it.execution}`) }, it.code) },
  { name: 'Began', of: (it) => moment(it.started) },
  { name: 'Flow', of: (it) => (it.flow ? h('a', { href: href(`/flows/${it.flow}`) }, it.flow) : '—') },
  { name: 'User', of: who },
  { name: 'From', of: (it) => h('span', { class: 'whole' }, it.address) },
  { name: 'State', of: (it) => stateTag(it.state) },
  { name: 'Where or why', of: (it) => it.detail || '—' },
];

function complaints(fields) {
  const all = Object.entries(fields ?? {});
  return all.length ? h('ul', {}, all.map(([name, texts]) => h('li', {}, `${words(name)}: ${texts.join(' ')}`))) : null;
}

function local(moment) {
  if (!moment) return '';
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/**
 * Calls `heard` whenever something happened in an execution, or may have while nobody listened, and says
 * whether that is so. A page that nobody looks at does not listen: a browser has few connections for
 * one server.
 */
export function listen(signal, news, heard) {
  let source = null;
  let timer;
  let failures = 0;
  const say = (text, isOn) => {
    if (news.textContent !== text) news.textContent = text;
    news.classList.toggle('on', isOn);
  };
  const open = () => {
    clearTimeout(timer);
    if (source || signal?.aborted || document.hidden) return;
    source = new EventSource(`${BASE}/gatelog/executions/`);
    source.addEventListener('open', () => {
      failures = 0;
      say('Live: what happens shows up here by itself.', true);
      heard();
    });
    source.addEventListener('message', heard);
    source.addEventListener('error', () => {
      say('Not live at the moment.', false);
      // A connection that broke off is made again by the browser, one that was refused is not.
      if (source.readyState !== EventSource.CLOSED) return;
      source = null;
      failures += 1;
      // Half of it is chance, so that not all come back at once.
      const wait = Math.min(LONGEST, 1000 * 2 ** failures);
      timer = setTimeout(open, wait / 2 + (Math.random() * wait) / 2);
      // It does not say why; a call does, when the session has ended.
      get('/core/users/me/').catch(() => {});
    });
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const look = () => {
    if (document.hidden) close();
    else open();
  };
  document.addEventListener('visibilitychange', look);
  signal?.addEventListener('abort', () => {
    document.removeEventListener('visibilitychange', look);
    close();
  });
  open();
}
