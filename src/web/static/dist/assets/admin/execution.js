// One execution: what is known of it, and all that happened, in its order.

import { get } from './api.js';
import { dialog } from './dialog.js';
import { listen, stateTag, who } from './executions.js';
import { facts, fill, h, moment, words } from './h.js';
import { action, bar, button, section, setTitle } from './page.js';
import { person } from './people.js';
import { href } from './router.js';

export const title = 'Execution';

/** A pause that is as long, in milliseconds, is told. */
const PAUSE = 10_000;

const UNFINISHED = ['running', 'waiting', 'failed'];

export async function render(place, { pk, signal }) {
  const path = `/gatelog/executions/${encodeURIComponent(pk)}/`;
  const known = h('div', { class: 'page' });
  const news = h('p', { class: 'live', role: 'status' });
  let open = true;
  const show = async () => {
    const it = await get(path, {}, { signal });
    setTitle(it.code);
    open = UNFINISHED.includes(it.state);
    const opened = new Set([...known.querySelectorAll('details[open]')].map((one) => one.dataset.key));
    const focused = known.contains(document.activeElement) ? document.activeElement.closest('details')?.dataset.key : null;
    fill(known, about(it), timeline(it));
    for (const one of known.querySelectorAll('details')) {
      if (opened.has(one.dataset.key)) one.open = true;
      if (focused && one.dataset.key === focused) one.querySelector('summary').focus();
    }
    return it;
  };
  place.append(actions(await show(), path), news, known);
  if (open) listen(signal, news, () => open && show().catch(() => {}));
}

const actions = (it, path) => bar(
  button('Its flow', href(`/flows/${it.flow}`)),
  it.user ? button('Its user', href(`/users/${it.user.pk}`)) : null,
  button('All from there', href('/executions', { address: it.address })),
  action('Plan and context', () => inspect(it)),
  action('Verify', () => verify(path)),
);

function about(it) {
  const asked = it.challenge ? `challenge ${it.challenge.number}, ${it.challenge.component}` : null;
  const known = facts([
    ['State', stateTag(it.state)],
    ['Where or why', it.detail || '—'],
    it.problem ? ['Problem', it.problem] : null,
    ['Code', h('code', {}, it.code)],
    ['Flow', h('a', { href: href(`/flows/${it.flow}`) }, it.flow)],
    ['User', who(it)],
    ['Began', moment(it.started)],
    ['Last touched', moment(it.last)],
    ['From', it.address],
    ['Browser', it.user_agent || '—'],
    asked ? ['The visitor is asked', asked] : null,
    ['Passed', it.path.length ? it.path.join(' → ') : 'nothing yet'],
    it.ahead.length ? ['Ahead', it.ahead.map((stage, index) => [index ? ' → ' : '', h('a', { href: href(`/stages/${stage.stage}`) }, stage.name)])] : null,
    ['Id', h('code', {}, it.execution)],
    ['Session', h('code', {}, it.session)],
  ]);
  return section('Facts', known);
}

async function inspect(it) {
  const found = await get(`/flows/inspector/${it.flow}/`, { execution: it.execution }).catch((error) => ({ error }));
  const content = found.error
    ? h('p', { class: 'alert' }, found.error.message)
    : h('pre', { tabindex: '0' }, JSON.stringify(found, null, 2));
  await dialog({ title: `What ${it.code} knows`, content, wide: true }).closed;
}

async function verify(path) {
  const found = await get(`${path}verify/`).catch((error) => ({ outcome: 'error', problem: error.message }));
  const lines = (name, texts) => (texts?.length ? [h('h3', {}, name), h('ul', {}, texts.map((text) => h('li', {}, text)))] : null);
  const content = found.outcome === 'same'
    ? h('p', {}, `Run again on what was recorded, this version of the server comes to the same events, in ${found.records} steps.`)
    : [h('p', { class: 'alert' }, found.version ? `At step ${found.version}: ${found.problem}.` : found.problem), lines('Recorded', found.recorded), lines('Now', found.replayed)];
  await dialog({ title: 'Verified', content }).closed;
}

