// A new stage or policy: first its kind, then what it is.

import { h } from "./h.js";
import { kindCards, kindForm } from "./kind_form.js";
import { kindOf, kinds } from "./kinds.js";
import { button, setTitle } from "./page.js";
import { go, href } from "./router.js";

/** Fills a page with the kinds of a family, or with the form of the one that is chosen. */
export async function kindPage(place, family, model) {
  const to = `${family.to}/new`;
  if (!model) {
    place.append(kindCards(await kinds(family), (kind) => href(`${to}/${kind.model}`)));
    return;
  }
  const kind = await kindOf(family, model);
  setTitle(`New ${kind.name}`);
  const cancel = button("Another kind", href(to));
  const saved = (object) => go(`${family.to}/${object.pk}`);
  const made = await kindForm({ kind, cancel, saved });
  place.append(h("section", {}, h("p", { class: "quiet" }, kind.description), made));
}
