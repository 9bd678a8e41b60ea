// Makes elements. Whatever is no element becomes text: nothing is ever read as markup.

const PROPERTIES = new Set([
  "value",
  "checked",
  "disabled",
  "selected",
  "multiple",
  "open",
  "indeterminate",
  "hidden",
]);

/**
 * `h('a', { href: '/x', onclick: go }, 'text', otherElement, [more])`. Attributes that are null,
 * undefined or false are left out, `true` is an empty one; names that begin with `on` are listeners.
 * Children that are null, undefined or false are left out.
 */
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) {
      if (value) element.addEventListener(key.slice(2), value);
    } else if (PROPERTIES.has(key)) {
      if (value !== undefined && value !== null) element[key] = value;
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  add(element, children);
  return element;
}

/** Appends children as `h` takes them. */
export function add(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Puts these children in the place of all that there were. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, ...children);
}

let last = 0;

/** An id that no other element has. */
export function id(name) {
  last += 1;
  return `${name}-${last}`;
}

/** A moment as people read it, with the exact one for machines; `—` when there is none. */
export function moment(text) {
  if (!text) return "—";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text);
  const shown = at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: text, title: text }, shown);
}

/** A moment of today as a clock shows it. */
export const clock = (at) => at.toLocaleTimeString("en-GB");

/** A word of the API, such as `require_authenticated`, as people read it. */
export function words(text) {
  if (Object.hasOwn(WHOLE, text)) return WHOLE[text];
  const plain = String(text)
    .split(/[-_ ]/)
    .map((word) => NAMES[word.toLowerCase()] ?? word)
    .join(" ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** What would not be understood word by word. */
const WHOLE = {
  "ak-locale": "Choice of a language",
  "radio-button-group": "Choice with a button for each",
  dropdown: "Choice from a list",
  text_read_only: "Text that cannot be changed",
  text_area: "Long text",
  text_area_read_only: "Long text that cannot be changed",
  username: "Username",
  alert_info: "Notice",
  alert_warning: "Warning",
  alert_danger: "Warning of a danger",
  static: "Only shown, no field",
  "date-time": "Date and time",
  stacked: "In the middle",
  content_left: "At the left",
  content_right: "At the right",
  sidebar_left: "In a bar at the left",
  sidebar_right: "In a bar at the right",
  sidebar_left_frame_background: "In a bar at the left, beside another page",
  sidebar_right_frame_background: "In a bar at the right, beside another page",
};

const NAMES = {
  webauthn: "WebAuthn",
  sms: "SMS",
  totp: "TOTP",
  url: "URL",
  ip: "IP",
  upn: "UPN",
  ssl: "SSL",
  tls: "TLS",
  asns: "ASNs",
  api: "API",
  geoip: "GeoIP",
  duo: "Duo",
  css: "CSS",
  js: "JS",
  mfa: "MFA",
  id: "ID",
};

/** Text in which `code` is marked as the descriptions of the API do it. */
export const prose = (text) =>
  String(text)
    .split("`")
    .map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** Yes or no. */
export const yes = (value) => (value ? "Yes" : "No");

/** Names and what they are, as a list of descriptions: `facts([['Slug', flow.slug], …])`. */
export function facts(pairs) {
  const rows = pairs
    .filter(Boolean)
    .map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h("dl", { class: "facts" }, rows);
}

/** A word in a coloured box; `kind` is `good`, `bad` or nothing. The word says it all. */
export const tag = (text, kind) => h("span", { class: kind ? `tag ${kind}` : "tag" }, text);