/** What stands beside an event: a shape and a colour for how it is meant. */
const GOOD = ['stage_completed', 'password_verified', 'mfa_verified', 'session_started', 'completed', 'link_consumed', 'device_enrolled', 'consent_granted', 'user_identified'];
const BAD = ['denied', 'password_rejected', 'response_rejected', 'mfa_rejected', 'stage_failed', 'policy_failed', 'expression_failed', 'configuration_error', 'refused', 'effect_outcome_unknown', 'mail_withheld'];
const WAIT = ['suspended', 'effect_requested', 'effect_finished', 'resumed', 'timer_set', 'timer_fired', 'wait_abandoned', 'push_sent', 'mfa_challenged', 'link_issued', 'link_opened'];

function shape({ kind, details, lines }) {
  if (kind === 'engine_decided' || kind === 'policy_evaluated') return details.passing ? ['✓', 'good', 'well'] : ['✕', 'bad', 'not passed'];
  if (kind === 'user_identified' && !details.user) return ['✕', 'bad', 'not found'];
  if (kind === 'response_rejected' && lines[0]?.startsWith('the visitor chose')) return ['•', '', ''];
  if (GOOD.includes(kind)) return ['✓', 'good', 'well'];
  if (BAD.includes(kind)) return ['✕', 'bad', 'trouble'];
  if (WAIT.includes(kind)) return ['◔', 'wait', 'wait'];
  return ['•', '', ''];
}

function timeline(it) {
  const steps = [];
  let before;
  it.steps.forEach((step, index) => {
    const at = Date.parse(step.at);
    if (before !== undefined && at - before >= PAUSE) steps.push(h('li', { class: 'gap' }, span(at - before), ' later'));
    before = at;
    steps.push(one(step, it.people, it.steps[index - 1]));
  });
  return section('What happened', h('ol', { class: 'timeline' }, steps));
}

function one(step, people, previous) {
  let stage;
  const events = step.events.map((event, index) => {
    const isNew = event.stage && event.stage !== stage;
    stage = event.stage ?? stage;
    return [isNew ? h('li', { class: 'at' }, `At ${event.stage}`) : null, told(event, people, `${step.version}.${index}`)];
  });
  const isElsewhere = previous && previous.address !== step.address && step.address !== '0.0.0.0';
  return h('li', {},
    h('div', { class: 'head' }, h('strong', {}, step.asked), ' ', time(step.at), isElsewhere ? h('span', { class: 'tag bad' }, 'another address') : null),
    h('ul', { class: 'told' }, events),
    h('p', { class: 'quiet' }, 'Step ', step.version, ', request ', h('code', {}, step.request)));
}

function told(event, people, key) {
  const [sign, kind, said] = shape(event);
  const [first, ...more] = event.lines;
  const hasMore = more.length > 0 || Object.keys(event.details).length > 0;
  const head = [h('span', { class: 'sign', 'aria-hidden': 'true' }, sign), said ? h('span', { class: 'offscreen' }, `(${said}) `) : null, named(first ?? words(event.kind), people, !hasMore)];
  if (!hasMore) return h('li', { class: kind }, head);
  const pages = Object.entries(people).filter(([id]) => first?.includes(id)).map(([, it], index) => [index ? ', ' : '', person(it)]);
  const inside = [pages.length ? h('p', {}, 'Who that is: ', pages) : null, more.length ? h('ul', {}, more.map((line) => h('li', {}, named(line, people)))) : null, h('p', { class: 'quiet' }, h('code', {}, event.kind)), h('pre', { tabindex: '0' }, JSON.stringify(event.details, null, 2))];
  return h('li', { class: kind }, h('details', { 'data-key': key }, h('summary', {}, head), inside));
}

/** A sentence in which people are called by their names, with the way to them where there may be links. */
function named(text, people, hasLinks = true) {
  return text.split(/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/).map((part) => {
    const known = people[part];
    if (!known) return part;
    return hasLinks ? person(known) : h('strong', { title: part }, known.username);
  });
}

function time(text) {
  const at = new Date(text);
  const shown = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
  return h('time', { class: 'quiet', datetime: text, title: text }, shown);
}

/** So many milliseconds, as people say it. */
export function span(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  const parts = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const at = parts.findIndex(([size]) => seconds >= size);
  if (at < 0) return 'a moment';
  const said = ([size, name], rest) => {
    const count = Math.floor(rest / size);
    return count ? `${count} ${name}${count === 1 ? '' : 's'}` : '';
  };
  const next = parts[at + 1];
  return [said(parts[at], seconds), next ? said(next, seconds % parts[at][0]) : ''].filter(Boolean).join(' ');
}
