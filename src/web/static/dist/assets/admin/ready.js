// The flows that come ready-made and are switched on when somebody wants them.

import { announce } from "./announce.js";
import { create, get } from "./api.js";
import { h, prose, tag } from "./h.js";
import { may } from "./may.js";
import { action, live, section } from "./page.js";
import { href } from "./router.js";

const PATH = "/gatelog/blueprints/ready/";

/** The section of them; nothing for whoever may not see them. `done()` is called after one was enabled. */
export async function ready({ done, heading = "Ready-made flows", only } = {}) {
  if (!may("authentik_blueprints.view_blueprintinstance")) return null;
  const known = await get(PATH).catch(() => null);
  if (!known) return null;
  let found = known;
  const shown = await live(async (element) => {
    const all = only ? found.filter((it) => only.includes(it.name)) : found;
    const enable = async (it) => {
      await create("/gatelog/blueprints/enable/", { name: it.name });
      announce(`“${it.title}” is switched on.`);
      found = await get(PATH);
      await element.refresh();
      await done?.();
    };
    return h(
      "ul",
      { class: "ready" },
      all.map((it) => row(it, enable)),
    );
  });
  const said =
    "They come with the server. Enabling one writes the flow and leads to it from where people look for it; one that is there already is left as it is.";
  return section(heading, [h("p", { class: "quiet" }, said), shown]);
}

function row(it, enable) {
  const needs = (it.needs ?? []).map((text) => h("p", { class: "quiet" }, prose(text)));
  const name = it.enabled
    ? h("a", { href: href(`/flows/${it.flow}`) }, it.title)
    : h("strong", {}, it.title);
  const press = may("authentik_blueprints.add_blueprintinstance")
    ? action("Enable", () => enable(it))
    : null;
  press?.setAttribute("aria-label", `Enable ${it.title}`);
  return h(
    "li",
    {},
    h("div", { class: "what" }, h("p", {}, name, " ", h("code", {}, it.flow)), needs),
    it.enabled ? tag("✓ switched on", "good") : press,
  );
}
