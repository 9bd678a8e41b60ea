// A new policy: first its kind, then what it is.

import { h } from "./h.js";
import { kindCards, kindForm } from "./kind_form.js";
import { POLICIES, kindOf, kinds } from "./kinds.js";
import { button, setTitle } from "./page.js";
import { go, href } from "./router.js";

export const title = "New policy";

export async function render(place, { model }) {
  if (!model) {
    place.append(kindCards(await kinds(POLICIES), (kind) => href(`/policies/new/${kind.model}`)));
    return;
  }
  const kind = await kindOf(POLICIES, model);
  setTitle(`New ${kind.name}`);
  const cancel = button("Another kind", href("/policies/new"));
  const made = await kindForm({ kind, cancel, saved: (object) => go(`/policies/${object.pk}`) });
  place.append(h("section", {}, h("p", { class: "quiet" }, kind.description), made));
}
