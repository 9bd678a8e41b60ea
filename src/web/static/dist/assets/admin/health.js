// How the server is.

import { get } from './api.js';
import { span } from './event_shape.js';
import { clock, facts, fill, h, moment, tag, words } from './h.js';
import { table } from './list.js';
import { action, bar, live, section } from './page.js';
import { href } from './router.js';

export const title = 'System health';

/** Who is further behind than this is late. */
const LATE = 20_000;

export async function render(place, { signal }) {
  let asOf;
  const shown = await live(async () => {
    const health = await get('/gatelog/health/', {}, { signal });
    asOf = new Date();
    return made(health);
  });
  const news = h('div', { role: 'alert' });
  /** What cannot be read anew is not shown as if it were so now. */
  const look = async () => {
    try {
      await shown.refresh();
      fill(news);
      shown.classList.remove('stale');
    } catch (error) {
      if (signal.aborted) return;
      const said = `${error.detail ?? error.message} What is below is as of ${clock(asOf)}.`;
      if (news.textContent !== said) fill(news, h('p', { class: 'alert' }, said));
      shown.classList.add('stale');
    }
  };
  place.append(bar(action('Look again', look)), news, shown);
  const timer = setInterval(() => {
    // Whoever is at something in it is not interrupted.
    if (document.visibilityState === 'visible' && !shown.contains(document.activeElement)) look();
  }, 10_000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

function made(it) {
  const parts = [process(it), executions(it.executions), journal(it), it.outbox ? outbox(it.outbox) : null, it.workers ? workers(it.workers) : null, blueprints(it.blueprints)];
  return h('div', { class: 'page' }, parts);
}

const well = (is, yes = 'well', no = 'look at it') => (is ? tag(`✓ ${yes}`, 'good') : tag(`! ${no}`, 'bad'));

function process(it) {
  const up = it.started ? span(Date.parse(it.now) - Date.parse(it.started)) : '—';
  return section('Server', facts([['Version', it.version], ['Up for', up], ['Since', moment(it.started)], ['Its clock', moment(it.now)]]));
}

const counted = ({ count, more }) => (more ? `more than ${count}` : count);

const executions = (it) => section('Executions', facts([
  ['Under way', counted(it.unfinished)],
  ['In memory', it.awake],
  ['Timers', counted(it.timers)],
  ['The next fires', it.next_timer ? moment(it.next_timer) : '—'],
]), h('a', { class: 'button', href: href('/executions', { state: 'running,waiting,failed' }) }, 'Show them'));

function journal({ journal: it, readers }) {
  const rows = readers.length ? table({
    caption: 'Who follows the journal',
    rows: readers,
    columns: [
      { name: 'Who follows it', of: (one) => words(one.name.replace('.', ' ')) },
      { name: 'Has read up to record', of: (one) => one.after },
      { name: 'Behind', of: (one) => `${one.behind} records` },
      { name: 'State', of: (one) => well(one.behind < LATE, 'well', 'late') },
    ],
  }) : null;
  const full = it.writable === false ? h('p', { class: 'alert' }, 'Nothing can be written into the journal, so nobody can log in. Make room on its disk, or see what the log of the server says.') : null;
  return section('Journal', [full, facts([
    it.writable === undefined || it.writable === null ? null : ['Can be written', well(it.writable, 'yes', 'no')],
    it.free === undefined || it.free === null ? null : ['Free on its disk', size(it.free)],
    ['Last record', it.position],
    ['On the disk', size(it.bytes)],
    ['The log that holds it', `${size(it.log_bytes)} in ${it.segments ?? '—'} ${it.segments === 1 ? 'part' : 'parts'}`],
    ['Signed', signed(it.signing)],
    ['Root key of', it.key_since ? moment(it.key_since) : '—'],
  ]), rows ? h('div', { class: 'after table', tabindex: '0', role: 'region', 'aria-label': 'Who follows the journal' }, rows) : null]);
}

/** How far the journal is signed, or why it is not. */
function signed(it) {
  if (!it) return '—';
  const problem = it.problem ?? it.elsewhere ?? it.url;
  if (problem) return [well(false, '', 'not everywhere'), ' ', problem];
  return it.size ? `up to record ${it.size}` : 'not yet';
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return '—';
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** at).toFixed(at ? 1 : 0)} ${units[at]}`;
}

function outbox(it) {
  const rows = it.problems.length ? table({
    caption: 'Mails that fail',
    rows: it.problems,
    columns: [
      { name: 'Problem', of: (one) => one.problem ?? 'not known since the start of the server' },
      { name: 'Tried', of: (one) => `${one.attempts} times` },
      { name: 'Next', of: (one) => moment(one.due) },
      { name: 'Of', of: (one) => (one.execution ? h('a', { href: href(`/executions/${one.execution}`) }, 'an execution') : '—') },
    ],
  }) : null;
  return section('Mail', [facts([['Waiting', it.more ? `more than ${it.waiting}` : it.waiting], ['Failing', it.failing], ['State', well(it.failing === 0)]]), rows ? h('div', { class: 'after table', tabindex: '0', role: 'region', 'aria-label': 'Mails that fail' }, rows) : null]);
}

const workers = (it) => section('Expressions', [
  facts([['Workers', it.count], ['Free', it.idle], ['Waiting for one', it.waiting], ['State', well(it.problems.length === 0)]]),
  it.problems.length ? h('ul', {}, it.problems.map((text) => h('li', {}, text))) : null,
]);

function blueprints(it) {
  const counts = Object.entries(it.by_status).map(([status, count]) => [words(status), count]);
  const wrong = it.problems.map((one) => h('li', {}, h('a', { href: href(`/blueprints/${one.pk}`) }, one.name), ' ', tag(words(one.status), one.status === 'error' ? 'bad' : null), one.problems.length ? h('ul', {}, one.problems.map((text) => h('li', {}, text))) : null));
  return section('Blueprints', [
    facts([['Files in the folder', it.files], ...counts, ['State', well(!it.problems.some((one) => one.status === 'error'))]]),
    wrong.length ? h('ul', { class: 'after' }, wrong) : null,
  ], h('a', { class: 'button', href: href('/blueprints') }, 'Show them'));
}
