// Who changed an object, when, and what.

import { get } from "./api.js";
import { h, moment, tag, words } from "./h.js";

const DID = { created: "good", deleted: "bad" };

/** The history of the object of this kind (of the journal, such as `flow`) and id. */
export async function history(kind, id) {
  const { revisions } = await get(`/gatelog/history/${kind}/${id}/`);
  const items = revisions.map((it, index) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "head" },
        tag(words(it.did), DID[it.did]),
        " ",
        moment(it.at),
        " ",
        h("span", { class: "quiet" }, "by ", author(it.author)),
      ),
      changes(revisions[index + 1]?.object ?? null, it.object),
      h("p", { class: "quiet" }, "Request ", h("code", {}, it.request_id)),
    ),
  );
  return h("ol", { class: "history" }, items);
}

function author(it) {
  if (!it) return "an execution";
  const blueprint = it.means?.blueprint;
  const means = {
    api: "the API",
    operator: "a command on the server’s machine",
    server: "the server itself",
  }[it.means];
  const how = blueprint ? `the blueprint ${blueprint}` : means;
  return it.user ? `${it.user.username}${how ? `, through ${how}` : ""}` : (how ?? "the server");
}

/** What is another than before, by field. */
function changes(before, after) {
  if (!before || !after) return null;
  const old = flat(before);
  const now = flat(after);
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (name) => old[name] !== now[name],
  );
  if (names.length === 0) return null;
  const value = (it) => (it === undefined ? h("em", {}, "nothing") : h("code", {}, it));
  return h(
    "ul",
    { class: "changes" },
    names.map((name) =>
      h("li", {}, h("strong", {}, name), ": ", value(old[name]), " → ", value(now[name])),
    ),
  );
}

function flat(object, path = "") {
  const all = {};
  for (const [key, value] of Object.entries(object)) {
    if (value && typeof value === "object" && !Array.isArray(value))
      Object.assign(all, flat(value, `${path}${key}.`));
    else all[path + key] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return all;
}
