// Where the console begins.

import { list } from "./api.js";
import { h } from "./h.js";
import { href } from "./router.js";

export const title = "Console";

const COUNTED = [
  [
    "/flows",
    "Flows",
    "/flows/instances/",
    "What people go through to log in, sign up or get back in.",
  ],
  ["/stages", "Stages", "/stages/all/", "The steps of flows."],
  ["/policies", "Policies", "/policies/all/", "Who may go on, and which steps they see."],
  ["/prompts", "Prompts", "/stages/prompt/prompts/", "The questions of prompt stages."],
];

export async function render(place) {
  const cards = COUNTED.map(async ([to, name, path, text]) => {
    const found = await list(path, { page_size: 1 }).catch(() => null);
    return h(
      "li",
      {},
      h(
        "a",
        { class: "card", href: href(to) },
        h("strong", {}, name),
        h("span", { class: "count" }, found?.pagination.count ?? "—"),
        h("span", { class: "quiet" }, text),
      ),
    );
  });
  place.append(h("ul", { class: "cards" }, await Promise.all(cards)));
}
