// Which page is shown, by the address. Filters of lists are in the address as well.

export const BASE = "/if/admin";

let table = [];
let show;
let guards = new Set();

/** The address of a page of the console: `href('/flows', { search: 'x' })`. */
export function href(path, query) {
  const text = new URLSearchParams(
    Object.entries(query ?? {}).filter(([, value]) => value),
  ).toString();
  return BASE + path + (text ? `?${text}` : "");
}

/** The path of the page that is shown, without what all have in common. */
export function path() {
  const at = location.pathname.slice(BASE.length);
  return at === "" ? "/" : at.replace(/(.)\/$/, "$1");
}

/** What is asked of the page, from the address. */
export const query = () => Object.fromEntries(new URLSearchParams(location.search));

/** Changes what is asked of the page in the address, without showing it anew. Empty values go. */
export function setQuery(changes) {
  const asked = { ...query(), ...changes };
  history.replaceState(history.state, "", href(path(), asked));
  shown = location.href;
}

/** Shows another page. Whoever guards what was typed is asked first. */
export async function go(to, { replace } = {}) {
  if (!(await mayLeave())) return;
  const address = to.startsWith(BASE) ? to : BASE + to;
  history[replace ? "replaceState" : "pushState"](
    { at: (history.state?.at ?? 0) + 1 },
    "",
    address,
  );
  shown = location.href;
  await show(match(), true);
}

/** Shows the same page anew. */
export const again = () => show(match(), true);

/** Has `mayGo` (true, or a promise of it) asked before the page is left; answers how to stop that. */
export function guard(mayGo) {
  guards.add(mayGo);
  return () => guards.delete(mayGo);
}

/** Whether whatever was typed may be given up. */
async function mayLeave() {
  for (const mayGo of guards) {
    if (!(await mayGo())) return false;
  }
  guards = new Set();
  return true;
}

/** A part of the address as it was meant; nothing where it is no text, or would lead elsewhere in the API. */
function read(part) {
  try {
    const text = decodeURIComponent(part);
    return /^\.*$|[/\\?#%]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function match() {
  const parts = path().split("/");
  for (const route of table) {
    const wanted = route.path.split("/");
    if (wanted.length !== parts.length) continue;
    const params = {};
    const fits = wanted.every((it, index) => {
      if (!it.startsWith(":")) return it === parts[index];
      const param = read(parts[index]);
      params[it.slice(1)] = param;
      return Boolean(param);
    });
    if (fits) return { route, params };
  }
  return { route: null, params: {} };
}

let shown;

/** Follows the links of the console from now on. `showPage({ route, params }, isNew)` shows one. */
export function start(routes, showPage) {
  table = routes;
  show = showPage;
  shown = location.href;
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin)
      return;
    if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
  window.addEventListener("popstate", async () => {
    if (location.href === shown) return;
    const to = location.href;
    if (guards.size > 0) {
      // The address has changed already: it is put back until it is known whether to go.
      history.pushState(history.state, "", shown);
      if (!(await mayLeave())) return;
      history.replaceState(history.state, "", to);
    }
    shown = location.href;
    await show(match(), true);
  });
  return show(match(), false);
}
