// Calls the API as whoever is logged in.

export const BASE = "/api/v3";

/**
 * What the API refused. `status` is 0 when the server was not reached; `detail` a sentence;
 * `fields` the complaints by field of a 400 (paths with dots for what is nested); `general` those of
 * no field; `body` the answer itself; `ended` is true when nobody is logged in any more.
 */
export class Refusal extends Error {
  constructor(status, body) {
    const complaints = status === 400 ? complaintsOf(body) : { fields: {}, general: [] };
    const detail =
      typeof body?.detail === "string"
        ? body.detail
        : complaints.general.join(" ") || fallback(status);
    super(detail);
    this.status = status;
    this.body = body;
    this.detail = detail;
    this.fields = complaints.fields;
    this.general = complaints.general;
    this.ended =
      status === 403 &&
      (detail === "Authentication credentials were not provided." ||
        detail.startsWith("CSRF Failed"));
  }
}

function fallback(status) {
  if (status === 0) return "The server cannot be reached. Nothing was lost; try again.";
  if (status === 403) return "You may not do this.";
  if (status === 404) return "This is not there (any more).";
  if (status === 400) return "This was not accepted.";
  return `The server answered with an error (${status}).`;
}

function complaintsOf(body) {
  const fields = {};
  const general = [];
  const collect = (value, path) => {
    if (Array.isArray(value) && value.every((it) => typeof it === "string")) {
      if (path.length === 0) general.push(...value);
      else (fields[path.join(".")] ??= []).push(...value);
    } else if (typeof value === "string") {
      collect([value], path);
    } else if (value && typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) {
        const isNone = ["non_field_errors", "detail", "code"].includes(key) && path.length === 0;
        if (key === "code" && path.length === 0) continue;
        collect(inner, isNone ? [] : [...path, key]);
      }
    }
  };
  collect(body, []);
  return { fields, general };
}

function csrf() {
  const found = document.cookie.split("; ").find((it) => it.startsWith("authentik_csrf="));
  return found ? decodeURIComponent(found.slice("authentik_csrf=".length)) : "";
}

const watchers = new Set();

/** Calls `told` whenever a call found that the session has ended. */
export function onEnd(told) {
  watchers.add(told);
}

/** The address of a path of the API with these parameters; those that are empty are left out. */
export function address(path, query) {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") asked.append(key, one);
    }
  }
  const text = asked.toString();
  return BASE + path + (text ? `?${text}` : "");
}

/**
 * One call; answers with the body, or null where there is none; `asText` with the text as it came. Throws a
 * `Refusal`.
 */
export async function call(method, path, { query, body, signal, asText } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-authentik-CSRF"] = csrf();
  let sent = body;
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    sent = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method,
      headers,
      body: sent,
      signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0);
  }
  const text = await answer.text();
  if (answer.ok && asText) return text;
  let read = null;
  if (text) {
    try {
      read = JSON.parse(text);
    } catch {
      read = text;
    }
  }
  if (answer.ok) return read;
  const refusal = new Refusal(answer.status, read);
  if (refusal.ended) watchers.forEach((told) => told());
  throw refusal;
}

/** One object. */
export const get = (path, query, options) => call("GET", path, { query, ...options });
/** One page of a list: `{ pagination, results }`. */
export const list = (path, query, options) => call("GET", path, { query, ...options });
/** Makes an object, or does what the path says. */
export const create = (path, body) => call("POST", path, { body });
/** Changes these fields of an object. */
export const update = (path, body) => call("PATCH", path, { body });
/** Takes an object away. */
export const remove = (path, query) => call("DELETE", path, { query });

/** All objects of a list, page by page. */
export async function all(path, query, options) {
  const found = [];
  for (let page = 1; page;) {
    const answer = await list(path, { page_size: 100, ...query, page }, options);
    found.push(...answer.results);
    page = answer.pagination.next;
  }
  return found;
}
